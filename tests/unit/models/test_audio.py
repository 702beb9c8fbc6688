import io
import time
import wave

import numpy as np
import pytest

from heritage_models.audio import SAMPLE_RATE, TIMBRES, render, wav_bytes
from heritage_sim.base import REST, InputError, Notes

FINALIS_HZ = 220.0


def notes_of(cents, ticks=4, tick_s=0.25, ornaments=None):
    cents = np.asarray(cents, dtype=np.float64)
    n = cents.size
    rest = np.isnan(cents)
    return Notes(
        degree=np.where(rest, REST, 0).astype(np.int16),
        period=np.zeros(n, dtype=np.int16),
        duration_ticks=np.full(n, ticks, dtype=np.int32),
        ornament=np.asarray(np.zeros(n) if ornaments is None else ornaments, dtype=np.int8),
        cents=cents,
        ticks_per_cycle=8,
        tick_s=tick_s,
    )


def heard_cents(samples):
    """Estimates pitch from the samples alone: the slope of the analytic signal's phase near the spectral peak."""
    x = samples.astype(np.float64)
    x = x[len(x) // 20 : -len(x) // 20]
    spectrum = np.fft.rfft(x * np.hanning(x.size))
    peak = np.argmax(np.abs(spectrum)) * SAMPLE_RATE / x.size
    t = np.arange(x.size) / SAMPLE_RATE
    beat = x * np.exp(-2j * np.pi * peak * t)
    window = np.hanning(int(SAMPLE_RATE * 0.1))
    smooth = np.convolve(beat, window / window.sum(), mode="valid")
    phase = np.unwrap(np.angle(smooth))
    weight = np.abs(smooth)
    at = t[: smooth.size]
    slope = np.polyfit(at, phase, 1, w=weight)[0]
    return 1200.0 * np.log2((peak + slope / (2 * np.pi)) / FINALIS_HZ)


@pytest.mark.parametrize("timbre", sorted(TIMBRES))
@pytest.mark.parametrize("cents", [-702.3, 0.0, 231.17, 955.5, 1208.0, 2710.4])
def test_the_pitch_that_is_heard_is_the_pitch_that_is_written(timbre, cents):
    samples = render(notes_of([cents], ticks=8), timbre, FINALIS_HZ)
    assert abs(heard_cents(samples) - cents) < 0.5


def test_an_ornament_does_not_move_the_pitch():
    plain, ornamented = (render(notes_of([474.0], 8, ornaments=[o]), "blown", FINALIS_HZ) for o in (0, 1))
    assert not np.array_equal(plain, ornamented)
    assert abs(heard_cents(ornamented[len(ornamented) // 4 :]) - 474.0) < 0.5


def test_every_note_has_its_length_and_rests_are_silent():
    samples = render(notes_of([0.0, np.nan, 231.0]), "plucked")
    second = SAMPLE_RATE
    assert samples.size == 3 * second
    assert not samples[second : 2 * second].any()
    assert samples[:second].any()
    assert samples[2 * second :].any()


@pytest.mark.parametrize("timbre", sorted(TIMBRES))
def test_the_sound_is_a_wav_file_that_does_not_clip(timbre):
    notes = notes_of(np.linspace(-300, 1900, 20), ticks=1, ornaments=np.arange(20) % 2)
    with wave.open(io.BytesIO(wav_bytes(notes, timbre))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert 6000 < np.abs(samples.astype(int)).max() < 32000
    assert np.abs(np.diff(samples.astype(int))).max() < 32000  # no click at the joints


def test_no_partial_folds_back_from_above_half_the_sample_rate():
    samples = render(notes_of([4800.0], ticks=8), "plucked", FINALIS_HZ).astype(float)  # 3520 Hz: three partials fit
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE)
    near = np.zeros(hertz.size, dtype=bool)
    for k in (1, 2):
        near |= np.abs(hertz - 3520 * k) < 300
    assert power[~near].sum() < 1e-3 * power.sum()


def test_rendering_is_a_hundred_times_faster_than_playing():
    notes = notes_of(np.linspace(-300, 1900, 40), ticks=2)
    for timbre in TIMBRES:
        begin = time.process_time()
        render(notes, timbre)
        assert notes.duration_s / max(time.process_time() - begin, 1e-9) > 100


def test_an_unknown_timbre_and_an_unreachable_pitch_are_refused():
    with pytest.raises(InputError, match="timbre"):
        render(notes_of([0.0]), "voice")
    with pytest.raises(InputError, match="too high"):
        render(notes_of([7000.0]), "struck")
