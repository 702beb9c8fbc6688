"""Sessions and plays one by one, for a frozen sample of listeners: what survival and ranking measures need.

The sample is drawn once by key and is the same in every arm and however listeners are divided into shards. The sessions
are synthetic: they come out of this model, and stand for no person's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.listeners.arrivals import start_seconds
from heritage_agents.listeners.config import ListenersConfig
from heritage_agents.listeners.drawing import Listeners
from heritage_sim.base import Keys, Stream

Rows = npt.NDArray[np.void]
Columns = dict[str, npt.NDArray[Any]]


def sample_of(keys: Keys, num_listeners: int, size: int) -> npt.NDArray[np.int64]:
    """Return the ids of the listeners whose sessions and plays are noted.

    Parameters
    ----------
    keys : Keys
        Streams of the replication.
    num_listeners : int
        Listeners of all shards together.
    size : int
        Listeners asked for; all of them if there are no more.

    Returns
    -------
    ndarray of int64, shape (min(size, num_listeners),)
        Distinct ids, ascending; every set of this size is equally likely.
    """
    if size >= num_listeners:
        return np.arange(num_listeners, dtype=np.int64)
    if 2 * size > num_listeners:  # whom to leave out takes fewer draws
        rest = np.ones(num_listeners, dtype=np.bool_)
        rest[sample_of(keys, num_listeners, num_listeners - size)] = False
        return np.flatnonzero(rest).astype(np.int64)
    stream, drawn, round_ = keys.stream("listener", "sample"), np.zeros(0, dtype=np.int64), 0
    while drawn.size < size:
        more = stream.integer(np.arange(2 * size), round_, num_listeners)
        drawn = np.concatenate([drawn, more])
        # the first of each id, in the order of the draws
        drawn = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
        round_ += 1
    return np.sort(drawn[:size])


def session_columns(rows: Rows, who: Listeners, config: ListenersConfig, starts: Stream) -> Columns:
    """Return the noted sessions as columns, by listener, day and session.

    Parameters
    ----------
    rows : ndarray of `heritage_agents.kernel.sheets.SESSION_ROW`
        Sessions in the order in which they were noted.
    who : Listeners
        The shard's listeners.
    config : ListenersConfig
        The profile of the day.
    starts : Stream
        Times of the day.

    Returns
    -------
    dict of str to ndarray, each of shape (num_sessions,)
        ``listener``, ``day``, ``session`` (number in the day), ``start_s`` (second of the day), ``device`` (index),
        ``familiarity``, ``home`` (community), ``prior_sessions``, ``prior_mean_s`` (mean length of the sessions before
        this one, 0 for a first one), ``slates``, ``plays``, ``seconds`` (length: browsing and listening),
        ``abandoned`` (left while slates remained; otherwise the length is censored).
    """
    rows = rows[np.lexsort((rows["session"], rows["day"], rows["listener"]))]
    of = rows["listener"] - int(who.ids[0])
    whole = (rows[name].astype(np.int64) for name in ("listener", "day", "session"))
    return {
        "listener": rows["listener"].copy(),
        "day": rows["day"].copy(),
        "session": rows["session"].copy(),
        "start_s": start_seconds(starts, config.daily_profile, *whole),
        "device": who.device[of],
        "familiarity": who.familiarity[of],
        "home": who.home[of],
        "prior_sessions": rows["prior_sessions"].copy(),
        "prior_mean_s": rows["prior_mean_s"].copy(),
        "slates": rows["slates"].copy(),
        "plays": rows["plays"].copy(),
        "seconds": rows["seconds"].copy(),
        "abandoned": rows["abandoned"].astype(np.bool_),
    }


def play_columns(rows: Rows) -> Columns:
    """Return the noted plays as columns, by listener, day, session and slate.

    Parameters
    ----------
    rows : ndarray of `heritage_agents.kernel.sheets.PLAY_ROW`
        Plays in the order in which they were noted, from day 0 on.

    Returns
    -------
    dict of str to ndarray, each of shape (num_plays,)
        ``listener``, ``day``, ``session``, ``slate`` (number in the session), ``place`` (works of the slate with a
        better score), ``work``, ``score`` (the recommender's), ``dwell_s``, ``duration_s``, ``first_time`` (the
        listener had not played the work before).
    """
    rows = rows[np.lexsort((rows["slate"], rows["session"], rows["day"], rows["listener"]))]
    columns = {
        name: rows[name].copy()
        for name in ("listener", "day", "session", "slate", "place", "work", "score", "dwell_s", "duration_s")
    }
    # one number for each pair of listener and work: unique rows of two columns take far longer
    pair = columns["listener"] * (int(columns["work"].max(initial=0)) + 1) + columns["work"]
    first = np.zeros(rows.size, dtype=np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    return columns | {"first_time": first}
