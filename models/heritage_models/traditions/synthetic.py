"""Synthetic archives: two stated processes, drawn with keyed numbers, and labelled synthetic wherever they go.

No licence-clean scores of gamelan or panpipes could be had. These processes give pieces a grammar that can be learnt
and broken, no more; what is real about them is the measured tuning.

* `gatra_pieces` (gamelan): groups of four beats end on a goal tone; goal tones of successive groups are drawn near one
  another, stable degrees more often; a group approaches its goal by one of eleven contours; beats may hold or divide; a
  cycle of sixteen beats ends with a gong, across which nothing is held; cycles come back (AAB, ABA, ABB).
* `phrase_melodies` (panpipes, and tunings imported without scores): phrases of two measures move to a goal along an
  arch, by steps that favour odd numbers of pipes (neighbouring pipes lie in the two halves of a hocketing pair), in
  rhythmic cells of one beat; phrases come back (AABBCC, AABBAA, ABABCC).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_models.traditions.learning import Score
from heritage_models.traditions.tradition import Tuning
from heritage_sim.base import REST, Keys

GATRA_ORNAMENTS = ("plain", "grace note", "double stroke", "shake")
PHRASE_ORNAMENTS = ("plain", "breath accent", "flutter", "slide up")

GATRA_TICKS_PER_CYCLE = 32
PHRASE_TICKS_PER_CYCLE = 8

_NUM_DRAWS = 1024
_SURPLUS = 12
_CONTOURS: tuple[tuple[tuple[int | None, ...], float], ...] = (
    ((3, 2, 1, 0), 1.0),
    ((-3, -2, -1, 0), 1.0),
    ((1, 0, 1, 0), 1.2),
    ((-1, 0, -1, 0), 1.2),
    ((1, 2, 1, 0), 1.0),
    ((-1, -2, -1, 0), 0.8),
    ((2, 1, -1, 0), 0.6),
    ((-1, 1, -1, 0), 0.6),
    ((None, 1, None, 0), 0.7),
    ((None, -1, None, 0), 0.5),
    ((0, None, 1, 0), 0.4),
)
_CELLS: tuple[tuple[int, ...], ...] = ((2, 1, 1), (1, 1, 2), (2, 2), (4,), (3, 1), (1, 2, 1))
_STEPS = np.array([-3, -2, -1, 0, 1, 2, 3])
_STEP_WEIGHTS = np.array([0.5, 0.35, 1.2, 0.45, 1.0, 0.3, 0.4])

Event = tuple[int | None, int]
"""Lattice index (None for a rest) and length in ticks."""


class _Draws:
    """The keyed uniforms of one piece, taken one after the other; another piece's are untouched by how many."""

    def __init__(self, uniforms: npt.NDArray[np.float64]) -> None:
        self._uniforms = uniforms.tolist()
        self._at = 0

    def uniform(self) -> float:
        value = self._uniforms[self._at % len(self._uniforms)]
        self._at += 1
        return value

    def choose(self, weights: Sequence[float] | npt.NDArray[np.float64]) -> int:
        """Return an index with probability in proportion to its weight."""
        cumulated = np.cumsum(weights)
        return min(int(np.searchsorted(cumulated, self.uniform() * cumulated[-1], side="right")), len(cumulated) - 1)


def gatra_pieces(tuning: Tuning, num_pieces: int, root_seed: int, name: str) -> list[Score]:
    """Return synthetic gamelan melodies, a few more than asked for (some may turn out alike)."""
    return [
        _gatra_piece(tuning, draws, f"Synthetic balungan {i + 1}")
        for i, draws in enumerate(_draws(num_pieces, root_seed, name, "gatra"))
    ]


def phrase_melodies(
    tuning: Tuning, num_pieces: int, root_seed: int, name: str, *, ornamented: bool = True
) -> list[Score]:
    """Return synthetic melodies of repeated phrases, a few more than asked for (some may turn out alike)."""
    return [
        _phrase_piece(tuning, draws, f"Synthetic melody {i + 1}", ornamented)
        for i, draws in enumerate(_draws(num_pieces, root_seed, name, "phrases"))
    ]


