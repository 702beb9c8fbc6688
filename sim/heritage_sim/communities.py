"""How the communities fared: their terms and their practising bearers after every settled epoch, and over the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import CommunityTerms, Consent, Outcome, State

Float64 = npt.NDArray[np.float64]
NAN = float("nan")


class CommunityLog:
    """Terms and bearers at the start and after each settled epoch.

    Parameters
    ----------
    num_communities : int
        Number of communities.

    Attributes
    ----------
    bearers : list of ndarray of float64, each of shape (num_communities,)
        Practising bearers; NaN where none are modelled.
    terms : list of tuple of CommunityTerms, each of length num_communities
        Terms in force.
    """

    def __init__(self, num_communities: int) -> None:
        self._num_communities = num_communities
        self.bearers: list[Float64] = []
        self.terms: list[tuple[CommunityTerms, ...]] = []

    def settled(self, terms: Sequence[CommunityTerms], bearers: Float64 | None) -> None:
        """Take down how things stand now."""
        self.terms.append(tuple(terms))
        self.bearers.append(np.full(self._num_communities, NAN) if bearers is None else bearers.copy())

    def table(self) -> dict[str, npt.NDArray[Any]]:
        """Return one row for each moment and community; ``settled_epochs`` 0 is the start.

        Terms are those in force at the end of the epoch; ``may_<use>`` says what they permit.
        """
        num_moments, n = len(self.terms), self._num_communities
        rows = [terms for moment in self.terms for terms in moment]
        uses = (Consent.TRAIN, Consent.DERIVE, Consent.PERFORM, Consent.SELL, Consent.OUTSIDE)
        return {
            "settled_epochs": np.repeat(np.arange(num_moments, dtype=np.int32), n),
            "community": np.tile(np.arange(n, dtype=np.int32), num_moments),
            **{
                f"may_{use.name}".lower(): np.array([bool(t.consent & use) for t in rows], dtype=np.bool_)
                for use in uses
            },
            "strictness": np.array([t.strictness for t in rows], dtype=np.float64),
            "share_bps": np.array([t.share_bps for t in rows], dtype=np.int64),
            "bearers": np.concatenate([*self.bearers, np.zeros(0)]),
        }

    def snapshot(self) -> State:
        """Return all rows."""
        return {
            "bearers": [row.copy() for row in self.bearers],
            "terms": [[(int(t.consent), t.strictness, t.share_bps) for t in moment] for moment in self.terms],
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.bearers = [np.array(row, dtype=np.float64) for row in state["bearers"]]
        self.terms = [
            tuple(CommunityTerms(Consent(int(c)), float(s), int(b)) for c, s, b in moment) for moment in state["terms"]
        ]


def community_outcomes(log: CommunityLog, num_communities: int) -> Iterator[Outcome]:
    """Yield how far derivation was consented to, the bearers at the end, and their change over the run.

    Parameters
    ----------
    log : CommunityLog
        From the start to the last settled epoch; an empty one stands for a run that was not lived.
    num_communities : int
        Number of communities.

    Yields
    ------
    Outcome
        Bearers of each community, and of all together; NaN where none are modelled. Beside the change of the whole
        stands the worst community's: bearers of one tradition do not make up for those of another.
    """
    may_derive = [bool(terms.consent & Consent.DERIVE) for moment in log.terms[1:] for terms in moment]
    share = 100.0 * sum(may_derive) / len(may_derive) if may_derive else NAN
    yield Outcome("consent_to_derive_share", share, "%", len(may_derive))
    unknown = np.full(num_communities, NAN)
    first, last = (log.bearers[0], log.bearers[-1]) if log.bearers else (unknown, unknown)
    change = 100.0 * (last - first) / first
    for i in range(num_communities):
        yield Outcome(f"bearers_community_{i}", float(last[i]), "persons", 1)
    for i in range(num_communities):
        yield Outcome(f"bearers_change_community_{i}", float(change[i]), "%", 1)
    total = float(100.0 * (last.sum() - first.sum()) / first.sum()) if num_communities else NAN
    yield Outcome("bearers_total_change", total, "%", num_communities)
    yield Outcome("bearers_worst_change", float(change.min()) if num_communities else NAN, "%", num_communities)
