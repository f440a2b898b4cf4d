"""The last samples of a stream: what segments of speech are cut out of. Pure."""

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE


class SampleBuffer:
    """The last samples of a stream, addressed by their index from the start of the stream."""

    def __init__(self, origin: int = 0) -> None:
        """``origin``: the index of the first sample that will be appended."""
        self._store = np.zeros(INPUT_SAMPLE_RATE, np.float32)
        self._origin = origin  # the index of the first sample kept
        self._length = 0

    @property
    def start(self) -> int:
        """The index of the first sample that is kept."""
        return self._origin

    @property
    def end(self) -> int:
        return self._origin + self._length

    def append(self, samples: Samples) -> None:
        needed = self._length + len(samples)
        if needed > len(self._store):
            grown = np.zeros(2 * needed, np.float32)
            grown[: self._length] = self._store[: self._length]
            self._store = grown
        self._store[self._length : needed] = samples
        self._length = needed

    def between(self, start: int, end: int) -> Samples:
        """A copy of samples ``start`` to ``end``."""
        return self._store[max(0, start - self._origin) : end - self._origin].copy()

    def forget_before(self, index: int) -> None:
        """Drop the samples before ``index``; the rest is moved only when that frees a second."""
        stale = index - self._origin
        if stale >= INPUT_SAMPLE_RATE:
            kept = self._store[stale : self._length].copy()
            self._store[: len(kept)] = kept
            self._origin, self._length = index, len(kept)