def _draws(num_pieces: int, root_seed: int, name: str, process: str) -> list[_Draws]:
    total = num_pieces + _SURPLUS + num_pieces // 20
    stream = Keys(root_seed, 0).stream("archive", f"{process}/{name}")
    return [_Draws(row) for row in stream.uniforms(np.arange(total), 0, _NUM_DRAWS)]


def _range(tuning: Tuning) -> tuple[int, int]:
    """Return the lowest and highest lattice index to be used."""
    if tuning.period_cents is None:
        return 0, tuning.num_degrees - 1
    return -((tuning.num_degrees + 1) // 2), tuning.num_degrees + (tuning.num_degrees + 1) // 2


def _gatra_piece(tuning: Tuning, draws: _Draws, title: str) -> Score:
    low, high = _range(tuning)
    lively, ornate = 0.02 + 0.3 * draws.uniform() ** 2, 0.04 + 0.2 * draws.uniform()
    taste = [weight * (0.4 + 1.2 * draws.uniform()) for _, weight in _CONTOURS]
    form = ("AAB", "ABA", "ABB", "AB")[draws.choose([1, 1, 1, 1.5])]
    cycles: dict[str, list[Event]] = {}
    for letter in sorted(set(form)):
        goal = 0 if letter == form[-1] else _goal(tuning, 0, draws, low, high)
        cycles[letter] = _gatra_cycle(tuning, goal, taste, lively, draws)
    events = [event for letter in form for event in cycles[letter]]
    ornaments = [_gatra_ornament(events, i, ornate, draws) for i in range(len(events))]
    return _score(tuning, title, events, ornaments, GATRA_TICKS_PER_CYCLE, GATRA_TICKS_PER_CYCLE)


def _goal(tuning: Tuning, previous: int, draws: _Draws, low: int, high: int) -> int:
    """Return a goal tone near the previous one; the finalis and the degrees near the fifth draw most."""
    size = tuning.num_degrees
    stable = {0: 3.0, size // 2: 2.0, size // 2 + 1: 2.0}
    tones = np.arange(low, high + 1)
    weights = [stable.get(int(t % size), 1.0) * np.exp(-abs(t - previous) / 2.5) for t in tones]
    return int(tones[draws.choose(weights)])


def _gatra_cycle(tuning: Tuning, last_goal: int, taste: list[float], lively: float, draws: _Draws) -> list[Event]:
    """Return the events of one cycle of four groups of four beats of two ticks."""
    low, high = _range(tuning)
    goals: list[int] = []
    for _ in range(3):
        goals.append(_goal(tuning, goals[-1] if goals else last_goal, draws, low, high))
    beats: list[int | None] = []
    previous = last_goal
    for goal in [*goals, last_goal]:
        weights = []
        for (contour, _), liked in zip(_CONTOURS, taste, strict=True):
            tones = [goal + c for c in contour if c is not None]
            inside = low <= min(tones) and max(tones) <= high
            weights.append(liked * np.exp(-abs(tones[0] - previous) / 1.5) if inside else 0.0)
        contour = _CONTOURS[draws.choose(weights)][0] if sum(weights) > 0 else (None, None, None, 0)
        beats += [None if c is None else goal + c for c in contour]
        previous = goal
    events: list[Event] = []
    for i, tone in enumerate(beats):
        if tone is None:
            if i == 0:
                events.append((None, 2))
            else:
                events[-1] = (events[-1][0], events[-1][1] + 2)
            continue
        following = next((b for b in beats[i + 1 : i + 2] if b is not None), None)
        if following is not None and draws.uniform() < lively:
            between = tone + (1 if following > tone else -1 if following < tone else (1 if tone < high else -1))
            events += [(tone, 1), (between, 1)]
        else:
            events.append((tone, 2))
    return events


def _gatra_ornament(events: list[Event], i: int, ornate: float, draws: _Draws) -> int:
    """Return an ornament class: long notes and repeated ones are ornamented more often, and differently."""
    tone, ticks = events[i]
    chance, kind = draws.uniform(), draws.uniform()
    if tone is None or ticks < 2 or chance >= ornate * (1.8 if ticks >= 4 else 0.9):
        return 0
    if i and events[i - 1][0] == tone:
        return 2
    return 3 if ticks >= 4 and kind < 0.7 else 1


def _phrase_piece(tuning: Tuning, draws: _Draws, title: str, ornamented: bool) -> Score:
    low, high = _range(tuning)
    ornate = 0.03 + 0.17 * draws.uniform()
    taste = [0.15 + draws.uniform() ** 2 for _ in _CELLS]
    top = low + max(2, round((high - low) * (0.4 + 0.5 * draws.uniform())))
    form = ("AABBCC", "AABBAA", "ABABCC", "AABBCB")[draws.choose([2, 1, 1, 1])]
    phrases: dict[str, list[Event]] = {}
    for letter in sorted(set(form)):
        final = letter == form[-1]
        goal = 0 if final else min(high, (2, 4, 0)[draws.choose([1, 1, 1])])
        start = top if letter == "A" else max(low, top - 1 - int(3 * draws.uniform()))
        phrases[letter] = _phrase(low, high, start, goal, taste, draws)
    events = [event for letter in form for event in phrases[letter]]
    ornaments = [_phrase_ornament(events, i, ornate, draws) if ornamented else 0 for i in range(len(events))]
    return _score(tuning, title, events, ornaments, PHRASE_TICKS_PER_CYCLE, 2 * PHRASE_TICKS_PER_CYCLE)


def _phrase(low: int, high: int, start: int, goal: int, taste: list[float], draws: _Draws) -> list[Event]:
    """Return the events of one phrase of two measures of two beats; the last beat is one long goal tone."""
    lengths = [ticks for _ in range(3) for ticks in _CELLS[draws.choose(taste)]] + [4]
    rests_first = lengths[0] == 2 and draws.uniform() < 0.2
    arch = 1.0 + 2.0 * draws.uniform()
    events: list[Event] = []
    tone = start
    for j, ticks in enumerate(lengths):
        if j == 0 and rests_first:
            events.append((None, ticks))
            continue
        if j == len(lengths) - 1:
            tone = goal
        elif j > 0:
            x = j / (len(lengths) - 1)
            line = start + (goal - start) * x + arch * 4.0 * x * (1.0 - x)
            tones = tone + _STEPS
            weights = _STEP_WEIGHTS * np.exp(-np.abs(tones - line) / 1.5) * ((tones >= low) & (tones <= high))
            tone = int(tones[draws.choose(weights)]) if weights.sum() > 0 else tone
        events.append((tone, ticks))
    return events


def _phrase_ornament(events: list[Event], i: int, ornate: float, draws: _Draws) -> int:
    """Return an ornament class: accents on the beat, flutter on long notes, slides after a leap up."""
    tone, ticks = events[i]
    chance = draws.uniform()
    if tone is None or chance >= ornate * (1.6 if ticks >= 2 else 0.6):
        return 0
    before = events[i - 1][0] if i else None
    if before is not None and tone - before >= 2:
        return 3
    return 2 if ticks >= 4 else 1


def _score(
    tuning: Tuning, title: str, events: list[Event], ornaments: list[int], ticks_per_cycle: int, phrase_ticks: int
) -> Score:
    size = tuning.num_degrees
    ticks = np.array([length for _, length in events], dtype=np.int32)
    return Score(
        title=title,
        degree=np.array([REST if t is None else t % size for t, _ in events], dtype=np.int16),
        period=np.array([0 if t is None else t // size for t, _ in events], dtype=np.int16),
        duration_ticks=ticks,
        ornament=np.array(ornaments, dtype=np.int8),
        ticks_per_cycle=ticks_per_cycle,
        phrase_ends_ticks=tuple(range(phrase_ticks, int(ticks.sum()) + 1, phrase_ticks)),
    )
