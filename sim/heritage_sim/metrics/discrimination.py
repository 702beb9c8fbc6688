"""How well a score tells apart: area under the ROC curve, and concordance with censored times.

The area is the chance that a positive scores higher than a negative, ties counting half. With mid-ranks R,

    AUC = (sum_{positive} R_i - n_1 (n_1 + 1) / 2) / (n_1 n_0).

Harrell's concordance is the same chance over pairs of which it is known who ended first: (i, j) with i ended at t_i,
and j there longer (or censored at that very time). Pairs are counted in ``O(n log n)``: rows are put in order of time,
and how many earlier places hold a smaller score is found bit by bit of the score's rank. At each bit, rows lie grouped
by the bits above; one with a 1 exceeds every row of its group with a 0, so a running count of zeros before its time
gives its part; then each group is split by the bit, keeping the order of time.

Both intervals come from each row's influence, summed over the rows of one owner first.

References
----------
DeLong, DeLong, Clarke-Pearson, "Comparing the areas under two or more correlated ROC curves", Biometrics 44, 1988.
Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53, 1997. Harrell et al., "Evaluating the
yield of medical tests", JAMA 247, 1982. Therneau and Watson, "The concordance statistic and the Cox model", 2017.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.measure import NAN, Measure, Z, clustered_error

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def midranks(values: npt.ArrayLike) -> Floats:
    """Return the rank of each value from 1, those that tie sharing the mean of theirs, shape ``(n,)``."""
    x = np.asarray(values)
    _, at, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - 0.5 * (count - 1))[at].astype(np.float64)


def roc_auc(
    score: npt.ArrayLike, positive: npt.ArrayLike, cluster: npt.ArrayLike | None = None, per: str = "impression"
) -> Measure:
    """Return the area under the ROC curve, beside one half (chance); NaN where all are of one kind.

    Parameters
    ----------
    score : array_like of float, shape (n,)
        Higher is said to be more likely positive.
    positive : array_like of bool, shape (n,)
        What came.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    s, yes = np.asarray(score), np.asarray(positive, dtype=np.bool_)
    ones, zeros = int(yes.sum()), int((~yes).sum())
    if ones == 0 or zeros == 0:
        return Measure(NAN, "1", per, int(s.size), baseline=0.5, against="chance")
    rank = midranks(s)
    value = float((rank[yes].sum() - ones * (ones + 1) / 2.0) / (ones * zeros))
    # Rank among all less rank among one's own kind: how many of the other kind lie below, ties half.
    influence = np.empty(s.size)
    influence[yes] = ((rank[yes] - midranks(s[yes])) / zeros - value) / ones
    influence[~yes] = (1.0 - (rank[~yes] - midranks(s[~yes])) / ones - value) / zeros
    half = Z * clustered_error(influence, None if cluster is None else np.asarray(cluster))
    return Measure(value, "1", per, int(s.size), value - half, value + half, 0.5, "chance")


def dwell_auc(
    score: npt.ArrayLike, dwell_s: npt.ArrayLike, least_s: float | None = None, cluster: npt.ArrayLike | None = None
) -> Measure:
    """Return the area by which a recommender's score tells long plays from short ones (unit of analysis: the play).

    Parameters
    ----------
    score : array_like of float, shape (n,)
        Recommender's score of each play, best of plays of works that its listener had not heard before.
    dwell_s : array_like of float, shape (n,)
        How long each lasted [s].
    least_s : float, optional
        A play is long from here on [s]; by default where it exceeds the median.
    cluster : array_like, shape (n,), optional
        Listener of each.

    Returns
    -------
    Measure
    """
    dwell: Floats = np.asarray(dwell_s, dtype=np.float64)
    if dwell.size == 0:
        return Measure(NAN, "1", "play", 0, baseline=0.5, against="chance")
    long = dwell > np.median(dwell) if least_s is None else dwell >= least_s
    return roc_auc(score, long, cluster, per="play")


def concordance(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    per: str = "session",
) -> Measure:
    """Return Harrell's concordance of a risk with who ended first, beside one half (chance).

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    risk : array_like of float, shape (n,)
        Higher is said to end earlier; equal risks count half.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    t, ended = np.asarray(durations, dtype=np.float64), np.asarray(event, dtype=np.bool_)
    # Who is censored at the time of an event was there longer.
    moment = np.unique(2 * np.unique(t, return_inverse=True)[1] + ~ended, return_inverse=True)[1]
    rank = np.unique(np.asarray(risk), return_inverse=True)[1]
    everybody = np.ones(t.size, dtype=np.bool_)
    right, tied, pairs = _smaller_before(-moment, rank, everybody)
    right, tied, pairs = right * ended, tied * ended, pairs * ended
    if pairs.sum() == 0:
        return Measure(NAN, "1", per, int(t.size), baseline=0.5, against="chance")
    num_pairs = int(pairs.sum())
    value = float((right.sum() + 0.5 * tied.sum()) / num_pairs)
    # Each row is also the later one of pairs; their sums are known, their rows are not.
    of_later = _smaller_before(moment, -rank, ended)
    agreeing = right + 0.5 * tied + of_later[0] + 0.5 * of_later[1]
    influence = (agreeing - value * (pairs + of_later[2])) / num_pairs
    half = Z * clustered_error(influence, None if cluster is None else np.asarray(cluster))
    return Measure(value, "1", per, int(t.size), value - half, value + half, 0.5, "chance")


def _smaller_before(moment: Int64, value: Int64, counted: npt.NDArray[np.bool_]) -> tuple[Int64, Int64, Int64]:
    """Return, for each row, how many counted rows of strictly earlier moments hold a smaller, the same, any value."""
    n = moment.size
    order = np.argsort(moment, kind="stable")
    v, m, c = (value - value.min(initial=0))[order], moment[order], counted[order]
    smaller, row = np.zeros(n, dtype=np.int64), np.arange(n)
    any_before = _before_run(c, np.zeros(n, dtype=np.int64), m)
    for bit in range(int(v.max(initial=0)).bit_length() - 1, -1, -1):
        block = v >> (bit + 1)
        one = (v >> bit) & 1 == 1
        smaller[row] += _before_run(c & ~one, block, m) * one
        kept = np.argsort(v >> bit, kind="stable")
        v, m, c, row = v[kept], m[kept], c[kept], row[kept]
    same = np.zeros(n, dtype=np.int64)
    same[row] = _before_run(c, v, m)
    back = np.empty(n, dtype=np.int64)
    back[order] = np.arange(n)
    return smaller[back], same[back], any_before[back]


def _before_run(counted: npt.NDArray[np.bool_], block: Int64, moment: Int64) -> Int64:
    """Return how many counted rows of one's block come before one's moment; rows lie by block, then moment."""
    first = np.arange(block.size)
    new_block = np.concatenate([[True], block[1:] != block[:-1]])[: block.size]
    new_run = new_block | np.concatenate([[True], moment[1:] != moment[:-1]])[: block.size]
    before = np.cumsum(counted) - counted
    of_block = np.maximum.accumulate(np.where(new_block, first, 0))
    of_run = np.maximum.accumulate(np.where(new_run, first, 0))
    return before[of_run] - before[of_block]
