"""How listeners are divided into shards, and how what comes out of them is put together again.

Everything that leaves a shard is whole numbers over the same axes (works, payees, days), so sums do not depend on the
number of shards nor on their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np

from heritage_sim.base import DayTally, Sums, Usage


def shard_bounds(num_listeners: int, num_shards: int) -> list[tuple[int, int]]:
    """Return ``(first, stop)`` of each shard: contiguous ranges of listener ids whose sizes differ by at most one.

    Parameters
    ----------
    num_listeners : int
        Listeners of the whole economy, with ids ``0 ... num_listeners - 1``.
    num_shards : int
        Ranges to make, from 1 to ``num_listeners``.

    Returns
    -------
    list of (int, int), length num_shards
        In ascending order; together they hold every listener once.

    Raises
    ------
    ValueError
        If there are fewer listeners than shards, or no shard.
    """
    if not 1 <= num_shards <= num_listeners:
        raise ValueError(f"{num_listeners} listeners cannot be divided into {num_shards} shards")
    return even_bounds(num_listeners, num_shards)


def even_bounds(num: int, num_shards: int) -> list[tuple[int, int]]:
    """Return ``(first, stop)`` of each shard's part of ``0 ... num - 1``; there may be shards without any.

    Listeners are divided so, and by the same rule what further accounts there are, with ids above all listeners'.

    Parameters
    ----------
    num : int
        Whatever is divided, >= 0.
    num_shards : int
        Parts, >= 1.

    Returns
    -------
    list of (int, int), length num_shards
    """
    return list(pairwise([num * i // num_shards for i in range(num_shards + 1)]))


def add_sums(sums: Sequence[Sums]) -> Sums:
    """Return the element-wise sum of the shards' statistics.

    Parameters
    ----------
    sums : sequence of dict
        Statistics of each shard, at least one: the same names, and under a name whole numbers of the same shape.

    Returns
    -------
    dict of str to ndarray of int64
        New arrays of those names and shapes.

    Raises
    ------
    ValueError
        If shards disagree on names or shapes: they were not asked about the same catalogue.
    """
    total = {name: np.array(values, dtype=np.int64) for name, values in sums[0].items()}
    for other in sums[1:]:
        if other.keys() != total.keys():
            raise ValueError(f"shards name their statistics differently: {sorted(total)} and {sorted(other)}")
        for name, values in other.items():
            if values.shape != total[name].shape:
                raise ValueError(f"shards disagree on the shape of {name!r}: {total[name].shape} and {values.shape}")
            total[name] += values
    return total


def add_tallies(tallies: Sequence[DayTally]) -> DayTally:
    """Return the sum of the shards' tallies of a day."""
    names = [field.name for field in fields(DayTally)]
    total = add_sums([{name: getattr(tally, name) for name in names} for tally in tallies])
    return DayTally(**total)


def usage_since(now: Usage, before: Usage, days_before: int) -> Usage:
    """Return what was listened to between two readings of one shard's epoch.

    Parameters
    ----------
    now : Usage
        The later reading.
    before : Usage
        An earlier reading of the same shard since the same `close_epoch`; each of its pairs is in ``now`` too.
    days_before : int
        Days lived in the epoch when it was read. A reading before the first day has a row of zeros for it, as one after
        a day without plays has, so the arrays cannot tell.

    Returns
    -------
    Usage
        Pairs with plays or seconds in between; ``plays_by_day`` holds the days in between (a row of zeros for none).
    """
    width = np.int64(max(now.num_works, 1))
    keys_now = np.repeat(np.arange(now.listener_ids.size), np.diff(now.indptr)) * width + now.work_ids
    keys_before = np.repeat(np.arange(before.listener_ids.size), np.diff(before.indptr)) * width + before.work_ids
    at = np.searchsorted(keys_now, keys_before)
    plays, seconds = now.plays.copy(), now.seconds.copy()
    plays[at] -= before.plays
    seconds[at] -= before.seconds
    kept = (plays > 0) | (seconds > 0)
    row_of = keys_now[kept] // width
    indptr = np.zeros(now.listener_ids.size + 1, dtype=np.int64)
    np.cumsum(np.bincount(row_of, minlength=now.listener_ids.size), out=indptr[1:])
    later = now.plays_by_day[days_before:]
    return Usage(
        epoch=now.epoch,
        num_works=now.num_works,
        listener_ids=now.listener_ids,
        fee_units=now.fee_units - before.fee_units,
        indptr=indptr,
        work_ids=now.work_ids[kept],
        plays=plays[kept],
        seconds=seconds[kept],
        plays_by_day=later if later.shape[0] else np.zeros((1, now.num_works), dtype=np.int64),
        has_listeners=now.has_listeners,
    )
