"""Measures with a sweep how late, how loud and how clean a speaker comes back to a microphone.

Theory: an exponential sine sweep (Farina 2000) has as much energy in every octave, and is like
itself at no other time: correlated with what the microphone heard (the matched filter) it makes
one sharp peak at the delay of each path through the room, 38 dB above noise as loud as the echo.
The peak is taken for an echo when it stands out of the correlation elsewhere by more than eight
standard deviations, which noise does not reach in years.

How much quieter the sweep comes back is the energy of the whole echo path, all reflections around
the peak: the spectrum heard divided by the spectrum played gives the room's impulse response; what
of it lies outside of that window is noise, and the same noise is taken off inside.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from live_cli.audio.echo.filter import HOP_SAMPLES, EchoFilter
from live_cli.audio.levels import SILENCE_DBFS, level_dbfs
from live_cli.audio.pcm import Samples
from live_cli.audio.resampler import Resampler
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE

LOW_HZ, HIGH_HZ = 150.0, 7000.0
"""Within what a microphone sends at 16 kHz, and most speakers play."""
_FADE_S = 0.02
_LONGEST_DELAY_S = 1.0
_EARLY_S = 0.03
"""By so much an echo may seem to come before the sound: the devices' times are not exact."""
_STANDS_OUT = 8.0
_BEFORE_S, _ROOM_S = 0.1, 0.3
"""What belongs to the echo path around the peak: a weaker direct sound may come before it."""
_NOISE_FROM_S = -0.9
"""Where the noise of the impulse response is measured: before the sound, and before the harmonics
of a clipping speaker, of which the second is 0.18 s and the tenth 0.6 s early."""
_CLIPPED = 0.99
_TENTH = INPUT_SAMPLE_RATE // 10
_SPECTRUM_FLOOR = 1e-4


def make_sweep(
    sample_rate: int = OUTPUT_SAMPLE_RATE, *, length_s: float = 1.0, level_dbfs: float = -20.0
) -> Samples:
    """Return an exponential sine sweep from `LOW_HZ` to `HIGH_HZ`, faded at both ends."""
    t = np.arange(round(length_s * sample_rate)) / sample_rate
    growth_s = length_s / math.log(HIGH_HZ / LOW_HZ)
    phase = 2 * math.pi * LOW_HZ * growth_s * (np.exp(t / growth_s) - 1)
    edge = np.minimum(1.0, np.minimum(t, length_s - t) / _FADE_S)
    gain = 10 ** (level_dbfs / 20) * math.sqrt(2)
    sweep: Samples = (gain * np.sin(phase) * np.sin(edge * math.pi / 2) ** 2).astype(np.float32)
    return sweep


def make_hiss(
    sample_rate: int = OUTPUT_SAMPLE_RATE, *, length_s: float = 2.0, level_dbfs: float = -26.0
) -> Samples:
    """Return pink noise, the same each time: from all pitches a filter learns an echo path."""
    size = round(length_s * sample_rate)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(size))
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    spectrum *= (hertz >= LOW_HZ) / np.sqrt(np.maximum(hertz, LOW_HZ))
    noise = np.fft.irfft(spectrum, size)
    t = np.arange(size) / sample_rate
    edge = np.minimum(1.0, np.minimum(t, length_s - t) / _FADE_S)
    gain = 10 ** (level_dbfs / 20) / math.sqrt(float(np.mean(noise**2)))
    hiss: Samples = (gain * noise * edge).astype(np.float32)
    return hiss


