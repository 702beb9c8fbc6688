"""Three pieces to hear and to see: sound from exact cents, and notes drawn on the lines of their own tuning."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape

import numpy as np

from heritage_experiments.report.pieces import KeptPiece
from heritage_sim.base import Notes

SAMPLE_RATE_HZ = 22_050
EXCERPT_S = 14.0
MAX_PIECES = 3
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 720.0, 74.0, 12.0, 10.0, 34.0, 240.0
_LABEL_GAP = 13.0


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A piece ready for the page."""

    kept: KeptPiece
    svg: str
    wav_base64: str
    seconds: float


def exhibit(kept: KeptPiece, tradition_kind: str) -> Exhibit:
    """Return the drawing and the sound of a piece's first seconds, in the timbre of the kind of tradition."""
    from heritage_models.audio import TIMBRE_OF_KIND, wav_bytes

    notes = excerpt(kept.piece.notes, EXCERPT_S)
    return Exhibit(
        kept=kept,
        svg=piano_roll(kept, notes),
        wav_base64=base64.b64encode(
            wav_bytes(notes, TIMBRE_OF_KIND.get(tradition_kind, "plucked"), sample_rate=SAMPLE_RATE_HZ)
        ).decode("ascii"),
        seconds=notes.duration_s,
    )


def excerpt(notes: Notes, seconds: float) -> Notes:
    """Return the notes that begin and end within the first seconds; at least one."""
    ends = np.cumsum(notes.duration_ticks) * notes.tick_s
    n = max(1, int(np.searchsorted(ends, seconds, side="right")))
    return Notes(
        notes.degree[:n], notes.period[:n], notes.duration_ticks[:n], notes.ornament[:n], notes.cents[:n],
        notes.ticks_per_cycle, notes.tick_s,
    )  # fmt: skip


def piano_roll(kept: KeptPiece, notes: Notes) -> str:
    """Return notes as bars over time, in cents, on the lines of the tuning; ornamented notes carry a dot."""
    sounding = ~np.isnan(notes.cents)
    shown = notes.cents[sounding]
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (0.0, 1200.0)
    margin = max(60.0, 0.06 * (high - low))
    low, high = low - margin, high + margin
    duration = notes.duration_s

    def x(seconds: float) -> float:
        return _LEFT + (seconds / duration) * (_WIDTH - _LEFT - _RIGHT)

    def y(cents: float) -> float:
        return _TOP + (high - cents) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    floor, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    what = (
        f"Pitch in cents over {duration:.0f} seconds of a generated piece in the tuning {kept.tuning_name}, "
        f"{int(sounding.sum())} notes"
    )
    parts = [f'<svg role="img" aria-label="{escape(what)}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" class="roll">']
    last_label = float("-inf")
    for cents, degree in sorted(set(kept.lines), reverse=True):
        if not low <= cents <= high:
            continue
        at = y(cents)
        kind = "pitch finalis" if degree == 0 else "pitch"
        parts.append(f'<line class="{kind}" x1="{_LEFT:g}" x2="{right:g}" y1="{at:.1f}" y2="{at:.1f}"/>')
        if at - last_label >= _LABEL_GAP:
            last_label = at
            parts.append(f'<text class="pitch-label" x="{_LEFT - 6:g}" y="{at + 4:.1f}">{_cents(cents)}</text>')
    for boundary in np.arange(0.0, duration + 1e-9, notes.ticks_per_cycle * notes.tick_s).tolist():
        at = x(boundary)
        parts.append(f'<line class="cycle" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP:g}" y2="{floor:g}"/>')
    lengths = notes.duration_ticks * notes.tick_s
    starts = np.cumsum(lengths) - lengths
    for start, length, cents, ornament in zip(starts, lengths, notes.cents, notes.ornament, strict=True):
        if np.isnan(cents):
            continue
        left, top, width = x(start) + 0.5, y(cents), max(1.5, x(start + length) - x(start) - 1.0)
        parts.append(f'<rect class="note" x="{left:.1f}" y="{top - 4:.1f}" width="{width:.1f}" height="8" rx="2"/>')
        if ornament:
            parts.append(f'<circle class="ornament" cx="{left + 3.5:.1f}" cy="{top - 9:.1f}" r="2.6"/>')
    for seconds in np.arange(0.0, duration + 1e-9, 2.0 if duration <= 16.0 else 5.0).tolist():
        parts.append(f'<text class="time-label" x="{x(seconds):.1f}" y="{floor + 15:g}">{seconds:g}</text>')
    parts.append(f'<text class="axis-label" x="{(_LEFT + right) / 2:g}" y="{_HEIGHT - 3:g}">seconds</text>')
    turned = f'transform="translate(13 {(_TOP + floor) / 2:g}) rotate(-90)"'
    parts.append(f'<text class="axis-label" {turned}>cents above the finalis</text></svg>')
    return "".join(parts)


def _cents(cents: float) -> str:
    return f"{cents:.1f}".replace("-", "−")
