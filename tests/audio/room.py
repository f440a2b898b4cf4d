"""A room without air: what a microphone hears of a speaker, and speech to fill it with."""

from functools import lru_cache

import numpy as np
import soundfile
import soxr

from live_cli.audio.echo import EchoCanceller, EchoState
from live_cli.audio.pcm import Samples
from tests.speech import QUESTION, moonshine_asset

RATE = 16_000
PLAYED_RATE = 24_000
BLOCK_MS = 20
DEVICE_LATENCY_MS = 60
"""From the speaker's callback to its sound, and the microphone's to its callback, together."""
LEAD_S = 2.0
"""Of silence before the first answer; the streams are aligned in its first half second."""
LEVEL_DBFS = -24.0


def _spoken(path: object, rate: int) -> Samples:
    speech, own_rate = soundfile.read(path, dtype="float32")
    speech = soxr.resample(speech if speech.ndim == 1 else speech[:, 0], own_rate, rate)
    sounding = np.flatnonzero(np.abs(speech) > 0.02 * np.abs(speech).max())
    speech = speech[sounding[0] : sounding[-1]]
    loud = speech[np.abs(speech) > 0.01 * np.abs(speech).max()]
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(loud**2))
    return (speech * gain).astype(np.float32)


@lru_cache
def model_speech(seconds: float, seed: int = 0) -> Samples:
    """A reader, at 24 kHz, after two seconds of silence; ``seed`` chooses where he begins."""
    once = _spoken(moonshine_asset("two_cities.wav"), PLAYED_RATE)
    start = int(np.random.default_rng(seed).integers(once.size)) if seed else 0
    wanted = int((seconds - LEAD_S) * PLAYED_RATE)
    speech = np.resize(np.roll(once, -start), wanted)
    return np.concatenate((np.zeros(int(LEAD_S * PLAYED_RATE), np.float32), speech))


@lru_cache
def question() -> Samples:
    """A recorded person, at 16 kHz."""
    return _spoken(QUESTION, RATE)


def said_at(samples: int, *at_s: float) -> Samples:
    """Silence, in which the question is asked at those times."""
    sound = np.zeros(samples, dtype=np.float32)
    for start in (int(at * RATE) for at in at_s):
        words = question()[: samples - start]
        sound[start : start + words.size] = words
    return sound


def echo_of(
    played: Samples, delay_ms: int, gain_db: float, *, seed: int = 4, reverberation_s: float = 0.3
) -> Samples:
    """``played`` (24 kHz) as the microphone hears it (16 kHz), from the moment it was written.

    The room: a direct path and a tail of noise that has fallen by 60 dB after ``reverberation_s``.
    """
    times = np.arange(int(reverberation_s * RATE)) / RATE
    tail = np.random.default_rng(seed).standard_normal(times.size)
    tail *= 10 ** (-3 * times / reverberation_s)
    response = 0.6 * tail / np.sqrt(np.sum(tail**2))
    response[0] += 1.0
    response /= np.sqrt(np.sum(response**2))
    dry = soxr.resample(played, PLAYED_RATE, RATE)
    size = dry.size + response.size - 1
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(response, size), size)
    late = np.zeros((DEVICE_LATENCY_MS + delay_ms) * RATE // 1000)
    return (10 ** (gain_db / 20) * np.concatenate((late, wet))[: dry.size]).astype(np.float32)


def noise(samples: int, dbfs: float = -60.0, seed: int = 9) -> Samples:
    sound = np.random.default_rng(seed).standard_normal(samples) * 10 ** (dbfs / 20)
    return sound.astype(np.float32)


def through(
    canceller: EchoCanceller, played: Samples, microphone: Samples
) -> tuple[Samples, list[EchoState], list[int]]:
    """What is sent; the state, and the samples sent so far, after each block of 20 ms."""
    sent, states, counts = [], [], []
    per_block = RATE * BLOCK_MS // 1000
    for block in range(microphone.size // per_block):
        start = block * BLOCK_MS * PLAYED_RATE // 1000
        canceller.play(played[start : start + BLOCK_MS * PLAYED_RATE // 1000])
        sent.append(canceller.process(microphone[block * per_block : (block + 1) * per_block]))
        states.append(canceller.state)
        counts.append(sent[-1].size + (counts[-1] if counts else 0))
    return np.concatenate(sent), states, counts
