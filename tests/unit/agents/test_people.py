"""Creators follow a multinomial logit of gains; communities guard their terms by their stated rule."""

import json
import math
from collections import Counter
from dataclasses import replace

import mesa
import numpy as np
import pytest
from scipy import stats

from heritage_agents.communities.community import GuardingCommunityPolicy, first_terms
from heritage_agents.config import CommunityConfig, CreatorsConfig
from heritage_agents.creators.creator import LogitCreatorPolicy
from heritage_agents.people import creator_names, make_people
from heritage_sim.base import CommunityView, Consent, CreatorAction, CreatorView, Keys, People

KEYS = Keys(11, 0)
COMMUNITIES = tuple(
    CommunityConfig(name=name, tradition=name, displacement_share=0.25, withdrawal_share=0.6)
    for name in ("Tirtanala", "Quilluma", "Baihe")
)
TERMS = first_terms(COMMUNITIES[0])
VIEW = CreatorView(
    day=0, terms=TERMS, income_units=0, expected_recorded_units=9e6, expected_generated_units=4e6, epochs_left=5.0
)


class Model(mesa.Model):
    def __init__(self):
        super().__init__(rng=1)


def people(config=None):
    return make_people(Model(), config or CreatorsConfig(), COMMUNITIES, KEYS)


def test_choice_frequencies_are_the_logit_of_gains():
    config = CreatorsConfig(base_log_odds=-0.5, horizon_epochs=4.0)
    policy = LogitCreatorPolicy(config, KEYS, 2_000)
    seen = Counter(policy.decide(k, replace(VIEW, day=day)) for day in range(10) for k in range(2_000))
    record = -0.5 + (4.0 * 0.7 * 9e6 - 40e6) / 20e6
    commission = -0.5 + (4.0 * 0.7 * 4e6 - 15e6) / 20e6
    weights = np.exp([0.0, record, commission])
    observed = [seen[action] for action in CreatorAction]
    assert stats.chisquare(observed, 20_000 * weights / weights.sum()).pvalue > 1e-3


def test_what_pays_more_is_done_by_everyone_who_did_it_before():
    """Common random numbers: a better commission moves creators to commissions and nowhere else."""
    policy = LogitCreatorPolicy(CreatorsConfig(base_log_odds=-1.0), KEYS, 500)
    before = [policy.decide(k, VIEW) for k in range(500)]
    after = [policy.decide(k, replace(VIEW, expected_generated_units=12e6)) for k in range(500)]
    moved = {(a, b) for a, b in zip(before, after, strict=True) if a != b}
    assert moved == {
        (CreatorAction.REST, CreatorAction.COMMISSION),
        (CreatorAction.RECORD, CreatorAction.COMMISSION),
    }


def test_decisions_do_not_depend_on_who_was_asked_before():
    one, other = (LogitCreatorPolicy(CreatorsConfig(base_log_odds=0.0), KEYS, n) for n in (40, 7))
    views = [replace(VIEW, day=day) for day in (3, 4, 3)]
    expected = [[one.decide(k, view) for k in range(40)] for view in views]
    backwards = [[other.decide(k, view) for k in reversed(range(40))][::-1] for view in reversed(views)][::-1]
    assert expected == backwards


@pytest.mark.parametrize(
    ("withheld", "never"),
    [(Consent.DERIVE, CreatorAction.COMMISSION), (Consent.PERFORM, CreatorAction.RECORD)],
)
def test_a_use_without_consent_is_no_alternative(withheld, never):
    policy = LogitCreatorPolicy(CreatorsConfig(base_log_odds=5.0), KEYS, 300)
    terms = replace(TERMS, consent=Consent.ALL & ~withheld)
    actions = [policy.decide(k, replace(VIEW, terms=terms)) for k in range(300)]
    assert never not in actions
    assert len(set(actions)) == 2


def test_belief_closes_its_share_of_the_gap_each_day():
    config = CreatorsConfig(expected_units_per_epoch=10_000_000, belief_rate=0.2)
    creator = people(config).creators[0]
    for day in range(5):
        creator.decide(replace(VIEW, day=day, expected_recorded_units=4e6, expected_generated_units=math.nan))
    assert creator.believed_recorded_units == pytest.approx(4e6 + 6e6 * 0.8**5)
    assert creator.believed_generated_units == 10_000_000  # no such work yet: nothing learnt


