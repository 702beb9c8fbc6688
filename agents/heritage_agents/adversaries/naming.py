"""Who a ring is and what it does, in a sentence for people: dry runs and reports say the same."""

from __future__ import annotations

from collections.abc import Sequence

from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.config import CommunityConfig, CreatorsConfig


def ring_in_words(ring: AdversariesConfig, creators: CreatorsConfig, communities: Sequence[CommunityConfig]) -> str:
    """Return who is at the centre of a ring, by id and name, and the frauds that are on.

    Parameters
    ----------
    ring : AdversariesConfig
        A ring that is on.
    creators : CreatorsConfig
        How many creators each community has.
    communities : sequence of CommunityConfig
        In community order.

    Returns
    -------
    str
        ``the ring is creator 0 of ...``, without a full stop.

    Raises
    ------
    InputError
        If there is no such creator.
    """
    from heritage_agents.adversaries.sybils import community_of
    from heritage_agents.people import creator_names

    home = communities[community_of(ring.colluder, creators, tuple(communities))].name
    name = creator_names(creators, communities)[ring.colluder]
    doing = []
    if ring.bots:
        doing.append(f"{ring.bots:,} bot accounts")
    if ring.sybils * ring.copies_per_sybil:
        copies = "copy" if ring.copies_per_sybil == 1 else "copies"
        doing.append(f"{ring.sybils:,} further names of {ring.copies_per_sybil:,} {copies} each")
    if ring.false_claims_per_work:
        doing.append(f"false claims on {100.0 * ring.false_claims_per_work:g} % of new derivatives")
    return f"the ring is creator {ring.colluder} of {home} ({name}), with {', '.join(doing)}, from day {ring.start_day}"
