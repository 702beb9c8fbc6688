"""Royalty rules on cases worked out by hand, and the properties that tell them apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from heritage_sim.base import NO_ONE, InputError, Rights, Statement, Usage
from heritage_sim.metrics import theil_parts
from heritage_sim.royalty import RoyaltyConfig, RuleConfig, make_rule, settle_usage
from heritage_sim.royalty.rules.community_weighted import root_weights


def usage_of(plays: list[list[int]], fees: list[int]) -> Usage:
    dense = np.array(plays, dtype=np.int64)
    rows, works = np.nonzero(dense)
    return Usage(
        epoch=0,
        num_works=dense.shape[1],
        listener_ids=np.arange(len(fees)),
        fee_units=np.array(fees, dtype=np.int64),
        indptr=np.searchsorted(rows, np.arange(len(fees) + 1)).astype(np.int64),
        work_ids=works.astype(np.int32),
        plays=dense[rows, works],
        seconds=np.zeros(rows.size, dtype=np.int64),
        plays_by_day=dense.sum(axis=0)[None, :],
    )


def own_rights(communities: list[int]) -> Rights:
    n = len(communities)
    return Rights(
        payee_names=tuple(f"w{i}" for i in range(n)),
        payee_community=np.array(communities, dtype=np.int32),
        work_community=np.array(communities, dtype=np.int32),
        indptr=np.arange(n + 1),
        payee_ids=np.arange(n, dtype=np.int32),
        share_bps=np.full(n, 10_000),
        consent=np.full(n, 15, dtype=np.int16),
    )


def paid(rule: str, plays: list[list[int]], fees: list[int], communities: list[int] | None = None) -> list[int]:
    return stated(rule, plays, fees, communities).work_units.tolist()


def stated(rule: str, plays: list[list[int]], fees: list[int], communities: list[int] | None = None) -> Statement:
    return settle_usage(make_rule(rule), [usage_of(plays, fees)], own_rights(communities or [0] * len(plays[0])))


# Two listeners pay 10 each. The first plays only work 0, 80 times; the second work 1 15 times and work 2 5 times.
HEAVY_AND_LIGHT = [[80, 0, 0], [0, 15, 5]]


def test_pro_rata_by_hand() -> None:
    assert paid("pro_rata", HEAVY_AND_LIGHT, [1000, 1000]) == [1600, 300, 100]


def test_user_centric_by_hand() -> None:
    assert paid("user_centric", HEAVY_AND_LIGHT, [1000, 1000]) == [1000, 750, 250]


def test_pro_rata_rounds_to_the_largest_remainders() -> None:
    # Quotas of 100 on 1:1:1 are 33 1/3 each; on 2:3:6 they are 18.18, 27.27, 54.54.
    assert paid("pro_rata", [[1, 1, 1]], [100]) == [34, 33, 33]
    assert paid("pro_rata", [[2, 3, 6]], [100]) == [18, 27, 55]


def test_user_centric_rounds_inside_each_listeners_fee() -> None:
    # Each listener's 100 over three works is 34, 33, 33; rounding the sum of 200 would give 67, 67, 66.
    assert paid("user_centric", [[1, 1, 1], [1, 1, 1]], [100, 100]) == [68, 66, 66]


def test_idle_fees_follow_what_the_others_gave() -> None:
    # 750 and 250 come from the active listener; the idle 400 follow as 300 and 100.
    statement = stated("user_centric", [[3, 1], [0, 0]], [1000, 400])
    assert statement.work_units.tolist() == [1050, 350]
    assert "played nothing" in statement.reasons[1]


def test_user_centric_refuses_a_pool_that_is_not_the_fees() -> None:
    usage = usage_of([[1, 1]], [100])
    with pytest.raises(ValueError, match="sum of all fees"):
        settle_usage(make_rule("user_centric"), [usage], own_rights([0, 0]), pool_units=99)


MATRICES = st.integers(2, 6).flatmap(
    lambda works: st.lists(
        st.lists(st.integers(0, 40), min_size=works, max_size=works).filter(any), min_size=1, max_size=8
    )
)


@given(orders=st.lists(st.permutations([7, 2, 1, 0]), min_size=1, max_size=8), fee=st.integers(1, 10**9))
def test_rules_agree_where_every_listener_plays_and_pays_the_same(orders: list[list[int]], fee: int) -> None:
    """Everyone plays 10 times and pays one fee, whatever is played: equal but for one rounded unit per listener."""
    fees = [10 * fee] * len(orders)
    per_play = fee
    plays = np.array(orders).sum(axis=0)
    assert paid("user_centric", orders, fees) == (plays * per_play).tolist()
    assert paid("pro_rata", orders, fees) == (plays * per_play).tolist()


@given(plays=MATRICES, fee=st.integers(0, 10**8), other=st.lists(st.integers(0, 40), min_size=6, max_size=6))
def test_under_user_centric_one_listener_moves_at_most_one_fee(
    plays: list[list[int]], fee: int, other: list[int]
) -> None:
    changed = [other[: len(plays[0])], *plays[1:]]
    assume(any(changed[0]))
    fees = [fee] + [10**6] * (len(plays) - 1)
    difference = np.array(paid("user_centric", plays, fees)) - paid("user_centric", changed, fees)
    assert np.abs(difference).sum() <= 2 * fee
    assert np.abs(difference).max() <= fee


def test_under_pro_rata_one_listener_can_move_more_than_one_fee() -> None:
    """So that the property above could fail: the same change under pro-rata moves three fees."""
    fees = [100] * 4
    before = paid("pro_rata", [[1, 0], [0, 1], [0, 1], [0, 1]], fees)
    after = paid("pro_rata", [[10_000, 0], [0, 1], [0, 1], [0, 1]], fees)
    assert after[0] - before[0] > 250


@given(plays=MATRICES, fee=st.integers(1, 10**9))
def test_strength_0_is_pro_rata_to_the_unit(plays: list[list[int]], fee: int) -> None:
    communities = [w % 3 for w in range(len(plays[0]))]
    fees = [fee] * len(plays)
    assert paid("community_weighted(strength=0)", plays, fees, communities) == paid("pro_rata", plays, fees)


@given(plays=MATRICES, fee=st.integers(1, 10**9))
def test_strength_1_pays_played_communities_the_same_to_the_unit(plays: list[list[int]], fee: int) -> None:
    communities = [w % 3 for w in range(len(plays[0]))]
    units = paid("community_weighted", plays, [fee] * len(plays), communities)
    totals = np.bincount(communities, weights=units)
    played = np.bincount(communities, weights=np.array(plays).sum(axis=0)) > 0
    assert np.ptp(totals[played]) <= 1
    assert not totals[~played].any()


def test_strength_1_leaves_no_inequality_between_communities() -> None:
    plays = [[900, 30, 60, 5, 1, 4], [0, 700, 0, 0, 9, 0]]
    communities = [0, 0, 0, 1, 1, 2]
    units = paid("community_weighted", plays, [3000, 3000], communities)
    assert np.bincount(communities, weights=units).tolist() == [2000, 2000, 2000]
    per_community = np.bincount(communities, weights=units)
    assert theil_parts(per_community, [0, 1, 2]).between == 0.0


def test_community_weighted_by_hand() -> None:
    # Plays 64 and 4, strength 1/2: weights 8 and 2, so 80 and 20 of 100; inside by plays.
    assert paid("community_weighted(strength=0.5)", [[48, 16, 4]], [100], [0, 0, 1]) == [60, 20, 20]


@pytest.mark.parametrize("lower", [0.0, 0.2, 0.5, 0.8])
def test_more_strength_gives_the_smaller_community_more(lower: float) -> None:
    plays, fees = [[500, 20, 3]], [10**6]
    before = paid(f"community_weighted(strength={lower})", plays, fees, [0, 1, 2])
    after = paid(f"community_weighted(strength={lower + 0.2:g})", plays, fees, [0, 1, 2])
    assert after[2] > before[2]
    assert after[0] < before[0]


def test_works_of_no_community_keep_their_part_by_plays() -> None:
    # 10 of 100 plays are of an unmatched work: it takes 10 per cent; the communities share the rest equally.
    units = paid("community_weighted", [[80, 10, 10]], [1000], [0, 1, NO_ONE])
    assert units == [450, 450, 100]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=5).filter(any), st.integers(0, 100))
def test_weights_are_the_floor_of_the_exact_power(plays: list[int], hundredths: int) -> None:
    weights, bits = root_weights(np.array(plays), hundredths)
    for w, u in zip(plays, weights.tolist(), strict=True):
        if w == 0:
            assert u == 0
            continue
        power = Fraction(w) ** hundredths
        assert Fraction(u, 2**bits) ** 100 <= power < Fraction(u + 1, 2**bits) ** 100


def test_threshold_by_hand() -> None:
    assert paid("threshold(min_plays=20)", [[20, 19, 60]], [800]) == [200, 0, 600]
    assert paid("threshold(min_plays=100)", [[20, 19, 1]], [800]) == [400, 380, 20]


@given(plays=MATRICES, fee=st.integers(0, 10**9))
def test_weighted_has_pro_rata_and_user_centric_at_its_ends(plays: list[list[int]], fee: int) -> None:
    fees = [fee] * len(plays)
    assert paid("weighted(weight_bps=0)", plays, fees) == paid("pro_rata", plays, fees)
    assert paid("weighted(weight_bps=10000)", plays, fees) == paid("user_centric", plays, fees)


def test_weighted_by_hand() -> None:
    # Halfway between 1600, 300, 100 and 1000, 750, 250.
    assert paid("weighted", HEAVY_AND_LIGHT, [1000, 1000]) == [1300, 525, 175]


def test_written_and_structured_configuration_are_one_rule() -> None:
    structured = RuleConfig.model_validate({"kind": "community_weighted", "strength": 0.5})
    assert RuleConfig.model_validate("community_weighted(strength=0.5)") == structured
    assert make_rule(structured) == make_rule("community_weighted(strength=0.5)")
    royalty = RoyaltyConfig.model_validate({"rule": "pro_rata", "shadow": ["user_centric", {"kind": "pro_rata"}]})
    assert [make_rule(r).name for r in royalty.shadow] == ["user_centric", "pro_rata"]


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("pro_rato", "did you mean pro_rata?"),
        ("community_weighted(power=1)", "no parameter 'power'"),
        ("community_weighted(strength=1.5)", "less than or equal to 1"),
        ("community_weighted(strength=0.123)", "hundredths"),
        ("community_weighted(strength)", "parameter=value"),
        ("pro rata!", "cannot read"),
    ],
)
def test_a_rule_that_cannot_be_made_says_why(written: str, part: str) -> None:
    with pytest.raises(InputError, match="royalty rule") as refusal:
        make_rule(written)
    assert part in refusal.value.what


def test_the_schema_knows_every_rules_parameters_and_no_others() -> None:
    schema = RuleConfig.model_json_schema()
    assert {"kind", "strength", "min_plays", "weight_bps"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False
