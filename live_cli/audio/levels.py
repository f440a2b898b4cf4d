"""Measures the level of sound, and where speech-like energy begins and ends."""

import math
from collections import deque

import numpy as np

from live_cli.audio.framer import Framer
from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

SILENCE_DBFS = -100.0
"""The level of digital silence, and of no samples at all."""


def level_dbfs(samples: Samples) -> float:
    """Return the RMS level in dBFS (a full-scale sine is -3.0), never under SILENCE_DBFS."""
    if not samples.size:
        return SILENCE_DBFS
    mean_square = float(np.dot(samples, samples)) / samples.size
    if not mean_square > 0.0:
        return SILENCE_DBFS
    return max(SILENCE_DBFS, 10.0 * math.log10(mean_square))


class SpeechEndMeter:
    """Counts samples and keeps the index at which speech-like energy last ended.

    Theory: the level of every 10 ms window is compared with a noise floor. The floor is the lowest
    level of the last three seconds (minimum statistics, Martin 2001: speech dips to the background
    between words, steady noise does not rise over its own minimum), held between -65 and, while
    less than a second has been heard, -45 dBFS, so that a stream which begins with speech does not
    take speech for its floor. A window is loud when it is 12 dB over the floor; speech-like energy
    is three loud windows in a row, so clicks do not count. It is a clock for latency figures, not
    a voice activity detector: a door slam counts.
    """

    _WINDOW_MS = 10
    _OVER_FLOOR_DB = 12.0
    _QUIETEST_FLOOR_DBFS = -65.0
    _LOUDEST_FIRST_FLOOR_DBFS = -45.0
    _LEARNING_WINDOWS = 100
    _LOUD_RUN = 3
    _BLOCK_WINDOWS = 25
    _FLOOR_BLOCKS = 12

    def __init__(self, sample_rate: int = INPUT_SAMPLE_RATE) -> None:
        self._window_samples = sample_rate * self._WINDOW_MS // 1000
        self._framer = Framer(self._window_samples)
        self._windows = 0
        self._loud_run = 0
        self._block_minima: deque[float] = deque([math.inf], maxlen=self._FLOOR_BLOCKS)
        self.samples_heard = 0
        self.last_speech_end: int | None = None
        """Index of the first sample after the last speech-like energy; None: none so far."""

    def push(self, samples: Samples) -> None:
        """Take the next ``samples`` of the stream."""
        self.samples_heard += samples.size
        for window in self._framer.push(samples):
            self._judge(level_dbfs(window))

    @property
    def noise_floor_dbfs(self) -> float:
        """Estimated level of the background; see the theory above."""
        floor = max(self._QUIETEST_FLOOR_DBFS, min(self._block_minima))
        if self._windows < self._LEARNING_WINDOWS:
            floor = min(floor, self._LOUDEST_FIRST_FLOOR_DBFS)
        return floor

    def _judge(self, dbfs: float) -> None:
        if self._windows % self._BLOCK_WINDOWS == 0 and self._windows:
            self._block_minima.append(math.inf)
        self._windows += 1
        self._block_minima[-1] = min(self._block_minima[-1], dbfs)
        loud = dbfs > self.noise_floor_dbfs + self._OVER_FLOOR_DB
        self._loud_run = self._loud_run + 1 if loud else 0
        if self._loud_run >= self._LOUD_RUN:
            self.last_speech_end = self._windows * self._window_samples


class SpeechRuns:
    """Collects when speech-like energy began and ended; pauses under 0.7 s are bridged.

    ``burst`` is the last piece without any pause to speak of: the closure of a consonant is bridged
    (0.1 s), no more, so that a knock behind a sentence stands alone.
    """

    _BRIDGED_S = 0.7
    _BURST_BRIDGED_S = 0.15
    _ATTACK_S = 0.05
    _KEPT = 256

    def __init__(self, sample_rate: int = INPUT_SAMPLE_RATE) -> None:
        self._rate = sample_rate
        self._meter = SpeechEndMeter(sample_rate)
        self._runs: deque[tuple[float, float]] = deque(maxlen=self._KEPT)
        self.burst: tuple[float, float] | None = None
        """(begin, end) in seconds; None: there was none."""

    def push(self, samples: Samples, at_s: float) -> None:
        """Take the next ``samples``, which begin at ``at_s`` seconds; there may be gaps."""
        before = self._meter.last_speech_end
        self._meter.push(samples)
        end = self._meter.last_speech_end
        if end is None or end == before:
            return
        behind = self._meter.samples_heard - end
        end_s = at_s + (samples.size - behind) / self._rate
        goes_on = self.burst is not None and end_s - self.burst[1] < self._BURST_BRIDGED_S
        begin_s = self.burst[0] if self.burst and goes_on else end_s - self._ATTACK_S
        self.burst = (begin_s, end_s)
        if self._runs and end_s - self._runs[-1][1] < self._BRIDGED_S:
            self._runs[-1] = (self._runs[-1][0], end_s)
        else:
            self._runs.append((end_s - self._ATTACK_S, end_s))

    @property
    def last(self) -> tuple[float, float] | None:
        """The last run of speech: (begin, end) in seconds; None: there was none."""
        return self._runs[-1] if self._runs else None

    @property
    def runs(self) -> tuple[tuple[float, float], ...]:
        """The last 256 runs of speech, oldest first: (begin, end) in seconds."""
        return tuple(self._runs)
