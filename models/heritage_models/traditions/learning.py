"""From scores to a tradition: cut to whole cycles, measure the rules, make the archive's pieces.

Whatever the source, the rules are measured the same way, here: which steps occur, which lengths, whether notes are held
across the cycle, how often notes are ornamented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heritage_models.config import TraditionConfig
from heritage_models.fidelity import FidelityMeter, count_boundaries, ornament_rate
from heritage_models.traditions.tradition import Corpus, Tradition, Tuning
from heritage_sim.base import REST, InputError, Keys, Notes, Origin, Piece, Receipt

MIN_DURATION_PIECES = 3
"""A note length belongs to the tradition if at least so many pieces use it (or all, in an archive smaller than 30)."""

HOLD_SHARE = 0.05
"""Notes may be held across the cycle if the archive does so at more than this share of its inner boundaries."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Notes before they have a tuning; arrays of shape ``(num_notes,)`` as in `Notes`.

    Parameters
    ----------
    title : str
        Name for people.
    degree, period : ndarray of int16
        Finalis-relative; ``REST`` for a rest.
    duration_ticks : ndarray of int32
        Lengths, > 0.
    ornament : ndarray of int8
        Ornament classes.
    ticks_per_cycle : int
        Length of the cycle.
    phrase_ends_ticks : tuple of int
        Where phrases end, if known: preferred places to cut.
    """

    title: str
    degree: npt.NDArray[np.int16]
    period: npt.NDArray[np.int16]
    duration_ticks: npt.NDArray[np.int32]
    ornament: npt.NDArray[np.int8]
    ticks_per_cycle: int
    phrase_ends_ticks: tuple[int, ...] = ()

    @property
    def num_notes(self) -> int:
        """Return the number of events, rests included."""
        return int(self.degree.size)

    def first(self, num_notes: int) -> Score:
        """Return the score's first events."""
        n = slice(0, num_notes)
        return replace(
            self,
            degree=self.degree[n],
            period=self.period[n],
            duration_ticks=self.duration_ticks[n],
            ornament=self.ornament[n],
        )


@dataclass(frozen=True, slots=True)
class Source:
    """What a tradition is made from, besides its scores.

    Parameters
    ----------
    title : str
        Name for people.
    tuning : Tuning
        The tuning in which its degrees sound.
    ornaments : tuple of str
        Ornament classes; the first is ``plain``.
    tick_s : float
        Length of a tick in seconds.
    synthetic : bool
        Whether the scores are synthetic.
    credit : str
        Sources and communities to be named.
    """

    title: str
    tuning: Tuning
    ornaments: tuple[str, ...]
    tick_s: float
    synthetic: bool
    credit: str


def learn_corpus(
    config: TraditionConfig,
    source: Source,
    scores: Sequence[Score],
    root_seed: int,
    left_out: Sequence[tuple[str, str]] = (),
) -> Corpus:
    """Return the corpus of a tradition: rules measured from the pieces used, and those pieces with their fidelity.

    Pieces longer than ``config.max_notes`` are cut to whole cycles, at the end of a phrase where one is known. Which
    of the usable pieces are used, if there are more than ``config.num_works``, is a keyed choice.

    Parameters
    ----------
    config : TraditionConfig
        Size limits and thresholds.
    source : Source
        Tuning, ornaments and credit.
    scores : sequence of Score
        Candidates.
    root_seed : int
        Seed of the scenario.
    left_out : sequence of (str, str)
        What was already left out, with reasons.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        If fewer than two pieces are usable.
    """
    usable, reasons = _usable(config, scores)
    if len(usable) < 2:
        first = f" The first reason: {reasons[0][0]}: {reasons[0][1]}." if reasons else ""
        raise InputError(
            f"The corpus of {config.name!r} is empty: {len(usable)} of {len(scores)} pieces can be used.{first}",
            f"traditions: {config.name}",
            "Give a corpus with at least two usable pieces, or widen min_notes and max_notes.",
        )
    chosen = _chosen(usable, config, root_seed)
    if not source.synthetic:  # of synthetic pieces some spare ones are always made
        drawn = {id(score) for score in chosen}
        reasons += [
            (s.title, f"usable, but num_works is {config.num_works}: not drawn") for s in usable if id(s) not in drawn
        ]
    tradition = _tradition(config, source, chosen)
    notes = [_sounding(score, source) for score in chosen]
    meter = FidelityMeter.of_archive(tradition, notes)
    pieces = tuple(
        _piece(score.title, n, config.name, source.synthetic, meter) for score, n in zip(chosen, notes, strict=True)
    )
    return Corpus(tradition, pieces, (*left_out, *reasons))


def cut_to_cycles(score: Score, max_notes: int) -> Score:
    """Return the longest beginning of whole cycles with at most ``max_notes`` events.

    Of the possible ends, the last one that is also the end of a phrase is taken if it keeps at least half as much.
    """
    ends = np.cumsum(score.duration_ticks.astype(np.int64))
    whole = np.flatnonzero(ends % score.ticks_per_cycle == 0)
    whole = whole[whole < max_notes]
    if whole.size == 0:
        return score.first(0)
    if score.num_notes <= max_notes and int(whole[-1]) == score.num_notes - 1:
        return score
    phrase = whole[np.isin(ends[whole], score.phrase_ends_ticks)]
    last = int(phrase[-1]) if phrase.size and 2 * (phrase[-1] + 1) >= whole[-1] + 1 else int(whole[-1])
    return score.first(last + 1)


