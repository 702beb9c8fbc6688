"""The listener-step of `heritage_agents.kernel.day` in torch, for a GPU: many listeners at once instead of one by one.

The formulas, the keyed numbers and their addresses are those of `heritage_agents.kernel.day`, which explains them.
Here all listeners live their first session of the day together, then those who have one their second, and
inside a session slate after slate, each among those who are still there. A listener meets nobody else in a step, so the
order is the same for each of them.

All arithmetic is `heritage_agents.kernel.torch_arithmetic`: the same operations in the same order, no library's
function that rounds as it likes. What comes out is what the compiled step gives, bit for bit.

State stays in the arrays of `People` between days: it is taken to the device, lived, and written back, so a
snapshot knows nothing of the engine. Only the modules of this room that have torch in their name need it, and nothing
imports them unless they are asked for (`heritage_agents.kernel.engines`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from heritage_agents.kernel.sheets import (
    CHOICE,
    DWELL,
    LEAVE,
    MICRO,
    OUTSIDE,
    STEPS_PER_DAY,
    SURPLUS_MICRO,
    Behaviour,
    Books,
    Offers,
    People,
    UInt64,
    Works,
)
from heritage_agents.kernel.torch_arithmetic import (
    Tensor,
    blended,
    dot,
    exponential,
    logarithm,
    turned_towards,
    uniforms_at,
)
from heritage_agents.kernel.torch_books import DayBooks

_AT_ONCE = {"cpu": 1 << 21, "cuda": 1 << 28}
"""Numbers of candidates' vectors that are looked up at once: few for a cache, many for a GPU."""

_MOVING = ("taste", "history", "num_plays", "num_sessions", "session_s", "satisfaction", "recent")
"""What a day changes of a listener."""


def has_gpu() -> bool:
    """Return whether torch finds a GPU."""
    return torch.cuda.is_available()


def live_day(
    behaviour: Behaviour,
    keys: UInt64,
    day: int,
    people: People,
    works: Works,
    offers: Offers,
    books: Books,
    device: str = "cpu",
) -> tuple[int, int, int]:
    """Live the day's sessions in place, as `heritage_agents.kernel.day.live_day` does.

    Parameters
    ----------
    behaviour : Behaviour
        Parameters.
    keys : ndarray of uint64, shape (len(STREAMS), 2)
        Keys of the streams.
    day : int
        The day.
    people : People
        All listeners of the shard.
    works : Works
        The item side.
    offers : Offers
        The day's sessions.
    books : Books
        Where it is written down.
    device : str
        Where torch works: ``cpu`` or ``cuda``.

    Returns
    -------
    tuple of int
        Rows of the log, of the sessions and of the plays.
    """
    rows = offers.rows
    if rows.size == 0:
        return 0, 0, 0
    gathered = DayBooks(books, device)
    stream_keys = [(int(low), int(high)) for low, high in keys]
    active = _Active(
        behaviour, stream_keys, _sent(_of_rows(people, rows), device), _sent(works, device), gathered, rows
    )
    candidates = torch.from_numpy(offers.candidates).to(device).long()
    for session in range(int(offers.num_sessions.max())):
        at = torch.from_numpy(np.flatnonzero(offers.num_sessions > session)).to(device)
        active.live_session(at, day, session, candidates[at], offers.ranked, float(offers.affinity))
    for name in _MOVING:
        getattr(people, name)[rows] = getattr(active.people, name).cpu().numpy()
    return gathered.write(day, people.ids)


class _Ranking(NamedTuple):
    """The candidates that a session can show, best first, shape ``(n, slates x slate_size)``.

    ``column`` is their place among all candidates, ``wait`` and ``hold`` the standard exponential numbers of choosing
    and of hearing them. What lies beyond the candidates that may be shown is marked by `left`.
    """

    works: Tensor
    column: Tensor
    score: Tensor
    wait: Tensor
    hold: Tensor


class _Slate(NamedTuple):
    """What some listeners are shown, in the order of the candidates; shape ``(n, slate_size)`` each.

    ``works`` is 0 and ``filled`` False where there are fewer; ``place`` counts the slate's works with a better score.
    """

    works: Tensor
    filled: Tensor
    place: Tensor
    score: Tensor
    wait: Tensor
    hold: Tensor