@dataclass(frozen=True, slots=True)
class EchoMeasurement:
    """The echo path as measured: its delay, and its loss in level."""

    delay_ms: float
    loss_db: float


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What the microphone recorded of a sweep.

    ``path`` is None where no echo was found; one with a loss over ``hidden_below_db`` would not
    have been. ``level_dbfs``, ``peak`` (1.0 is full scale) and ``clipped_samples`` (at full scale)
    are the microphone's while the sweep came back, or was played where no echo was found.
    """

    played_dbfs: float
    noise_dbfs: float
    level_dbfs: float
    peak: float
    clipped_samples: int
    hidden_below_db: float
    path: EchoMeasurement | None


def measure(microphone: Samples, played: Samples, sample_rate: int) -> SweepReport:
    """Find ``played``, a sweep between silences, in ``microphone``: same length, same clock.

    Raises ValueError when nothing was played.
    """
    sounding = np.flatnonzero(played)
    if not sounding.size:
        raise ValueError("no sweep was played")
    begin, end = int(sounding[0]), int(sounding[-1]) + 1
    gains = _correlated(microphone, played)
    lag, noise = _peak(gains, sample_rate)
    found = abs(gains[lag]) > _STANDS_OUT * noise and noise > 0.0
    back = slice(max(0, begin + lag), max(0, end + lag)) if found else slice(begin, end)
    heard = microphone[back]
    path = None
    if found:
        loss_db = _loss_db(microphone, played, lag, sample_rate)
        path = EchoMeasurement(lag * 1000.0 / sample_rate, loss_db)
    return SweepReport(
        played_dbfs=level_dbfs(played[begin:end]),
        noise_dbfs=_noise_dbfs(microphone[:begin], sample_rate),
        level_dbfs=level_dbfs(heard),
        peak=float(np.abs(heard).max(initial=0.0)),
        clipped_samples=int(np.count_nonzero(np.abs(heard) >= _CLIPPED)),
        hidden_below_db=-_db(_STANDS_OUT * noise),
        path=path,
    )


def cancelled_db(microphone: Samples, played: Samples, sample_rate: int) -> float:
    """Return the ERLE in dB that the echo filter of a conversation reaches on this recording.

    ``played`` is a hiss between silences. The figure is one that a quarter of the hiss's tenths of
    a second exceed: the filter learns the echo path at first, and where the devices' clocks jump.
    """
    lead = np.zeros(round(_EARLY_S * INPUT_SAMPLE_RATE), dtype=np.float32)
    far = np.concatenate((_at_echo_rate(played, sample_rate), lead))
    near = np.concatenate((lead, _at_echo_rate(microphone, sample_rate)))
    sounding = np.flatnonzero(far)
    hops = range(0, min(far.size, near.size) - HOP_SAMPLES + 1, HOP_SAMPLES)
    echo_filter = EchoFilter()
    left = np.concatenate(
        [
            echo_filter.process(far[at : at + HOP_SAMPLES], near[at : at + HOP_SAMPLES])[0]
            for at in hops
        ]
    )
    tenths = range(int(sounding[0]), int(sounding[-1]) - _TENTH, _TENTH)
    found = [
        _energy_db(near[at : at + _TENTH]) - _energy_db(left[at : at + _TENTH]) for at in tenths
    ]
    return float(np.percentile(found, 75))


def _energy_db(samples: Samples) -> float:
    return 10.0 * math.log10(float(np.dot(samples, samples)) + 1e-12)


def _at_echo_rate(samples: Samples, sample_rate: int) -> Samples:
    resampler = Resampler(sample_rate, INPUT_SAMPLE_RATE)
    return np.concatenate((resampler.process(samples), resampler.flush()))


def levels_over_time(samples: Samples, sample_rate: int, step_s: float = 0.05) -> list[float]:
    """Return the level of every ``step_s`` of ``samples``, in dBFS."""
    size = round(step_s * sample_rate)
    return [level_dbfs(samples[start : start + size]) for start in range(0, samples.size, size)]


def _correlated(microphone: Samples, played: Samples) -> npt.NDArray[np.float64]:
    """Return the gain of ``played`` in ``microphone`` at each lag; negative lags at the end."""
    size = _fft_size(microphone, played)
    spectrum = np.fft.rfft(microphone, size) * np.conj(np.fft.rfft(played, size))
    energy = float(np.dot(played.astype(np.float64), played))
    found: npt.NDArray[np.float64] = np.fft.irfft(spectrum, size) / energy
    return found


def _peak(gains: npt.NDArray[np.float64], sample_rate: int) -> tuple[int, float]:
    """Return the lag of the strongest echo in samples, and the deviation 0.1 s away from it."""
    early, late = round(_EARLY_S * sample_rate), round(_LONGEST_DELAY_S * sample_rate)
    causal = np.concatenate((gains[-early:], gains[:late]))
    peak = int(np.abs(causal).argmax())
    around = round(0.1 * sample_rate)
    elsewhere = np.concatenate((causal[: max(0, peak - around)], causal[peak + around :]))
    return peak - early, float(elsewhere.std())


def _loss_db(microphone: Samples, played: Samples, lag: int, sample_rate: int) -> float:
    """Return how many dB quieter ``played`` comes back around ``lag``, noise taken off."""
    size = _fft_size(microphone, played)
    source = np.fft.rfft(played, size)
    power = np.abs(source) ** 2
    floor = _SPECTRUM_FLOOR * power.max()
    response = np.fft.irfft(np.fft.rfft(microphone, size) * np.conj(source) / (power + floor), size)
    span = round((_BEFORE_S + _ROOM_S) * sample_rate)

    def gain2(start: int) -> float:
        piece = np.zeros(size)
        piece[:span] = np.roll(response, -start)[:span]
        return float((power * np.abs(np.fft.rfft(piece)) ** 2).sum() / power.sum())

    heard = gain2(lag - round(_BEFORE_S * sample_rate))
    noise = gain2(round(_NOISE_FROM_S * sample_rate))
    return -10.0 * math.log10(max(heard - noise, heard * 0.01, 1e-12))


def _noise_dbfs(before: Samples, sample_rate: int) -> float:
    """Return the level of the 0.8 s before the sweep; clicks of opening devices lie earlier."""
    quiet = before[-round(0.8 * sample_rate) : -round(0.02 * sample_rate)]
    return level_dbfs(quiet) if quiet.size else SILENCE_DBFS


def _fft_size(microphone: Samples, played: Samples) -> int:
    return 1 << int(microphone.size + played.size - 1).bit_length()


def _db(gain: float) -> float:
    return 20.0 * math.log10(max(gain, 1e-6))
