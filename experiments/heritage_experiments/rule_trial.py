"""A rule of the user's own, tried on an epoch small enough to work out on paper, before anything is run.

Three works of two communities, three listeners in two shards, one of whom played nothing; then an epoch in which nobody
played. What fails here would have failed in the middle of a run.
"""

from __future__ import annotations

import numpy as np

from heritage_sim.base import Rights, RoyaltyRule, Statement, Usage, sum_exactly
from heritage_sim.royalty import settle_usage

FEES = (7_000_003, 3_500_000, 7_000_000)
"""What the three listeners pay, in the token's smallest unit; no round number, so that something must be rounded."""


class TrialFailed(Exception):  # noqa: N818 (what happened, told to the user by who asked for the trial)
    """The statement is not what a royalty rule promises; the message says how."""


def try_rule(rule: RoyaltyRule) -> None:
    """Settle two small epochs by a rule.

    Parameters
    ----------
    rule : RoyaltyRule
        The rule. Whatever it raises is passed on.

    Raises
    ------
    TrialFailed
        If what it returns is no statement of whole numbers that sum to the pool.
    """
    try_epoch(rule, plays=((5, 0, 2), (0, 1, 0), (0, 0, 0)))


def try_silence(rule: RoyaltyRule) -> None:
    """Settle an epoch without plays by a rule; as `try_rule`."""
    try_epoch(rule, plays=((0, 0, 0),) * 3)


def try_epoch(rule: RoyaltyRule, plays: tuple[tuple[int, ...], ...]) -> None:
    """Settle one epoch of three listeners (rows) and three works by a rule, and check the statement."""
    dense = np.array(plays, dtype=np.int64)
    made = settle_usage(rule, [_usage(dense[:1], 0), _usage(dense[1:], 1)], _rights(), None)
    if not isinstance(made, Statement):
        raise TrialFailed(f"settle returned {type(made).__name__}, not a Statement")
    for what, units, size in (("payee_units", made.payee_units, 4), ("work_units", made.work_units, 3)):
        if not isinstance(units, np.ndarray) or units.shape != (size,):
            raise TrialFailed(f"{what} must be an array of shape ({size},), one number each")
        if units.dtype.kind != "i" or (units < 0).any():
            raise TrialFailed(f"{what} must be whole numbers from 0: money is counted in smallest units")
        if sum_exactly(units) != sum(FEES):
            raise TrialFailed(f"{what} sum to {sum_exactly(units)}, and the pool is {sum(FEES)}")


def _usage(plays: np.ndarray, first: int) -> Usage:
    num_listeners, num_works = plays.shape
    rows, works = np.nonzero(plays)
    return Usage(
        epoch=0,
        num_works=num_works,
        listener_ids=np.arange(first, first + num_listeners, dtype=np.int64),
        fee_units=np.array(FEES[first : first + num_listeners], dtype=np.int64),
        indptr=np.searchsorted(rows, np.arange(num_listeners + 1)).astype(np.int64),
        work_ids=works.astype(np.int32),
        plays=plays[rows, works],
        seconds=plays[rows, works] * 60,
        plays_by_day=plays.sum(axis=0)[None, :],
    )


def _rights() -> Rights:
    # Payees 0 and 1 are the funds of two communities, 2 and 3 a creator of each; work 0 is an archive work.
    return Rights(
        payee_names=("fund 0", "fund 1", "creator 0", "creator 1"),
        payee_community=np.array([0, 1, 0, 1], dtype=np.int32),
        work_community=np.array([0, 0, 1], dtype=np.int32),
        indptr=np.array([0, 1, 3, 5], dtype=np.int64),
        payee_ids=np.array([0, 0, 2, 1, 3], dtype=np.int32),
        share_bps=np.array([10_000, 3_000, 7_000, 3_000, 7_000], dtype=np.int64),
        consent=np.full(3, 15, dtype=np.int16),
    )