def _usable(config: TraditionConfig, scores: Sequence[Score]) -> tuple[list[Score], list[tuple[str, str]]]:
    """Return scores cut to size, without doubles and rare lengths, and the reasons for those left out."""
    reasons: list[tuple[str, str]] = []
    cut: list[Score] = []
    span = f"{config.min_notes} to {config.max_notes}"
    too_short = f"no {span} notes and rests in whole cycles (min_notes, max_notes)"
    for score in scores:
        short = cut_to_cycles(score, config.max_notes)
        if short.num_notes < config.min_notes:
            reasons.append((score.title, too_short))
        elif not (short.degree >= 0).any():
            reasons.append((score.title, "nothing sounds"))
        else:
            cut.append(short)
    in_pieces = Counter(d for score in cut for d in set(score.duration_ticks.tolist()))
    enough = MIN_DURATION_PIECES if len(cut) >= 10 * MIN_DURATION_PIECES else 1
    usable: list[Score] = []
    seen: set[bytes] = set()
    for score in cut:
        rare = [d for d in sorted(set(score.duration_ticks.tolist())) if in_pieces[d] < enough]
        content = b"".join(a.tobytes() for a in (score.degree, score.period, score.duration_ticks, score.ornament))
        if rare:
            reasons.append((score.title, f"a note length that fewer than {enough} pieces use ({rare[0]} ticks)"))
        elif content in seen:
            reasons.append((score.title, "the same notes as another piece"))
        else:
            seen.add(content)
            usable.append(score)
    return usable, reasons


def _chosen(usable: list[Score], config: TraditionConfig, root_seed: int) -> list[Score]:
    """Return a keyed choice of ``num_works`` scores in their given order."""
    if len(usable) <= config.num_works:
        return usable
    stream = Keys(root_seed, 0).stream("archive", f"choose/{config.name}")
    order = np.argsort(stream.uniform(np.arange(len(usable)), 0), kind="stable")
    return [usable[i] for i in sorted(order[: config.num_works].tolist())]


def _tradition(config: TraditionConfig, source: Source, scores: Sequence[Score]) -> Tradition:
    degree, period = _lattice(source.tuning, scores)
    shell = Tradition(
        name=config.name,
        title=source.title,
        tuning=source.tuning,
        position_degree=degree,
        position_period=period,
        legal_step=np.zeros((degree.size, degree.size), dtype=np.bool_),
        durations_ticks=tuple(sorted({int(d) for s in scores for d in s.duration_ticks.tolist()})),
        ticks_per_cycle=Counter(s.ticks_per_cycle for s in scores).most_common(1)[0][0],
        tick_s=source.tick_s,
        may_hold_across_cycle=False,
        ornaments=source.ornaments,
        ornament_rate_range=(0.0, 1.0),
        synthetic=source.synthetic,
        credit=source.credit,
    )
    notes = [_sounding(s, source) for s in scores]
    counts = np.array([count_boundaries(n) for n in notes])
    low, high = np.quantile([ornament_rate(n) for n in notes], config.ornament_quantiles)
    return replace(
        shell,
        legal_step=legal_steps(step_counts(shell, scores), config.min_step_count),
        may_hold_across_cycle=bool(counts[:, 1].sum() > HOLD_SHARE * counts[:, 0].sum()),
        ornament_rate_range=(float(low), float(high)),
    )


def _lattice(tuning: Tuning, scores: Sequence[Score]) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Return all (degree, period) pairs from the lowest to the highest note of the archive and finalis, ascending."""
    degrees = tuning.num_degrees
    indices = np.concatenate([(s.period.astype(np.int64) * degrees + s.degree)[s.degree >= 0] for s in scores])
    run = np.arange(min(0, int(indices.min())), max(0, int(indices.max())) + 1)
    return (run % degrees).astype(np.int16), (run // degrees).astype(np.int16)


def step_counts(tradition: Tradition, scores: Sequence[Score]) -> npt.NDArray[np.int64]:
    """Return how often a note at one position is followed by one at another, shape ``(num_positions, num_positions)``.

    Rests between two notes do not count.
    """
    counts = np.zeros((tradition.num_positions, tradition.num_positions), dtype=np.int64)
    degrees = tradition.tuning.num_degrees
    base = int(tradition.position_period[0]) * degrees + int(tradition.position_degree[0])
    for s in scores:
        at = (s.period.astype(np.int64) * degrees + s.degree)[s.degree >= 0] - base
        np.add.at(counts, (at[:-1], at[1:]), 1)
    return counts


def legal_steps(counts: npt.NDArray[np.int64], min_count: int) -> npt.NDArray[np.bool_]:
    """Return which steps are allowed: seen at least ``min_count`` times and leading to where a step can go on.

    A position that can be reached but not left is a dead end; steps into it are forbidden until none is left.
    """
    legal = counts >= min_count
    while True:
        dead = legal.any(axis=0) & ~legal.any(axis=1)
        if not dead.any():
            return legal
        legal[:, dead] = False


def _sounding(score: Score, source: Source) -> Notes:
    cents = np.where(score.degree >= 0, source.tuning.sounding(score.degree, score.period), np.nan)
    return Notes(
        degree=score.degree.astype(np.int16),
        period=np.where(score.degree == REST, 0, score.period).astype(np.int16),
        duration_ticks=score.duration_ticks.astype(np.int32),
        ornament=score.ornament.astype(np.int8),
        cents=cents,
        ticks_per_cycle=score.ticks_per_cycle,
        tick_s=source.tick_s,
    )


def _piece(title: str, notes: Notes, tradition: str, synthetic: bool, meter: FidelityMeter) -> Piece:
    own = notes.sha256()
    receipt = Receipt(request_id="", seed=0, checkpoint_sha256="", piece_sha256=own, sources=())
    return Piece(notes, tradition, title, Origin.ARCHIVE, synthetic, meter.measure(notes, own), receipt)
