"""Communities: what they keep closed, how their juries vote, and what they change on a stated day. Costs 2 s."""

import math
from dataclasses import replace
from itertools import combinations

import mesa
import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from heritage_agents.communities.community import Community, GuardingCommunityPolicy, first_terms
from heritage_agents.communities.jury import Jury
from heritage_agents.communities.repertoire import archive_uses
from heritage_agents.config import CommunityConfig, JuryConfig
from heritage_sim.base import Ballot, CommunityView, Consent, Keys, Verdict

KEYS = Keys(11, 0)
BALLOTS = [Ballot(0, creator, day, 0.0) for day in range(20) for creator in range(50)]


def community(**changes):
    return CommunityConfig(name="Tirtanala", tradition="x", **changes)


# What is closed for good.


def closed(use, **shares):
    own = np.repeat([0, 1], [200, 50]).astype(np.int32)
    uses = archive_uses((community(**shares), community()), own, KEYS)
    return np.flatnonzero((uses & int(use)) == 0)


@pytest.mark.parametrize(("share", "num"), [(0.0, 0), (0.1, 20), (0.126, 25), (1.0, 200)])
def test_the_stated_share_of_a_communitys_works_is_closed_to_the_nearest_work(share, num):
    works = closed(Consent.DERIVE, never_derived_share=share)
    assert works.size == num
    assert (works < 200).all()
    assert closed(Consent.PERFORM, never_derived_share=share).size == 0


def test_a_larger_share_opens_no_work_and_the_two_uses_overlap_as_far_as_they_can():
    few, many = (set(closed(Consent.DERIVE, never_derived_share=s).tolist()) for s in (0.2, 0.4))
    silent = set(closed(Consent.PERFORM, never_derived_share=0.4, never_performed_share=0.1).tolist())
    assert silent < few < many


def test_which_works_are_closed_is_drawn_anew_in_each_replication_and_not_by_their_order():
    own = np.zeros(400, dtype=np.int32)
    config = (community(never_derived_share=0.5),)
    one, two = ((archive_uses(config, own, Keys(11, r)) & int(Consent.DERIVE)) == 0 for r in (0, 1))
    assert 150 < np.count_nonzero(one ^ two) < 250
    assert 75 < np.count_nonzero(one[:200]) < 125


# Juries.


def judged(consistency, strictness=0.5, ballots=BALLOTS, number=0, **config):
    jury = Jury(JuryConfig(**config), number, KEYS)
    return [jury.verdict(replace(ballot, consistency=consistency), strictness) for ballot in ballots]


@pytest.mark.parametrize(("consistency", "accepted"), [(0.49, False), (0.5, True), (0.7, True)])
def test_jurors_who_see_exactly_and_agree_on_the_bar_are_the_measured_rule(consistency, accepted):
    exact = {"size": 7, "noise": 0.0, "bar_spread": 0.0, "attendance": 1.0}
    votes = (7, 0) if accepted else (0, 7)
    assert set(judged(consistency, **exact)) == {Verdict(accepted, *votes, True)}


def test_votes_for_a_piece_are_binomial_in_the_chance_that_noise_lifts_it_over_the_bar():
    verdicts = judged(0.55, size=9, noise=0.1, bar_spread=0.0, attendance=1.0)
    p = stats.norm.cdf((0.55 - 0.5) / 0.1)
    seen = np.bincount([v.votes_for for v in verdicts], minlength=10)
    expected = 1_000 * stats.binom.pmf(np.arange(10), 9, p)
    kept = expected > 5
    few = np.append(seen[kept], seen[~kept].sum()), np.append(expected[kept], expected[~kept].sum())
    assert stats.chisquare(*few).pvalue > 1e-3
    # Accepted with five or more of nine: Condorcet's jury theorem, above the chance of one juror.
    share = np.mean([v.accepted for v in verdicts])
    assert share == pytest.approx(stats.binom.sf(4, 9, p), abs=0.04)
    assert share > p


def test_bars_of_ones_own_split_juries_that_see_exactly():
    verdicts = set(judged(0.5, size=101, noise=0.0, bar_spread=0.2, attendance=1.0))
    assert len(verdicts) == 1  # a juror keeps its bar from vote to vote
    (verdict,) = verdicts
    assert 30 < verdict.votes_for < 71


def test_a_vote_without_a_quorum_accepts_nothing_and_nobody_is_no_quorum():
    many = judged(1.0, size=10, noise=0.0, bar_spread=0.0, attendance=0.4, quorum=0.6)
    came = np.array([v.votes_for + v.votes_against for v in many])
    for verdict, num in zip(many, came.tolist(), strict=True):
        assert verdict.has_quorum == verdict.accepted == (num >= 6)
    assert came.mean() == pytest.approx(4.0, abs=0.2)
    assert set(judged(1.0, size=5, attendance=0.0, quorum=0.0)) == {Verdict(False, 0, 0, False)}


