"""The hash over outcomes tells values apart and nothing else."""

import math

from heritage_experiments.outcomes_hash import outcomes_sha256

ROWS = [
    ("a", 0, "gini", 0.25, "1", 3),
    ("a", 1, "gini", 0.5, "1", 3),
    ("b", 0, "gini", math.nan, "1", 3),
    ("b", 1, "gini", -0.0, "1", 3),
]


def renamed(names):
    return [(names[cell], *rest) for cell, *rest in ROWS]


def test_order_of_rows_and_names_of_cells_change_nothing():
    assert outcomes_sha256(ROWS[::-1]) == outcomes_sha256(ROWS)
    assert outcomes_sha256(renamed({"a": "b", "b": "a"})) == outcomes_sha256(ROWS)
    assert outcomes_sha256(renamed({"a": "z", "b": "y"})) == outcomes_sha256(ROWS)


def test_the_last_bit_of_a_value_a_unit_an_n_and_a_replication_all_count():
    def changed(**facts):
        row = dict(zip(("cell", "replication", "name", "value", "unit", "n"), ROWS[0], strict=True)) | facts
        return [tuple(row.values()), *ROWS[1:]]

    hashes = {
        outcomes_sha256(ROWS),
        outcomes_sha256(changed(value=math.nextafter(0.25, 1))),
        outcomes_sha256(changed(unit="days")),
        outcomes_sha256(changed(n=4)),
        outcomes_sha256(changed(replication=7)),
        outcomes_sha256(changed(name="theil")),
        outcomes_sha256(ROWS[:-1]),
    }
    assert len(hashes) == 7


def test_two_equal_cells_are_not_one():
    twice = [row for row in ROWS if row[0] == "a"] + [("c", *row[1:]) for row in ROWS if row[0] == "a"]
    assert outcomes_sha256(twice) != outcomes_sha256([row for row in ROWS if row[0] == "a"])
