"""What a run says of its commissions agrees with what it counted. Costs about 1 s."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small_world as sw

from heritage_sim.base import Origin


def table_of(economy):
    return economy.results().tables["commissions"]


@pytest.fixture(scope="module")
def economy():
    return sw.lived(days=14)


def test_there_is_one_row_for_each_request_in_the_order_of_days(economy):
    table = table_of(economy)
    assert table["day"].size == economy.recorder.making.requested > 10
    assert (np.diff(table["day"]) >= 0).all()
    asked = set(zip(table["day"].tolist(), table["creator"].tolist(), strict=True))
    assert len(asked) == table["day"].size


def test_what_was_published_stands_in_the_catalogue_on_its_day(economy):
    table, works = table_of(economy), economy.results().tables["works"]
    published = table["fate"] == "published"
    new = works["origin"] != Origin.ARCHIVE.name.lower()
    pairs = [
        sorted(zip(t["day"][rows].tolist(), t["creator"][rows].tolist(), strict=True))
        for t, rows in ((table, published), (works, new))
    ]
    assert pairs[0] == pairs[1]


def test_sources_are_named_by_the_content_that_the_generator_was_asked_on(economy):
    table = table_of(economy)
    hashes = [row.tobytes().hex() for row in sw.archive()[0].content_sha256]
    assert table["source_sha256"].tolist() == [hashes[i] for i in table["source_work"]]
    assert set(table["tradition"]) <= set(sw.TRADITIONS)
    # Who builds on a learnt work has the generator asked on the archive work at the root of its line.
    eager = replace(sw.CREATORS.making_rules, learning_chance=1.0, learnt_share=0.9)
    economy = sw.lived(days=28, making=eager)
    table, asked = table_of(economy), economy.parts.generator.asked
    assert (table["source_work"] >= len(hashes)).any()
    reached = (table["intent"] == "derive") & (table["fate"] != "refused_consent")
    assert table["source_sha256"][reached].tolist() == asked


def test_pieces_below_a_communitys_strictness_are_refused_under_its_terms():
    economy = sw.lived(days=14, consistency=0.1)
    table, making = table_of(economy), economy.recorder.making
    assert np.count_nonzero(table["fate"] == "refused_terms") == making.refused_strictness > 0
    assert set(table["intent"][table["fate"] == "refused_terms"]) == {"derive"}
    assert np.count_nonzero(table["fate"] == "refused_consent") == making.refused_consent


def test_the_log_is_put_down_and_taken_up():
    one = sw.small_economy(days=12)
    one.run(8)
    other = sw.small_economy(days=12)
    other.restore(one.snapshot())
    for economy in (one, other):
        economy.run()
    for name, column in table_of(one).items():
        np.testing.assert_array_equal(column, table_of(other)[name])