def test_a_majority_must_be_exceeded():
    even = {"size": 2, "noise": 1e-3, "bar_spread": 0.3, "attendance": 1.0}
    split = next(n for n in range(50) if judged(0.5, number=n, ballots=BALLOTS[:1], **even)[0].votes_for == 1)
    assert not judged(0.5, number=split, ballots=BALLOTS[:1], majority=0.5, **even)[0].accepted
    assert judged(0.5, number=split, ballots=BALLOTS[:1], majority=0.49, **even)[0].accepted


def test_votes_do_not_hang_together_between_pieces_jurors_or_communities():
    """Each pair of votes agrees as often as two coins do."""
    coins = {"size": 1, "noise": 1.0, "bar_spread": 0.0, "attendance": 1.0}
    rows = [[v.votes_for for v in judged(0.5, number=n, **coins)] for n in range(3)]
    by_creator = np.reshape(rows[0], (20, 50))
    rows += [by_creator.T.ravel(), np.roll(by_creator, 1, axis=1).ravel(), np.roll(by_creator, 1, axis=0).ravel()]
    for a, b in combinations(rows, 2):
        assert abs(np.mean(np.equal(a, b)) - 0.5) < 4 * 0.5 / math.sqrt(1_000)


def test_a_stricter_community_loses_votes_and_gains_none():
    loose, strict = (judged(0.5, strictness=s, size=9) for s in (0.45, 0.55))
    assert all(a.votes_for >= b.votes_for for a, b in zip(loose, strict, strict=True))
    assert sum(a.votes_for > b.votes_for for a, b in zip(loose, strict, strict=True)) > 500


# Consent that changes on a day.

WITHDRAWS = community(
    consent_changes=[
        {"day": 10, "withdraw": ["derive"]},
        {"day": 30, "withdraw": ["sell"], "grant": ["derive", "outside"]},
    ]
)


class Model(mesa.Model):
    def __init__(self):
        super().__init__(rng=1)


def agent(config):
    return Community(Model(), 0, GuardingCommunityPolicy((config,)), config, KEYS)


def view(day, terms, income=100, generated=0):
    return CommunityView(3, terms, income, 100, 1_000, generated, day)


@pytest.mark.parametrize(
    ("day", "names"),
    [(9, "TRAIN DERIVE PERFORM SELL"), (10, "TRAIN PERFORM SELL"), (30, "TRAIN DERIVE PERFORM OUTSIDE")],
)
def test_consent_that_stands_on_a_day_is_the_first_with_all_changes_up_to_it(day, names):
    expected = Consent.NONE
    for name in names.split():
        expected |= Consent[name]
    assert WITHDRAWS.consent_on(day) == expected


def test_a_change_comes_on_its_day_and_on_no_other():
    made = agent(WITHDRAWS)
    changed = [day for day in range(40) if made.change_consent(day)]
    assert changed == [10, 30]
    assert made.terms.consent == WITHDRAWS.consent_on(30)


def test_the_rule_does_not_give_back_what_the_scenario_withdrew():
    made = agent(WITHDRAWS)
    made.change_consent(10)
    assert not made.set_terms(view(14, made.terms)).consent & Consent.DERIVE
    made.change_consent(30)
    assert made.set_terms(view(35, made.terms)).consent & Consent.DERIVE


def test_the_rule_may_withdraw_more_and_give_that_back():
    made = agent(community(consent_changes=[{"day": 10, "withdraw": ["train"]}]))
    made.change_consent(10)
    assert not made.set_terms(view(14, made.terms, income=50, generated=900)).consent & Consent.DERIVE
    assert made.set_terms(view(21, made.terms)).consent == Consent.DERIVE | Consent.PERFORM | Consent.SELL


def test_consent_survives_a_snapshot():
    made, other = agent(WITHDRAWS), agent(WITHDRAWS)
    made.change_consent(10)
    other.restore(made.snapshot())
    assert other.terms == made.terms != first_terms(WITHDRAWS)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([{"day": 5}], "must withdraw or grant"),
        ([{"day": 5, "withdraw": ["derive"], "grant": ["derive"]}], "cannot both withdraw and grant: derive"),
        ([{"day": 9, "grant": ["sell"]}, {"day": 5, "grant": ["derive"]}], "order of their days"),
        ([{"day": 5, "grant": ["sell"]}, {"day": 5, "grant": ["derive"]}], "one a day"),
        ([{"day": 0, "grant": ["sell"]}], "greater than or equal to 1"),
    ],
)
def test_changes_that_say_nothing_or_contradict_are_refused(changes, told):
    with pytest.raises(ValidationError, match=told):
        community(consent_changes=changes)
