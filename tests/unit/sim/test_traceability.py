"""Which money is traceable: small registries worked out by hand, and brute force over single units."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import COMMUNITIES, lived

from heritage_sim.base import NO_ONE, Consent, ConsentLabel, Origin
from heritage_sim.money.traceability import Chains, traceable_units, uses_at, whole_chains

ALL, NONE = int(Consent.ALL), 0
PLAY = int(Consent.PERFORM | Consent.SELL)


def chains(parents, community=None, published=None, registered=None, uses=None, needed=Consent.DERIVE, sources=None):
    """Works with at most two parents each, those without any sources if nothing else is said; times in seconds."""
    n = len(parents)
    rows = np.full((n, 2), NO_ONE)
    for work, own in enumerate(parents):
        rows[work, : len(own)] = own
    return Chains(
        registered=np.array([True] * n if registered is None else registered),
        community=np.array([0] * n if community is None else community),
        uses=np.array([ALL] * n if uses is None else uses),
        parents=rows,
        published_s=np.array([0] * n if published is None else published, dtype=np.int64),
        needed=np.broadcast_to(np.asarray(needed, dtype=np.int64), (n, 2)),
        is_source=np.array([not own for own in parents]) if sources is None else np.isin(np.arange(n), sources),
    )


def traced(works, labels, used_s=(100,)):
    """Return which works' money is traceable: each earns a power of two on the first day."""
    n = works.registered.size
    units = np.zeros((n, len(used_s)), dtype=np.int64)
    units[:, 0] = 2 ** np.arange(n)
    total = traceable_units(units, works, labels, used_s)
    return [work for work in range(n) if total >> work & 1]


def test_everything_is_traceable_where_all_is_registered_and_permitted():
    assert traced(chains([[], [0], [0, 1]]), []) == [0, 1, 2]


def test_a_chain_breaks_at_a_work_that_is_not_registered_and_all_that_follow_from_it_break_with_it():
    registered = [True, False, True, True, True]
    assert traced(chains([[], [0], [1], [2, 0], [0]], registered=registered), []) == [0, 4]


def test_money_of_a_day_without_consent_to_perform_or_to_sell_is_not_traceable():
    works = chains([[], []], community=[0, 1])
    for missing in (Consent.PERFORM, Consent.SELL):
        labels = [(0, ConsentLabel(0, ALL)), (50, ConsentLabel(0, int(Consent.ALL & ~missing)))]
        assert traced(works, labels, used_s=(100,)) == [1]
        assert traced(works, labels, used_s=(49,)) == [0, 1]


def test_consent_withdrawn_after_publication_leaves_what_was_derived_before():
    works = chains([[], [0], [0]], published=[0, 40, 60])
    labels = [(50, ConsentLabel(0, ALL & ~int(Consent.DERIVE)))]
    assert traced(works, labels) == [0, 1]
    assert traced(works, [*labels, (55, ConsentLabel(0, ALL))]) == [0, 1, 2]


def test_a_recording_needs_consent_to_perform_its_source_and_none_to_derive():
    labels = [(0, ConsentLabel(0, PLAY))]
    assert traced(chains([[], [0]]), labels) == [0]
    assert traced(chains([[], [0]], needed=Consent.PERFORM), labels) == [0, 1]


def test_what_is_no_source_and_names_none_is_not_traceable_nor_is_what_derives_from_it():
    works = chains([[], [], [1], [0]], sources=[0])
    assert traced(works, []) == [0, 3]


def test_each_parent_is_asked_for_what_its_own_use_needed():
    outside = int(Consent.DERIVE | Consent.OUTSIDE)
    labels = [(0, ConsentLabel(1, ALL & ~int(Consent.OUTSIDE)))]
    for needed, expected in (((outside, Consent.DERIVE), [0, 1, 2]), ((Consent.DERIVE, outside), [0, 1])):
        works = chains([[], [], [0, 1]], community=[0, 1, 0], needed=np.array(needed, dtype=np.int64))
        assert traced(works, labels) == expected


def test_a_label_that_has_expired_permits_nothing():
    works = chains([[]])
    labels = [(0, ConsentLabel(0, ALL, expires_s=80))]
    assert traced(works, labels, used_s=(79,)) == [0]
    assert traced(works, labels, used_s=(80,)) == []