def test_works_that_earned_nothing_lower_the_belief_about_them():
    creator = people(CreatorsConfig(expected_units_per_epoch=10_000_000, belief_rate=0.2)).creators[0]
    for day in range(5):
        creator.decide(replace(VIEW, day=day, expected_recorded_units=math.nan, expected_generated_units=0.0))
    assert creator.believed_generated_units == pytest.approx(10e6 * 0.8**5)
    assert creator.believed_recorded_units == 10_000_000


def test_low_income_silences_creators():
    def active(units):
        mine = people(CreatorsConfig(base_log_odds=-2.0))
        views = [replace(VIEW, expected_recorded_units=units, expected_generated_units=units)] * 60
        return sum(
            a != CreatorAction.REST for day in range(60) for a in mine.decide_all([replace(v, day=day) for v in views])
        )

    assert active(0.5e6) < active(10e6) < active(30e6)


def view(income, previous, generated, terms=TERMS, plays=1_000):
    return CommunityView(
        epoch=3,
        terms=terms,
        income_units=income,
        previous_income_units=previous,
        plays=plays,
        generated_plays=round(generated * plays),
    )


GUARD = GuardingCommunityPolicy(COMMUNITIES)
STRICT = replace(TERMS, strictness=0.5, share_bps=4_000, consent=Consent.ALL & ~Consent.DERIVE)


@pytest.mark.parametrize(
    ("seen", "strictness", "share_bps", "derive"),
    [
        pytest.param(view(0, 0, 0.9), 0.3, 3_000, True, id="nothing settled yet"),
        pytest.param(view(50, 100, 0.1), 0.3, 3_000, True, id="loss that is not put down to generated works"),
        pytest.param(view(99, 100, 0.9), 0.3, 3_000, True, id="fall within tolerance"),
        pytest.param(view(90, 100, 0.4), 0.35, 3_500, True, id="displaced"),
        pytest.param(view(90, 100, 0.7), 0.35, 3_500, False, id="displaced for the most part"),
        pytest.param(view(100, 100, 0.4, STRICT), 0.45, 3_500, False, id="recovering, still many generated"),
        pytest.param(view(100, 100, 0.1, STRICT), 0.45, 3_500, True, id="recovered"),
        pytest.param(
            view(90, 100, 0.7, replace(STRICT, strictness=0.9, share_bps=6_000)), 0.9, 6_000, False, id="at the bounds"
        ),
    ],
)
def test_terms_follow_the_stated_rule(seen, strictness, share_bps, derive):
    terms = GUARD.terms(0, seen)
    assert math.isclose(terms.strictness, strictness)
    assert terms.share_bps == share_bps
    assert bool(terms.consent & Consent.DERIVE) is derive
    assert terms.consent & Consent.PERFORM


def test_consent_that_was_never_given_is_not_given_by_the_rule():
    closed = CommunityConfig(name="Baihe", tradition="x", consent=("perform",))
    terms = GuardingCommunityPolicy((closed,)).terms(0, view(100, 100, 0.0, first_terms(closed)))
    assert terms.consent == Consent.PERFORM


def test_terms_above_the_bounds_at_the_start_stay():
    closed = CommunityConfig(name="Baihe", tradition="x", strictness=0.95, share_bps=9_000)
    guard = GuardingCommunityPolicy((closed,))
    for seen in (view(90, 100, 0.7, first_terms(closed)), view(100, 100, 0.0, first_terms(closed))):
        terms = guard.terms(0, seen)
        assert (terms.strictness, terms.share_bps) == (0.95, 9_000)


def test_snapshot_carries_on_as_before():
    one, other = people(CreatorsConfig(base_log_odds=-1.0)), people(CreatorsConfig(base_log_odds=-1.0))
    one.set_terms([view(50, 100, 0.9)] * 3)
    one.decide_all([VIEW] * 60)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert other.terms == one.terms
    later = [replace(VIEW, day=9, terms=one.terms[0], expected_recorded_units=2e7)] * 60
    assert one.decide_all(later) == other.decide_all(later)
    assert one.snapshot() == other.snapshot()


def test_people_are_numbered_community_by_community():
    made = people()
    assert isinstance(made, People)
    assert made.creator_community.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert [c.creator_id for c in made.creators] == list(range(60))
    names = creator_names(CreatorsConfig(), COMMUNITIES)
    assert len(set(names)) == 60
    assert names[20].startswith("Quilluma")
