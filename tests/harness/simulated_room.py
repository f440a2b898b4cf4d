"""A room without air: what a microphone hears of a speaker, and speech to fill it with."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import soundfile
import soxr

from live_cli.audio.echo.canceller import EchoState
from live_cli.audio.pcm import Samples
from tests.harness.speech import QUESTION, moonshine_asset

RATE = 16_000
PLAYED_RATE = 24_000
BLOCK_MS = 20
DEVICE_LATENCY_MS = 60
"""From the speaker's callback to its sound, and the microphone's to its callback, together."""
LEAD_S = 2.0
"""Of silence before the first answer; the streams are aligned in its first half second."""
LEVEL_DBFS = -24.0
_MOVED_MS = 3
_MOVING_S = 0.3


def spoken(path: object, rate: int) -> Samples:
    """A recording at ``rate``, without the silence around it, as loud as all speech here."""
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
    once = spoken(moonshine_asset("two_cities.wav"), PLAYED_RATE)
    start = int(np.random.default_rng(seed).integers(once.size)) if seed else 0
    wanted = int((seconds - LEAD_S) * PLAYED_RATE)
    speech = np.resize(np.roll(once, -start), wanted)
    return np.concatenate((np.zeros(int(LEAD_S * PLAYED_RATE), np.float32), speech))


@lru_cache
def question() -> Samples:
    """A recorded person, at 16 kHz."""
    return spoken(QUESTION, RATE)


def said_at(samples: int, *at_s: float) -> Samples:
    """Silence, in which the question is asked at those times."""
    sound = np.zeros(samples, dtype=np.float32)
    for start in (int(at * RATE) for at in at_s):
        words = question()[: samples - start]
        sound[start : start + words.size] = words
    return sound


@dataclass(frozen=True)
class Room:
    """The echo path of a simulated room: what becomes of the speaker's sound at the microphone.

    A direct path, ``gain_db`` in all, and a tail of noise that has fallen by 60 dB after
    ``reverberation_s``. ``delay_ms`` is beside the devices' own latency. What makes rooms hard:
    ``clipped_dbfs``: the speaker cannot go beyond. ``drift_ppm``: the microphone's clock is faster
    by that. ``jumps``: (when in s, ms) the delay grows at once, as with devices that lose or
    gather samples. ``moved_at_s``: then another tail, and a direct path a metre longer.
    """

    delay_ms: int = 80
    gain_db: float = -6.0
    reverberation_s: float = 0.3
    clipped_dbfs: float | None = None
    drift_ppm: float = 0.0
    jumps: tuple[tuple[float, int], ...] = ()
    moved_at_s: float | None = None


HARD_ROOMS = {
    "hard clipping, RT60 0.5 s": Room(reverberation_s=0.5, clipped_dbfs=-16.0),
    "delay jumps +60, -40 ms": Room(jumps=((22.0, 60), (42.0, -40))),
    "clock drift 100 ppm": Room(drift_ppm=100.0),
    "moved at 45 s": Room(moved_at_s=45.0),
    "400 ms": Room(delay_ms=400),
    "loud, +4 dB": Room(gain_db=4.0),
}


def echo_of(
    played: Samples, delay_ms: int, gain_db: float, *, seed: int = 4, reverberation_s: float = 0.3
) -> Samples:
    """Return the echo of ``played`` in an easy room, as `echo_in` does."""
    return echo_in(Room(delay_ms, gain_db, reverberation_s), played, seed=seed)


def echo_in(room: Room, played: Samples, *, seed: int = 4) -> Samples:
    """``played`` (24 kHz) as the microphone hears it (16 kHz), from the moment it was written.

    ``seed`` chooses the tail.
    """
    if room.clipped_dbfs is not None:
        most = 10 ** (room.clipped_dbfs / 20)
        played = np.clip(played, -most, most)
    dry = soxr.resample(played, PLAYED_RATE, RATE * (1 + room.drift_ppm / 1e6))
    wet = _delayed(room, _convolved(dry, _response(room, seed)))
    if room.moved_at_s is not None:
        later = np.concatenate((np.zeros(_MOVED_MS * RATE // 1000), _response(room, seed + 1)))
        moved = np.clip((np.arange(wet.size) / RATE - room.moved_at_s) / _MOVING_S, 0, 1)
        wet = (1 - moved) * wet + moved * _delayed(room, _convolved(dry, later))
    wanted = played.size * RATE // PLAYED_RATE
    echo = np.zeros(wanted, dtype=np.float32)
    echo[: wet.size] = (10 ** (room.gain_db / 20) * wet)[:wanted]
    return echo


def _response(room: Room, seed: int) -> Samples:
    times = np.arange(int(room.reverberation_s * RATE)) / RATE
    tail = np.random.default_rng(seed).standard_normal(times.size)
    tail *= 10 ** (-3 * times / room.reverberation_s)
    response = 0.6 * tail / np.sqrt(np.sum(tail**2))
    response[0] += 1.0
    return response / np.sqrt(np.sum(response**2))


def _convolved(dry: Samples, response: Samples) -> Samples:
    size = dry.size + response.size - 1
    return np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(response, size), size)[: dry.size]


def _delayed(room: Room, wet: Samples) -> Samples:
    """``wet`` as late as it comes at each moment; what a jump skips is never heard."""
    late_ms = np.full(wet.size, DEVICE_LATENCY_MS + room.delay_ms)
    for at_s, by_ms in room.jumps:
        late_ms[int(at_s * RATE) :] += by_ms
    places = np.arange(wet.size) - late_ms * RATE // 1000
    return np.where(places >= 0, wet[places], 0)


def noise(samples: int, dbfs: float = -60.0, seed: int = 9) -> Samples:
    sound = np.random.default_rng(seed).standard_normal(samples) * 10 ** (dbfs / 20)
    return sound.astype(np.float32)


class Canceller(Protocol):
    """What the client's canceller and its peers have in common."""

    @property
    def state(self) -> EchoState: ...
    def play(self, samples: Samples) -> None: ...
    def process(self, microphone: Samples) -> Samples: ...


def through(
    canceller: Canceller, played: Samples, microphone: Samples
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