def test_a_works_own_label_stands_in_place_of_its_record_and_its_communitys_narrows_it():
    works = chains([[], []], uses=[NONE, PLAY])
    assert traced(works, []) == [1]
    assert traced(works, [(10, ConsentLabel(0, ALL, work_id=0))]) == [0, 1]
    assert traced(works, [(10, ConsentLabel(0, ALL, work_id=0)), (20, ConsentLabel(0, NONE))]) == []


labels_of = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(0, 1), st.integers(0, 31), st.integers(-1, 3), st.sampled_from([0, 5, 15])
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(labels_of, st.lists(st.integers(0, 31), min_size=4, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_it_agrees_with_asking_for_every_work_and_moment_alone(rows, uses, registered):
    labels = [(s, ConsentLabel(c, u, w, e)) for s, c, u, w, e in sorted(rows, key=lambda row: row[0])]
    parents, community, published = [[], [], [0, 1], [2]], [0, 1, 0, 1], [0, 3, 6, 9]
    works = chains(parents, community, published, registered, uses)

    def permitted(work, at_s):
        own, shared = uses[work], ALL
        for put_s, label in labels:
            if put_s <= at_s and label.community == community[work]:
                now = 0 if label.expires_s and at_s >= label.expires_s else label.uses
                if label.work_id == NO_ONE:
                    shared = now
                elif label.work_id == work:
                    own = now
        return own & shared

    def whole(work):
        return registered[work] and all(
            permitted(p, published[work]) & Consent.DERIVE and whole(p) for p in parents[work]
        )

    moments = np.arange(21)
    for work in range(4):
        theirs = uses_at(works, labels, np.full(21, work), moments).tolist()
        assert theirs == [permitted(work, at_s) for at_s in moments.tolist()]
    assert whole_chains(works, labels).tolist() == [bool(whole(work)) for work in range(4)]
    units = np.arange(1, 85).reshape(4, 21)
    expected = sum(
        int(units[work, t]) for work in range(4) for t in range(21) if whole(work) and permitted(work, t) & PLAY == PLAY
    )
    assert traceable_units(units, works, labels, moments.tolist()) == expected


# ---- in the economy ------------------------------------------------------------------------------------------------


def share(economy):
    return next(o.value for o in economy.results().outcomes if o.name == "traceable_money_share")


def test_money_of_a_community_that_consents_to_no_sale_is_played_and_not_traceable():
    closed = (COMMUNITIES[0].model_copy(update={"consent": ("train", "derive", "perform")}), *COMMUNITIES[1:])
    economy = lived(days=14, communities=closed)
    works = economy.results().tables["works"]
    theirs = works["earned_units"][works["community"] == 0].sum()
    assert theirs > 0
    assert share(economy) == pytest.approx(100 * (1 - theirs / works["earned_units"].sum()))


def test_consent_to_derive_withdrawn_during_the_run_leaves_earlier_derivatives_traceable():
    """Communities withdraw at the first fall of income; nothing is derived without consent, so all stays traceable."""
    guarded = tuple(
        c.model_copy(update={"withdrawal_share": 0.0, "displacement_share": 0.0, "income_tolerance": 0.0})
        for c in COMMUNITIES
    )
    economy = lived(days=28, communities=guarded)
    withdrawn = [label for _, label in economy.treasury.labels if not label.uses & Consent.DERIVE]
    assert withdrawn
    assert (economy.catalogue.origin == Origin.GENERATED).any()
    assert share(economy) == 100.0


def test_labels_are_put_down_when_consent_changes_and_only_then():
    economy = lived(days=28)
    labels = economy.treasury.labels
    assert [label.community for _, label in labels[: len(COMMUNITIES)]] == list(range(len(COMMUNITIES)))
    for community in range(len(COMMUNITIES)):
        mine = [label.uses for _, label in labels if label.community == community]
        assert all(a != b for a, b in pairwise(mine))
    starts = {economy.config.calendar.start_of(day) for day in range(0, 28, 7)}
    assert {at_s for at_s, _ in labels} <= starts