class _Active:
    """Listeners who live a day together; ``at`` are their places among them, throughout."""

    def __init__(
        self,
        behaviour: Behaviour,
        keys: list[tuple[int, int]],
        people: Any,
        works: Any,
        books: DayBooks,
        rows: npt.NDArray[np.int64],
    ) -> None:
        self.people = people
        self._behaviour, self._keys, self._works, self._books = behaviour, keys, works, books
        self._rows = torch.from_numpy(rows).to(people.ids.device)

    def live_session(
        self, at: Tensor, day: int, session: int, candidates: Tensor, ranked: bool, affinity: float
    ) -> None:
        """Live the session of that number of the listeners ``at``, who have these candidates, shape ``(n, C)``."""
        b, people, books = self._behaviour, self.people, self._books
        step = day * STEPS_PER_DAY + session
        ranking, left = self._ranked(at, candidates, step, ranked, affinity)
        # numbers of all slates at once: a launch on a GPU costs the same for one and for many
        each = torch.arange(b.max_slates, device=at.device)[None, :]
        outside = self._waits(at, step, each, OUTSIDE)
        leave = uniforms_at(people.ids[at][:, None], step, each, self._keys[LEAVE])
        stay = self._leaving_log_odds(at)
        slates, plays, abandoned = (torch.zeros_like(at) for _ in range(3))
        surplus, heard_s = (torch.zeros_like(people.session_s[at]) for _ in range(2))
        here = torch.arange(at.numel(), device=at.device)  # places in ``at`` of those who see the next slate
        for seen in range(b.max_slates):
            here = here[left[here] > 0]
            if not here.numel():
                break
            slate = self._next_slate(ranking, here, left[here], candidates.shape[1], seen)
            left[here] -= slate.filled.sum(dim=1)
            books.show(slate.works, slate.filled)
            slates[here] += 1
            chosen, appeal, gained = self._choose(at[here], slate, outside[here, seen], seen)
            surplus[here] += gained
            books.count(SURPLUS_MICRO, torch.floor(gained * MICRO).long().sum())

            log_odds = stay[here] + b.leave_fatigue * seen
            log_odds[chosen < 0] += b.leave_idle
            who = torch.nonzero(chosen >= 0)[:, 0]
            dwell, length = self._play(at[here[who]], slate, who, chosen[who], appeal, session, seen)
            plays[here[who]] += 1
            heard_s[here[who]] += dwell
            missed = torch.where(length > 0.0, b.leave_skipped * (1.0 - dwell / length), 0.0)
            log_odds[who] += missed

            if seen + 1 < b.max_slates:
                leaves = (leave[here, seen] * (1.0 + exponential(-log_odds)) < 1.0) & (left[here] > 0)
                abandoned[here[leaves]] = 1
                here = here[~leaves]
        self._end_session(at, session, slates, plays, abandoned, surplus, heard_s)

    def _waits(self, at: Tensor, step: int, draws: Tensor, stream: int) -> Tensor:
        """Return standard exponential numbers of a stream, shape ``(n, num_draws)``."""
        return -logarithm(uniforms_at(self.people.ids[at][:, None], step, draws, self._keys[stream]))

    def _ranked(
        self, at: Tensor, candidates: Tensor, step: int, ranked: bool, affinity: float
    ) -> tuple[_Ranking, Tensor]:
        """Return the candidates by falling score, ties in their order, and how many may be shown."""
        b, works, num_candidates = self._behaviour, self._works, candidates.shape[1]
        shown = candidates.clamp(min=0)
        allowed = (candidates >= 0) & works.available[shown]
        if ranked:
            score = -torch.arange(num_candidates, device=at.device, dtype=torch.float32).expand(shown.shape)
        else:
            at_once = max(1, _AT_ONCE[at.device.type] // max(1, num_candidates * works.vectors.shape[1]))
            history = self.people.history[at][:, None, :]
            match = [
                dot(mine, works.vectors[theirs])
                for mine, theirs in zip(history.split(at_once), shown.split(at_once), strict=True)
            ]
            score = affinity * torch.cat(match) + works.bias[shown]
        order = torch.sort(torch.where(allowed, score, -torch.inf), dim=1, descending=True, stable=True).indices
        order = order[:, : b.max_slates * b.slate_size]
        best = shown.gather(1, order)
        waits = (self._waits(at, step, best, stream) for stream in (CHOICE, DWELL))
        return _Ranking(best, order, score.gather(1, order), *waits), allowed.sum(dim=1)

    def _next_slate(self, ranking: _Ranking, here: Tensor, left: Tensor, beyond: int, seen: int) -> _Slate:
        size = self._behaviour.slate_size
        works, column, score, wait, hold = (part[here, seen * size : (seen + 1) * size] for part in ranking)
        inside = torch.arange(column.shape[1], device=here.device) < left[:, None]
        # in the order of the candidates, which is that of sums and of ties; those not filled stand last
        column, place = torch.sort(torch.where(inside, column, beyond), dim=1)
        filled = column < beyond
        works, score, wait, hold = (part.gather(1, place) for part in (works, score, wait, hold))
        return _Slate(torch.where(filled, works, 0), filled, place, score, wait, hold)

    def _choose(self, at: Tensor, slate: _Slate, outside: Tensor, seen: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the chosen column of each slate, -1 for none, all works' appeal, and the slate's surplus."""
        b, works, people = self._behaviour, self._works, self.people
        match = dot(people.taste[at][:, None, :], works.vectors[slate.works]).double()
        appeal = b.kappa * match + people.consistency_taste[at][:, None] * works.consistency[slate.works]
        value = appeal + works.popularity[slate.works] - b.fatigue * seen
        top = torch.where(slate.filled, value, -torch.inf).amax(dim=1).clamp(min=b.outside_utility)
        weight = exponential(value - top[:, None])
        arrival = torch.where(slate.filled, slate.wait / weight, torch.inf)
        total = exponential(b.outside_utility - top)
        first, column = outside / total, torch.arange(arrival.shape[1], device=at.device)
        for term in torch.where(slate.filled, weight, 0.0).unbind(dim=1):  # one after another: the sum has one order
            total = total + term
        earliest = arrival.amin(dim=1)
        # a tie goes to the first
        chosen = torch.where(arrival == earliest[:, None], column, column.numel()).amin(dim=1)
        chosen = torch.where(earliest < first, chosen, -1)
        return chosen, appeal, top - b.outside_utility + logarithm(total)

    def _play(
        self,
        at: Tensor,
        slate: _Slate,
        who: Tensor,
        chosen: Tensor,
        appeal: Tensor,
        session: int,
        seen: int,
    ) -> tuple[Tensor, Tensor]:
        """Let the listeners ``at``, rows ``who`` of the slates, hear what they chose; return dwell and length [s]."""
        b, works, people = self._behaviour, self._works, self.people
        work = slate.works[who, chosen]
        vectors, length = works.vectors[work], works.duration_s[work]
        novelty = 1.0 - dot(people.history[at], vectors).double()
        rate = b.skip_rate * exponential(
            -b.skip_appeal * appeal[who, chosen]
            + b.skip_novelty * novelty
            + b.skip_fatigue * seen
            - b.skip_experience * logarithm(1.0 + people.num_plays[at].double())
            + people.skip_offset[at]
        )
        dwell = torch.minimum(length, slate.hold[who, chosen] / rate)
        counted = dwell >= length.clamp(max=b.counted_play_s)
        place, score = slate.place[who, chosen], slate.score[who, chosen]
        self._books.play(self._rows[at], people.sampled[at], counted, work, dwell, length, place, score, session, seen)
        if b.drift > 0.0:
            turns = at[counted]
            people.taste[turns] = turned_towards(people.taste[turns], vectors[counted], b.drift)
        people.history[at] = blended(1.0 - b.history_weight, people.history[at], b.history_weight, vectors)
        people.recent[at] = torch.cat([work[:, None].int(), people.recent[at][:, :-1]], dim=1)
        people.num_plays[at] += 1
        return dwell, length

    def _leaving_log_odds(self, at: Tensor) -> Tensor:
        """Return the part of the log odds of leaving that stands when a session begins."""
        b, people = self._behaviour, self.people
        return b.leave_base + people.leave_offset[at] - b.leave_prior * logarithm(1.0 + self._mean_s(at) / 60.0)

    def _mean_s(self, at: Tensor) -> Tensor:
        """Return the mean length of the sessions so far, 0 without any."""
        earlier = self.people.num_sessions[at]
        return torch.where(earlier > 0, self.people.session_s[at] / earlier.clamp(min=1), 0.0)

    def _end_session(
        self,
        at: Tensor,
        session: int,
        slates: Tensor,
        plays: Tensor,
        abandoned: Tensor,
        surplus: Tensor,
        heard_s: Tensor,
    ) -> None:
        b, people = self._behaviour, self.people
        length_s = b.browse_s * slates.double() + heard_s
        self._books.end_session(
            *(self._rows[at], people.sampled[at], session, people.num_sessions[at], self._mean_s(at)),
            *(slates, plays, abandoned, length_s),
        )
        mean = torch.where(slates > 0, surplus / slates.clamp(min=1), 0.0)
        people.satisfaction[at] += b.satisfaction_weight * (mean - people.satisfaction[at])
        people.session_s[at] += length_s
        people.num_sessions[at] += 1


def _sent(table: Any, device: str) -> Any:
    """Return a table of arrays as the same table of tensors on a device."""
    return table._make(torch.from_numpy(column).to(device) for column in table)


def _of_rows(people: People, rows: npt.NDArray[np.int64]) -> People:
    """Return a copy of some listeners."""
    columns: Any = (column[rows] for column in people)
    return People._make(columns)
