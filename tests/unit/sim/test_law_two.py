"""Nobody is an oracle: without a taste for consistency a listener knows of a piece what the encoder says. About 2 s.

Two generators make the same notes, so pieces have equal vectors and durations; only their measured consistency differs.
Communities screen nothing (strictness 0, no jury), so nothing but a listener's taste could tell the two worlds apart.
"""

import numpy as np
import pytest
from small_world import COMMUNITIES, LISTENERS, PlainComposer, shard_factories, small_economy

from heritage_agents.communities.config import JuryConfig
from heritage_sim.base import Keys, Origin
from heritage_sim.executors import LocalExecutor

OPEN = tuple(
    c.model_copy(update={"strictness": 0.0, "strictness_step": 0.0, "jury": JuryConfig(size=0)}) for c in COMMUNITIES
)
KEYS = Keys(root_seed=11, replication=1)
MEASURED = ("consistency_generated_mean", "violations_per_generated_piece")
"""Outcomes that say how consistent the pieces are, and not what anybody made of it."""


def lived(consistency, mean, sd):
    listeners = LISTENERS.model_copy(update={"consistency_taste_mean": mean, "consistency_taste_sd": sd})
    economy = small_economy(
        communities=OPEN,
        generator=PlainComposer(Origin.GENERATED, consistency),
        make_executor=lambda: LocalExecutor(shard_factories(KEYS, 1, listeners, OPEN)),
    )
    economy.run()
    return economy


def figures(economy):
    """Return all that was recorded but the measured consistency itself."""
    results = economy.results()
    outcomes = {o.name: o.value for o in results.outcomes if o.name not in MEASURED}
    tables = {
        (name, column): np.asarray(values)
        for name, table in results.tables.items()
        for column, values in table.items()
        if "consistency" not in column and "violations" not in column
    }
    return outcomes, tables


def test_the_worlds_differ_in_consistency_and_in_no_vector_and_no_duration():
    economies = [lived(c, 0.0, 0.0) for c in (0.2, 0.9)]
    generated = [e.catalogue.origin == Origin.GENERATED for e in economies]
    assert generated[0].sum() > 3
    np.testing.assert_array_equal(economies[0].catalogue.vectors, economies[1].catalogue.vectors)
    np.testing.assert_array_equal(
        economies[0].catalogue.column("duration_s"), economies[1].catalogue.column("duration_s")
    )
    assert set(economies[0].catalogue.consistency[generated[0]]) == {np.float32(0.2)}
    assert set(economies[1].catalogue.consistency[generated[1]]) == {np.float32(0.9)}


def test_without_taste_for_consistency_everything_that_follows_is_bit_equal():
    (outcomes, tables), (others, other_tables) = (figures(lived(c, 0.0, 0.0)) for c in (0.2, 0.9))
    assert outcomes.keys() == others.keys()
    np.testing.assert_array_equal(list(outcomes.values()), list(others.values()))
    assert tables.keys() == other_tables.keys()
    for key, values in tables.items():
        np.testing.assert_array_equal(values, other_tables[key], err_msg=str(key))


@pytest.mark.parametrize(("mean", "sd"), [(2.0, 0.0), (0.0, 2.0)])
def test_with_taste_for_consistency_listening_differs(mean, sd):
    """The same comparison must be able to see a difference; a spread around zero is a taste too."""
    (outcomes, _), (others, _) = (figures(lived(c, mean, sd)) for c in (0.2, 0.9))
    assert outcomes["plays"] != others["plays"] or outcomes["gini_plays_works"] != others["gini_plays_works"]


def test_a_mean_taste_moves_plays_towards_what_it_values():
    plays = {
        (consistency, mean): figures(lived(consistency, mean, 0.0))[0]["plays_share_generated"]
        for consistency in (0.1, 0.9)
        for mean in (-3.0, 3.0)
    }
    # archive works measure 0.9
    assert plays[0.1, -3.0] > plays[0.9, -3.0]
    assert plays[0.1, 3.0] < plays[0.9, 3.0]
