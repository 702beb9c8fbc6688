"""A community's jury: who comes, what each perceives, and what comes of the vote.

With c the measured consistency of a piece and b the community's strictness of the day, juror j has the bar
``b + bar_spread * g_j`` for good, comes to a vote with the chance ``attendance``, perceives ``c + noise * e_jv`` in the
vote v, and votes for the piece if that reaches its bar; g and e are standard normal. With n jurors, m of whom came and
k of whom voted for it, the piece is accepted when

    m >= quorum * n   and   m > 0   and   k > majority * m.

A jury without noise and spread that always comes is the measured rule; a large jury with a majority of one half
decides as one juror without noise would (Condorcet). The tests compare with both.

A vote is addressed by (community, juror) and (creator, day), so nobody's vote depends on what else was voted on.
"""

from __future__ import annotations

import numpy as np

from heritage_agents.communities.config import JuryConfig
from heritage_sim.base import Ballot, Keys, Verdict

_SEATS = 1 << 10
_CREATORS = 1 << 32


class Jury:
    """The jury of one community.

    Parameters
    ----------
    config : JuryConfig
        Its size and ways.
    community : int
        Index of the community.
    keys : Keys
        Streams of the replication.
    """

    def __init__(self, config: JuryConfig, community: int, keys: Keys) -> None:
        self._config = config
        self._seats = community * _SEATS + np.arange(config.size, dtype=np.int64)
        self._spread = config.bar_spread * keys.stream("juror", "bar").normals(self._seats, 0, 1)[:, 0]
        self._perceiving = keys.stream("juror", "perception")
        self._coming = keys.stream("juror", "attendance")

    def verdict(self, ballot: Ballot, strictness: float) -> Verdict:
        """Return what the jury says of a piece.

        Parameters
        ----------
        ballot : Ballot
            The piece.
        strictness : float
            The community's strictness of the day.

        Returns
        -------
        Verdict
        """
        config, seats = self._config, self._seats
        votes = seats * _CREATORS + ballot.creator
        came = self._coming.uniform(votes, ballot.day) < config.attendance
        error = config.noise * self._perceiving.normals(votes, ballot.day, 1)[:, 0]
        is_for = came & (ballot.consistency + error >= strictness + self._spread)
        num_came, num_for = int(np.count_nonzero(came)), int(np.count_nonzero(is_for))
        has_quorum = num_came > 0 and num_came >= config.quorum * seats.size
        return Verdict(
            accepted=has_quorum and num_for > config.majority * num_came,
            votes_for=num_for,
            votes_against=num_came - num_for,
            has_quorum=has_quorum,
        )
