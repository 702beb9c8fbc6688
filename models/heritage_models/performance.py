"""A person plays an archive piece: what the intent ``RECORD`` returns.

The melody is the source's. What a performance changes is stated here and stays within the tradition's rules: time moves
between neighbouring notes of a cycle, ornaments are set anew, pitch departs from the instrument's by a bounded amount,
the tempo is a little faster or slower. Where the archive's own piece breaks a rule (steps too rare to be legal, a note
held across the cycle), the nearest melody that keeps it is played. The performance is synthetic and labelled so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from heritage_models.fidelity import FidelityMeter
from heritage_models.traditions.tradition import Corpus, Tradition
from heritage_sim.base import REST, Commission, GenerationError, Keys, Notes, Origin, Piece, Receipt

MICRO_DEVIATION_CENTS = 4.0
"""Standard deviation of a note's pitch from the instrument's."""
MAX_DEVIATION_CENTS = 12.0
"""Bound of that deviation."""
TEMPO_SPREAD = 0.06
"""Largest relative change of tempo."""
SHIFT_CHANCE = 0.15
"""Chance that a note gives or takes time from the next one."""
KEEP_ORNAMENT_CHANCE = 0.6
"""Chance that a note is ornamented as in the source; else as notes of its length are in the archive."""

_FORBIDDEN = 1e9


class Performer:
    """Answers commissions to record; a `Generator` without a model.

    A performance depends on (tradition, source, take) and the seed alone; it is made once and kept.

    Parameters
    ----------
    corpora : mapping of str to Corpus
        The traditions by name.
    root_seed : int
        Seed of the scenario.
    """

    def __init__(self, corpora: Mapping[str, Corpus], root_seed: int) -> None:
        self._keys = Keys(root_seed, 0)
        self._players = {name: _Player(corpus) for name, corpus in corpora.items()}
        self._made: dict[tuple[str, str, int], Piece] = {}

    @property
    def checkpoint_sha256(self) -> str:
        """Empty: no model is used."""
        return ""

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        """Return one performance for each commission, in order.

        Parameters
        ----------
        commissions : sequence of Commission
            What is asked for.

        Returns
        -------
        list of Piece

        Raises
        ------
        GenerationError
            If a commission names an unknown tradition or source, or the constraints cannot be met.
        """
        return [self._perform(c) for c in commissions]

    def _perform(self, commission: Commission) -> Piece:
        player = self._players.get(commission.tradition)
        where = f"commission {commission.request_id}"
        if player is None:
            raise GenerationError(
                f"There is no tradition {commission.tradition!r}.", where, f"Known: {', '.join(sorted(self._players))}."
            )
        source = player.pieces.get(commission.source)
        if source is None:
            raise GenerationError(
                f"The archive of {commission.tradition!r} has no work {commission.source[:12]}.",
                where,
                "Name a source by the content hash of an archive piece.",
            )
        key = (commission.tradition, commission.source, commission.take)
        piece = self._made.get(key)
        if piece is None:
            stream = self._keys.stream("performer", f"{commission.tradition}/{commission.source}")
            # room for four uniforms and two more for a normal per event of a source split at its boundaries
            num = 4 * source.notes.num_notes + 64
            u = stream.uniforms(commission.take, 0, 4 * num + 1)[0]
            z = stream.normals(commission.take, 1, num)[0]
            notes = player.play(source.notes, u[1:].reshape(num, 4), z, tempo=2.0 * float(u[0]) - 1.0)
            receipt = Receipt(
                request_id="",
                seed=stream.key[0] | (stream.key[1] << 32),
                checkpoint_sha256="",
                piece_sha256=notes.sha256(),
                sources=(commission.source,),
            )
            title = f"{source.title}, performance {commission.take + 1}"
            fidelity = player.meter.measure(notes, commission.source)
            piece = Piece(notes, commission.tradition, title, Origin.HUMAN, True, fidelity, receipt)
            self._made[key] = piece
        made = piece.receipt
        receipt = Receipt(commission.request_id, made.seed, "", made.piece_sha256, made.sources)
        return Piece(piece.notes, piece.tradition, piece.title, piece.origin, True, piece.fidelity, receipt)


class _Player:
    """One tradition's rules, as a player needs them."""

    def __init__(self, corpus: Corpus) -> None:
        self.tradition: Tradition = corpus.tradition
        self.pieces = {p.receipt.piece_sha256: p for p in corpus.pieces}
        self.meter = FidelityMeter(corpus)
        self._durations = frozenset(corpus.tradition.durations_ticks)
        classes = len(corpus.tradition.ornaments)
        counts = {d: np.ones(classes) for d in corpus.tradition.durations_ticks}
        for p in corpus.pieces:
            for d, o, degree in zip(
                p.notes.duration_ticks.tolist(), p.notes.ornament.tolist(), p.notes.degree.tolist(), strict=True
            ):
                if degree >= 0 and d in counts:
                    counts[d][o] += 1.0
        self._ornament_law = {d: np.cumsum(c) / c.sum() for d, c in counts.items()}

    def play(self, source: Notes, u: npt.NDArray[np.float64], z: npt.NDArray[np.float64], tempo: float) -> Notes:
        """Return a performance from uniforms, shape ``(num, 4)``, normals, shape ``(num,)``, and a tempo in [-1, 1]."""
        t = self.tradition
        positions, ticks, ornaments = self._within_cycles(source)
        positions = self._legal_melody(positions)
        ticks = self._shift_time(ticks, source.ticks_per_cycle, u)
        ornaments = self._ornament(positions, ticks, ornaments, u)
        rest = positions < 0
        degree = np.where(rest, REST, t.position_degree[positions]).astype(np.int16)
        period = np.where(rest, 0, t.position_period[positions]).astype(np.int16)
        micro = np.clip(MICRO_DEVIATION_CENTS * z[: degree.size], -MAX_DEVIATION_CENTS, MAX_DEVIATION_CENTS)
        return Notes(
            degree=degree,
            period=period,
            duration_ticks=ticks.astype(np.int32),
            ornament=ornaments.astype(np.int8),
            cents=t.tuning.sounding(degree, period) + micro,
            ticks_per_cycle=source.ticks_per_cycle,
            tick_s=source.tick_s * (1.0 + TEMPO_SPREAD * tempo),
        )

    def _within_cycles(
        self, source: Notes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return positions, lengths and ornaments; a note held across a boundary stops there and a rest fills up."""
        positions = self.meter.lattice.positions(source)
        ticks, ornaments = source.duration_ticks.astype(np.int64), source.ornament.astype(np.int64)
        if self.tradition.may_hold_across_cycle:
            return positions, ticks, ornaments
        cycle = source.ticks_per_cycle
        events: list[tuple[int, int, int]] = []
        onset = 0
        for position, length, ornament in zip(positions.tolist(), ticks.tolist(), ornaments.tolist(), strict=True):
            first = min(length, cycle - onset % cycle)
            if position < 0 or first == length:
                events.append((position, length, ornament))
            else:
                whole = self._parts(first)
                events.append((position, whole[0], ornament))
                events += [(-1, part, 0) for part in whole[1:] + self._parts(length - first)]
            onset += length
        a, b, c = (np.array(column, dtype=np.int64) for column in zip(*events, strict=True))
        return a, b, c

    def _parts(self, ticks: int) -> list[int]:
        """Return the fewest allowed lengths that make up a length, longest first."""
        fewest: list[list[int] | None] = [[]]
        for total in range(1, ticks + 1):
            ways = [
                (fewest[total - d] or [], d) for d in self._durations if d <= total and fewest[total - d] is not None
            ]
            shorter, last = min(ways, key=lambda way: (len(way[0]), -way[1]), default=(None, 0))
            fewest.append(None if shorter is None else sorted([*shorter, last], reverse=True))
        parts = fewest[ticks]
        if parts is None:
            raise GenerationError(
                f"No allowed note lengths make up {ticks} ticks, so a note cannot end on its cycle.",
                f"tradition {self.tradition.name}",
                "Import more pieces of the tradition, or lower min_notes.",
            )
        return parts

    def _legal_melody(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the melody of legal steps with the fewest notes changed, and those to the nearest positions."""
        legal = self.tradition.legal_step
        sounding = np.flatnonzero(positions >= 0)
        melody = positions[sounding]
        if legal[melody[:-1], melody[1:]].all():
            return positions
        toll = np.where(legal, 0.0, _FORBIDDEN)
        lattice = np.arange(legal.shape[0])
        change = np.where(lattice[:, None] == lattice, 0.0, 1.0 + np.abs(lattice[:, None] - lattice) / 1000.0)
        cost = change[melody[0]]
        came_from = np.zeros((melody.size, lattice.size), dtype=np.int64)
        for i in range(1, melody.size):
            reached = cost[:, None] + toll
            came_from[i] = reached.argmin(axis=0)
            cost = reached[came_from[i], lattice] + change[melody[i]]
        at = int(cost.argmin())
        if cost[at] >= _FORBIDDEN:
            raise GenerationError(
                f"No melody of {melody.size} notes keeps the legal steps.",
                f"tradition {self.tradition.name}",
                "Lower min_step_count, or use more archive works.",
            )
        played = positions.copy()
        for i in range(melody.size - 1, -1, -1):
            played[sounding[i]] = at
            at = int(came_from[i, at])
        return played

    def _shift_time(
        self, ticks: npt.NDArray[np.int64], cycle: int, u: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """Return lengths after moving time between neighbours inside a cycle; both must stay allowed lengths."""
        moved = ticks.tolist()
        durations = sorted(self._durations)
        onset = 0
        i = 0
        while i < len(moved) - 1:
            total = moved[i] + moved[i + 1]
            if u[i, 0] < SHIFT_CHANCE and onset // cycle == (onset + total - 1) // cycle:
                ways = [d for d in durations if d < total and total - d in self._durations]
                if ways:
                    first = ways[int(u[i, 1] * len(ways))]
                    moved[i], moved[i + 1] = first, total - first
                onset += total
                i += 2
            else:
                onset += moved[i]
                i += 1
        return np.array(moved, dtype=np.int64)

    def _ornament(
        self,
        positions: npt.NDArray[np.int64],
        ticks: npt.NDArray[np.int64],
        ornaments: npt.NDArray[np.int64],
        u: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.int64]:
        """Return ornaments set anew by the archive's law for each length, their rate within the allowed range."""
        if len(self.tradition.ornaments) < 2:
            return np.zeros_like(ornaments)
        made = np.where(positions >= 0, ornaments, 0)
        for i in np.flatnonzero((positions >= 0) & (u[: made.size, 2] >= KEEP_ORNAMENT_CHANCE)).tolist():
            law = self._ornament_law.get(int(ticks[i]))
            if law is not None:
                made[i] = min(int(np.searchsorted(law, u[i, 3], side="right")), law.size - 1)
        sounding = np.flatnonzero(positions >= 0)
        low, high = self.tradition.ornament_rate_range
        fewest = int(np.ceil(low * sounding.size - 1e-9))
        most = int(np.floor(high * sounding.size + 1e-9))
        order = sounding[np.argsort(u[sounding, 3], kind="stable")]
        ornamented, plain = order[made[order] > 0], order[made[order] == 0]
        if ornamented.size > most:
            made[ornamented[most:]] = 0
        elif ornamented.size < fewest:
            made[plain[: fewest - ornamented.size]] = 1
        return made
