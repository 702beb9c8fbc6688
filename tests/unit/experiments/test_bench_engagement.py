"""The bench of measuring: small, beside its baselines, and on the same answers."""

import re

from heritage_experiments.bench.engagement import run, sessions


def test_every_figure_stands_beside_its_baseline_and_both_give_the_same_answer():
    records = {record["name"]: record for record in run(quick=True)}
    assert set(records) == {
        "cox_tied_cpu_s", "cox_continuous_cpu_s", "cox_clustered_cpu_s", "cox_clustered_many_cpu_s",
        "concordance_cpu_s", "ndcg_cpu_s",
    }  # fmt: skip
    alone = records.pop("cox_clustered_many_cpu_s")
    assert alone["baseline"] is None
    assert alone["ratio"] is None
    for record in records.values():
        assert record["ratio"] == record["value"] / record["baseline"]
        assert float(re.search(r"differ by (?:at most )?(\S+?)(?:;|$)", record["note"])[1]) < 1e-6


def test_ties_are_what_tells_the_two_kinds_of_rows_apart():
    (whole, event, x), (real, same_event, same_x) = sessions(500, tied=True), sessions(500, tied=False)
    assert (whole % 1 == 0).all()
    assert len(set(real)) == 500
    assert (event == same_event).all()
    assert (x == same_x).all()
