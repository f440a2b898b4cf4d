"""Cuts a stream of blocks of any size into pieces of one size, such as frames of 20 ms."""

import numpy as np

from live_cli.audio.pcm import Samples


class Framer:
    """Cuts a stream into pieces of ``frame_samples``; nothing is lost or repeated."""

    def __init__(self, frame_samples: int) -> None:
        if frame_samples < 1:
            raise ValueError("a frame needs at least one sample")
        self._frame_samples = frame_samples
        self._rest: Samples = np.zeros(0, dtype=np.float32)

    def push(self, samples: Samples) -> list[Samples]:
        """Return the pieces that ``samples`` completes, each of shape (frame_samples,)."""
        joined = np.concatenate((self._rest, samples)) if self._rest.size else samples
        size = self._frame_samples
        whole = joined.size - joined.size % size
        self._rest = joined[whole:].copy()
        return [joined[start : start + size] for start in range(0, whole, size)]

    def flush(self) -> Samples | None:
        """Return the last piece, filled up with silence; None when nothing is left."""
        if not self._rest.size:
            return None
        frame = np.zeros(self._frame_samples, dtype=np.float32)
        frame[: self._rest.size] = self._rest
        self._rest = self._rest[:0]
        return frame
