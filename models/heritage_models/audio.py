"""Notes as sound: a bank of oscillators at exact cents, written as a WAV file.

The frequency of a note is ``f = finalis_hz * 2^(cents / 1200)``: nothing is rounded to a grid, so what is heard is the
tuning of the set. The timbres are plain models of a kind of instrument (a struck bar's inharmonic partials, a plucked
string's, a stopped pipe's odd harmonics), not of any real one. An ornament is heard as a second, softer attack: it does
not move the pitch.

Partials in whole-number ratio are made by the recurrence ``sin (k+1)x = 2 cos x sin kx - sin (k-1)x``, one sine and one
cosine for the whole row.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import InputError, Notes

SAMPLE_RATE = 22_050
ATTACK_S = 0.004
RELEASE_S = 0.012
_HEADROOM = 0.8
_HIGHEST = 0.45
_SECOND_ATTACK = 0.18

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timbre:
    """A kind of sound.

    Parameters
    ----------
    ratios : tuple of float
        Frequencies of the partials, the first being 1.
    amplitudes : tuple of float
        Their strengths.
    decay_per_s : tuple of float
        Their rates of decay; 0 for a sound that is held.
    """

    ratios: tuple[float, ...]
    amplitudes: tuple[float, ...]
    decay_per_s: tuple[float, ...]

    @property
    def is_harmonic(self) -> bool:
        """Return whether every partial is a whole multiple of the first."""
        return all(r == int(r) for r in self.ratios)


TIMBRES: dict[str, Timbre] = {
    # Free bar: (2k + 1)^2 over 3.011^2 for k = 1, 2, 3, as in Fletcher and Rossing, The Physics of Musical Instruments.
    "struck": Timbre((1.0, 2.756, 5.404), (1.0, 0.4, 0.2), (2.0, 5.0, 11.0)),
    "plucked": Timbre(
        tuple(map(float, range(1, 11))), tuple(1 / k for k in range(1, 11)), tuple(1.0 + k for k in range(10))
    ),
    "blown": Timbre((1.0, 3.0, 5.0, 7.0), (1.0, 0.22, 0.1, 0.04), (0.0, 0.0, 0.0, 0.0)),
}
"""Timbres by name."""

TIMBRE_OF_KIND = {"gamelan": "struck", "chinese": "plucked", "panpipes": "blown"}
"""The timbre in which a kind of tradition is played; plucked where none is named."""


def render(
    notes: Notes, timbre: str = "plucked", finalis_hz: float = 220.0, sample_rate: int = SAMPLE_RATE
) -> npt.NDArray[np.int16]:
    """Return the sound of a piece, int16 of shape ``(num_samples,)``.

    Parameters
    ----------
    notes : Notes
        What is played; ``cents`` alone decides the pitch.
    timbre : str
        A key of `TIMBRES`.
    finalis_hz : float
        Frequency of the finalis in hertz.
    sample_rate : int
        Samples per second.

    Returns
    -------
    ndarray of int16, shape (num_samples,)

    Raises
    ------
    InputError
        If the timbre is unknown, or a pitch is outside what the sample rate can carry.
    """
    if timbre not in TIMBRES:
        raise InputError(f"unknown timbre {timbre!r}", "audio", f"one of: {', '.join(TIMBRES)}")
    sound = TIMBRES[timbre]
    onset_ticks = np.concatenate([[0], np.cumsum(notes.duration_ticks)])
    edges = np.rint(onset_ticks * notes.tick_s * sample_rate).astype(np.int64)
    frequency = finalis_hz * 2.0 ** (notes.cents / 1200.0)
    highest = float(np.nanmax(frequency, initial=0.0))
    if highest >= _HIGHEST * sample_rate:
        raise InputError(
            f"a note of {highest:,.0f} Hz is too high for sound at {sample_rate:,} samples a second "
            f"({np.nanmax(notes.cents):,.0f} cents above a finalis of {finalis_hz:g} Hz)",
            "audio",
            "check the tuning's cents, or lower the finalis",
        )
    samples = np.zeros(int(edges[-1]))
    for i, f in enumerate(frequency.tolist()):
        if f == f:  # not a rest
            size = int(edges[i + 1] - edges[i])
            samples[edges[i] : edges[i + 1]] = _tone(sound, f, size, sample_rate, bool(notes.ornament[i] > 0))
    gain = _HEADROOM * 32767.0 / sum(sound.amplitudes)
    return np.rint(samples * gain).astype(np.int16)


def wav_bytes(
    notes: Notes, timbre: str = "plucked", finalis_hz: float = 220.0, sample_rate: int = SAMPLE_RATE
) -> bytes:
    """Return a piece as the bytes of a mono 16-bit WAV file; parameters as `render`."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(render(notes, timbre, finalis_hz, sample_rate).astype("<i2").tobytes())
    return buffer.getvalue()


def _tone(sound: Timbre, frequency: float, size: int, sample_rate: int, ornamented: bool) -> Float64:
    """Return one note, shape ``(size,)``, its partials summed."""
    t = np.arange(size) / sample_rate
    phase = 2.0 * np.pi * frequency * t
    tone = np.zeros(size)
    attacks = [(0, 1.0)]
    if ornamented:
        attacks = [(0, 0.5), (int(_SECOND_ATTACK * size), 1.0)]
    since = np.zeros(size)
    strength = np.ones(size)
    for begin, level in attacks:
        since[begin:] = t[: size - begin]
        strength[begin:] = level * np.minimum(1.0, t[: size - begin] / ATTACK_S)
    # Envelopes differ by partial only in their decay; equal rates share one exponential.
    decays = {rate: np.exp(-rate * since) if rate else None for rate in set(sound.decay_per_s)}
    for k, (ratio, wavelet) in enumerate(_partials(sound, phase)):
        if ratio * frequency < _HIGHEST * sample_rate:
            envelope = decays[sound.decay_per_s[k]]
            tone += sound.amplitudes[k] * (wavelet if envelope is None else wavelet * envelope)
    release = min(size, int(RELEASE_S * sample_rate))
    strength[size - release :] *= np.linspace(1.0, 0.0, release)
    return tone * strength


def _partials(sound: Timbre, phase: Float64) -> list[tuple[float, Float64]]:
    """Return each partial's ratio and sine."""
    if not sound.is_harmonic:
        return [(r, np.sin(r * phase)) for r in sound.ratios]
    wanted = {int(r) for r in sound.ratios}
    twice_cosine = 2.0 * np.cos(phase)
    before, current = np.zeros_like(phase), np.sin(phase)
    made: dict[int, Float64] = {}
    for k in range(1, max(wanted) + 1):
        if k in wanted:
            made[k] = current
        before, current = current, twice_cosine * current - before
    return [(r, made[int(r)]) for r in sound.ratios]
