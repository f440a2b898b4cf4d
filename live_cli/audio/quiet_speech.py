"""Brings up recordings of quiet speech, before their samples are rounded to 16 bits.

A recorder across the room, a phone turned down: speech at -70 dBFS is 10 steps of 16 bits high, and
detectors and recognisers were taught on louder. What is loud enough stays as it is, to the bit.
"""

import math
from collections import deque
from collections.abc import Iterator

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_PIECE = INPUT_SAMPLE_RATE // 10
"""Sound whose level is measured at once: a tenth of a second, about a vowel."""
_QUIET_DBFS = -45.0
"""The loudest tenth of a second below this is quiet speech, or none."""
_SILENT_DBFS = -80.0
"""Below this nothing is brought up: no speech that 16 bits could hold."""
_TARGET_DBFS = -25.0
_BLOCKS_BEFORE, _BLOCKS_AFTER = 10, 3
"""Blocks, a second each, among which the loudest tenth counts: a pause keeps its speaker's gain,
and loud speech finds the gain turned down when it comes."""


class QuietSpeechGain:
    """Brings up quiet speech in a stream of blocks at 16 kHz; answers three blocks late."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=_BLOCKS_BEFORE + 1 + _BLOCKS_AFTER)
        self._waiting: deque[Samples] = deque()
        self._gain: float | None = None

    def process(self, block: Samples) -> Iterator[Samples]:
        """Take a block of about a second, yield what is ready."""
        self._levels.append(_loudest_dbfs(block))
        self._waiting.append(block)
        if len(self._waiting) > _BLOCKS_AFTER:
            yield self._brought_up(self._waiting.popleft())

    def flush(self) -> Iterator[Samples]:
        """Yield the rest."""
        while self._waiting:
            yield self._brought_up(self._waiting.popleft())

    def _brought_up(self, block: Samples) -> Samples:
        gain = _gain(max(self._levels))
        before = gain if self._gain is None else self._gain
        self._gain = gain
        if before == gain == 1.0:
            return block
        level: Samples = block - block.mean()  # an offset would be brought up with it, and clip
        level *= np.linspace(before, gain, block.size, dtype=np.float32)
        return level


def _gain(loudest_dbfs: float) -> float:
    if not _SILENT_DBFS < loudest_dbfs < _QUIET_DBFS:
        return 1.0
    return float(10 ** ((_TARGET_DBFS - loudest_dbfs) / 20))


def _loudest_dbfs(block: Samples) -> float:
    """Return the level of the loudest tenth of a second, less its mean: a converter's offset."""
    if not block.size:
        return -math.inf
    pieces = block[: block.size // _PIECE * _PIECE].reshape(-1, _PIECE)
    if not pieces.size:
        pieces = block[None, :]
    squares = np.einsum("ij,ij->i", pieces, pieces) / pieces.shape[1]
    loudest = float((squares - pieces.mean(axis=1) ** 2).max())
    return 10 * math.log10(loudest) if loudest > 0 and math.isfinite(loudest) else -math.inf
