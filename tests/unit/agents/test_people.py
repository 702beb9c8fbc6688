"""People are numbered, put down and taken up; communities guard their terms by their stated rule."""

import math
from dataclasses import replace

import mesa
import numpy as np
import pytest

from heritage_agents.communities.community import GuardingCommunityPolicy, first_terms
from heritage_agents.config import CommunityConfig, CreatorsConfig
from heritage_agents.people import creator_names, make_people
from heritage_sim.base import CommunityView, Consent, Keys, People

KEYS = Keys(11, 0)
COMMUNITIES = tuple(
    CommunityConfig(name=name, tradition=name, displacement_share=0.25, withdrawal_share=0.6)
    for name in ("Tirtanala", "Quilluma", "Baihe")
)
TERMS = first_terms(COMMUNITIES[0])


class Model(mesa.Model):
    def __init__(self):
        super().__init__(rng=1)


def people(config=None):
    return make_people(Model(), config or CreatorsConfig(), COMMUNITIES, KEYS)


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
        pytest.param(replace(view(0, 100, 0.9), epoch=1), 0.3, 3_000, True, id="one epoch settled yet"),
        pytest.param(view(10, 0, 0.1, STRICT), 0.45, 3_500, True, id="income after an epoch of none is no loss"),
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
    one, other = people(), people()
    one.set_terms([view(50, 100, 0.9)] * 3)
    other.restore(one.snapshot())
    assert other.terms == one.terms
    assert one.set_terms([view(60, 100, 0.9)] * 3) == other.set_terms([view(60, 100, 0.9)] * 3)
    np.testing.assert_equal(one.snapshot(), other.snapshot())


def test_people_are_numbered_community_by_community():
    made = people()
    assert isinstance(made, People)
    assert made.creator_community.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert [c.creator_id for c in made.creators] == list(range(60))
    names = creator_names(CreatorsConfig(), COMMUNITIES)
    assert len(set(names)) == 60
    assert names[20].startswith("Quilluma")
