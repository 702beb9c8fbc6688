"""A tradition's rules as factored tables and integer counters, with a lookahead that leaves no dead end.

Three rules bind the decoder: the melodic step must be legal, a note must not sound across a cycle boundary (where the
tradition forbids it) and the piece must end on one, and the share of ornamented notes must end within its range.
Grammar engines build the product of such automata; here each is one table, and a step costs a few gathers for the
whole batch.

Looking ahead is exact, because the rules meet in one number only, how many events may still come:

``M(R, e)``
    The most events, at most ``e``, that fill the last ``R`` ticks of the piece exactly with allowed lengths that keep
    the boundary rule; -1 if none do. The set of possible numbers of events for each ``R`` is one bit set,
    ``reach(R) = OR over legal d of reach(R - d) << 1``.
``need(n, k)``
    The fewest further events after which ``k`` of ``n`` sounding notes can be within the ornament range:
    ``0`` if ``lo <= k / n <= hi``, else ``1 + min(need(n + 1, k), need(n + 1, k + 1))``. Rests change neither counter,
    so any larger number of events does as well.

A state can be completed iff ``M(R, e) >= need(n, k)``; each choice (pitch or rest, then length, then ornament) is
allowed iff a state that can be completed is reached. Pitches are taken from the largest set of positions of which each
has a legal successor within the set. A tradition without rests in its archive gets one only where nothing else is left.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heritage_models.generator.tokens import REST_TOKEN, Vocabulary
from heritage_models.traditions.tradition import Corpus, Tradition
from heritage_sim.base import REST, GenerationError

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int16).max


def live_positions(legal_step: Bool) -> Bool:
    """Return the largest set of positions of which each has a legal successor in it, shape ``(num_positions,)``."""
    live = np.ones(legal_step.shape[0], dtype=np.bool_)
    while True:
        kept = live & (legal_step & live[None, :]).any(axis=1)
        if (kept == live).all():
            return live
        live = kept


def most_events(
    total_ticks: int, max_events: int, durations_ticks: tuple[int, ...], ticks_per_cycle: int, may_hold: bool
) -> npt.NDArray[np.int16]:
    """Return ``M(R, e)``, shape ``(total_ticks + 1, max_events + 1)``; -1 where no filling exists."""
    window = (1 << (max_events + 1)) - 1
    reach = [1]
    for left in range(1, total_ticks + 1):
        longest = left if may_hold else (left - 1) % ticks_per_cycle + 1
        bits = 0
        for d in durations_ticks:
            if d <= longest:
                bits |= reach[left - d] << 1
        reach.append(bits & window)
    num_bytes = max_events // 8 + 1
    packed = np.frombuffer(b"".join(b.to_bytes(num_bytes, "little") for b in reach), dtype=np.uint8)
    possible = np.unpackbits(packed.reshape(total_ticks + 1, num_bytes), axis=1, bitorder="little")[:, : max_events + 1]
    count = np.where(possible.astype(np.bool_), np.arange(max_events + 1), -1)
    return np.maximum.accumulate(count, axis=1).astype(np.int16)


def events_needed(max_events: int, rate_range: tuple[float, float], can_ornament: bool) -> npt.NDArray[np.int16]:
    """Return ``need(n, k)``, shape ``(max_events + 2, max_events + 3)``; ``NEVER`` where the range is out of reach."""
    low, high = rate_range
    need = np.full((max_events + 2, max_events + 3), NEVER, dtype=np.int64)
    k = np.arange(max_events + 2)
    for n in range(max_events, -1, -1):
        rate = k / n if n else np.full(k.size, np.nan)
        within = (low <= rate) & (rate <= high) & (k <= n)
        later = np.minimum(need[n + 1, :-1], need[n + 1, 1:]) if can_ornament else need[n + 1, :-1]
        need[n, :-1] = np.where(within, 0, np.minimum(later + 1, NEVER))
    return need.astype(np.int16)


class ConstraintTables:
    """The rules of every tradition of a vocabulary, as arrays; shared by all slots.

    Parameters
    ----------
    vocabulary : Vocabulary
        The tokens.
    corpora : mapping of str to Corpus
        The traditions and archives.
    max_events : int
        Longest piece, in events.

    Raises
    ------
    GenerationError
        If a tradition's step table has no endless path.
    """

    def __init__(self, vocabulary: Vocabulary, corpora: Mapping[str, Corpus], max_events: int) -> None:
        self.vocabulary = vocabulary
        self.max_events = max_events
        self.traditions = [corpora[name].tradition for name in vocabulary.traditions]
        num_pitches, num_durations, num_ornaments = vocabulary.token_sizes
        shape = (len(self.traditions),)
        self.on_lattice = np.zeros((*shape, num_pitches), dtype=np.bool_)
        self.step_ok = np.zeros((*shape, num_pitches, num_pitches), dtype=np.bool_)
        self.duration_ok = np.zeros((*shape, num_durations), dtype=np.bool_)
        self.ornament_ok = np.zeros((*shape, num_ornaments), dtype=np.bool_)
        self.has_rests = np.zeros(shape, dtype=np.bool_)
        self.can_ornament = np.array([len(t.ornaments) > 1 for t in self.traditions])
        self.may_hold = np.array([t.may_hold_across_cycle for t in self.traditions])
        self.durations = np.asarray(vocabulary.durations, dtype=np.int64)
        self.need = np.stack(
            [events_needed(max_events, t.ornament_rate_range, len(t.ornaments) > 1) for t in self.traditions]
        ).astype(np.int64)
        for i, tradition in enumerate(self.traditions):
            self._fill(i, tradition)
            notes = [p.notes for p in corpora[tradition.name].pieces]
            self.has_rests[i] = any((n.degree == REST).any() for n in notes)
        self._most: dict[tuple[int, int], npt.NDArray[np.int16]] = {}

    def _fill(self, i: int, tradition: Tradition) -> None:
        tokens = self.vocabulary.pitch_tokens(tradition)
        live = live_positions(tradition.legal_step)
        if not live.any():
            raise GenerationError(
                "the constraint table has no endless path: every melody would run into a dead end",
                f"tradition {tradition.name!r}",
                "lower min_step_count, or add works to the archive",
            )
        self.on_lattice[i, REST_TOKEN] = True
        self.on_lattice[i, tokens] = True
        self.step_ok[i][np.ix_(tokens, tokens)] = tradition.legal_step & live[None, :]
        self.step_ok[i, REST_TOKEN, tokens] = live  # row 0: nothing has sounded yet
        self.duration_ok[i] = np.isin(self.vocabulary.durations, tradition.durations_ticks)
        self.ornament_ok[i, : len(tradition.ornaments)] = True

    def most_events(self, tradition: int, ticks_per_cycle: int, total_ticks: int) -> npt.NDArray[np.int16]:
        """Return ``M(R, e)`` for at least ``R <= total_ticks``, made once and kept."""
        held = self._most.get((tradition, ticks_per_cycle))
        if held is None or held.shape[0] <= total_ticks:
            rules = self.traditions[tradition]
            held = most_events(
                total_ticks, self.max_events, rules.durations_ticks, ticks_per_cycle, rules.may_hold_across_cycle
            )
            self._most[tradition, ticks_per_cycle] = held
        return held

    def can_start(self, tradition: int, ticks_per_cycle: int, total_ticks: int) -> bool:
        """Return whether a piece of this length can keep every rule."""
        table = self.most_events(tradition, ticks_per_cycle, total_ticks)
        return bool(table[total_ticks, self.max_events] >= self.need[tradition, 0, 0])


class SlotRules:
    """Counters of every slot, and what each may do next. Rows never see one another.

    Parameters
    ----------
    tables : ConstraintTables
        The rules.
    num_slots : int
        Number of rows.
    """

    def __init__(self, tables: ConstraintTables, num_slots: int) -> None:
        self.tables = tables
        self.tradition = np.zeros(num_slots, dtype=np.int64)
        self.ticks_per_cycle = np.ones(num_slots, dtype=np.int64)
        self.ticks_left = np.zeros(num_slots, dtype=np.int64)
        self.events_left = np.full(num_slots, tables.max_events, dtype=np.int64)
        self.last_pitch = np.full(num_slots, REST_TOKEN, dtype=np.int64)
        self.num_sounding = np.zeros(num_slots, dtype=np.int64)
        self.num_ornamented = np.zeros(num_slots, dtype=np.int64)
        self._offset = np.zeros(num_slots, dtype=np.int64)
        self._flat = np.zeros(tables.max_events + 1, dtype=np.int64)
        self._placed: dict[tuple[int, int], tuple[int, int]] = {}

    def start(self, slot: int, tradition: int, ticks_per_cycle: int, total_ticks: int) -> None:
        """Begin a piece in a slot."""
        self.tradition[slot] = tradition
        self.ticks_per_cycle[slot] = ticks_per_cycle
        self.ticks_left[slot] = total_ticks
        self.events_left[slot] = self.tables.max_events
        self.last_pitch[slot] = REST_TOKEN
        self.num_sounding[slot] = self.num_ornamented[slot] = 0
        self._offset[slot] = self._place(tradition, ticks_per_cycle, total_ticks)

    def _place(self, tradition: int, ticks_per_cycle: int, total_ticks: int) -> int:
        """Return where ``M`` of this tradition and cycle begins in the flat table that all slots gather from."""
        offset, rows = self._placed.get((tradition, ticks_per_cycle), (0, 0))
        if rows <= total_ticks:
            table = self.tables.most_events(tradition, ticks_per_cycle, total_ticks)
            offset = self._flat.size
            self._flat = np.concatenate([self._flat, table.ravel().astype(np.int64)])
            self._placed[tradition, ticks_per_cycle] = (offset, table.shape[0])
        return offset

    def _most(self, ticks_left: Int64, events_left: Int64) -> Int64:
        """Return ``M`` for each slot; extra axes of ``ticks_left`` come after the slot's."""
        trailing = (slice(None),) + (None,) * (ticks_left.ndim - 1)
        width = self.tables.max_events + 1
        possible = (ticks_left >= 0) & (events_left >= 0)[trailing]
        at = self._offset[trailing] + np.maximum(ticks_left, 0) * width + np.maximum(events_left, 0)[trailing]
        return np.where(possible, self._flat[at * possible], -1)

    def _need_sounding(self) -> Int64:
        """Return the events needed after one more sounding note, plain or ornamented as is better, shape (slots,)."""
        need, tr, n, k = self.tables.need, self.tradition, self.num_sounding, self.num_ornamented
        return np.minimum(need[tr, n + 1, k], np.where(self.tables.can_ornament[tr], need[tr, n + 1, k + 1], NEVER))

    def pitches(self) -> Bool:
        """Return which pitch tokens are allowed, shape ``(num_slots, num_pitches)``."""
        tr = self.tradition
        after = self._most(self.ticks_left, self.events_left) - 1
        sounding = after >= self._need_sounding()
        allowed = self.tables.step_ok[tr, self.last_pitch] & sounding[:, None]
        rest = after >= self.tables.need[tr, self.num_sounding, self.num_ornamented]
        allowed[:, REST_TOKEN] = rest & (self.tables.has_rests[tr] | ~sounding)
        return allowed

    def durations(self, pitch: Int64) -> Bool:
        """Return which duration tokens are allowed after the chosen pitches, shape ``(num_slots, num_durations)``."""
        tr, d = self.tradition, self.tables.durations
        need = np.where(
            pitch == REST_TOKEN, self.tables.need[tr, self.num_sounding, self.num_ornamented], self._need_sounding()
        )
        in_cycle = (self.ticks_left - 1) % self.ticks_per_cycle + 1
        longest = np.where(self.tables.may_hold[tr], self.ticks_left, in_cycle)
        most = self._most(self.ticks_left[:, None] - d[None, :], self.events_left - 1)
        return self.tables.duration_ok[tr] & (d[None, :] <= longest[:, None]) & (most >= need[:, None]) & (most >= 0)

    def ornaments(self, pitch: Int64, duration: Int64) -> Bool:
        """Return which ornaments are allowed on the chosen notes, shape ``(num_slots, num_ornaments)``."""
        tr, n, k, need = self.tradition, self.num_sounding, self.num_ornamented, self.tables.need
        most = self._most(self.ticks_left - self.tables.durations[duration], self.events_left - 1)
        allowed = self.tables.ornament_ok[tr].copy()
        allowed[:, 0] &= most >= need[tr, n + 1, k]
        allowed[:, 1:] &= (most >= need[tr, n + 1, k + 1])[:, None]
        rest = np.equal(pitch, REST_TOKEN)
        allowed[rest] = False
        allowed[rest, 0] = True
        return allowed

    def advance(self, pitch: Int64, duration: Int64, ornament: Int64, active: Bool) -> None:
        """Count the chosen events of the active slots."""
        sounding = active & (pitch != REST_TOKEN)
        self.ticks_left -= self.tables.durations[duration] * active
        self.events_left -= active
        self.last_pitch = np.where(sounding, pitch, self.last_pitch)
        self.num_sounding += sounding
        self.num_ornamented += sounding & (ornament > 0)
