"""The distance of speech from its background, from the levels of frames. Pure.

Theory: speech is never steady. Within a second or two it dips to the background, between words and
in the closures of consonants, and rises far over it. So of the levels of many frames in a row a low
percentile is the background, whatever that is, and a high one is the speech; their difference
estimates the signal-to-noise ratio. No detector of speech is asked: in noise it would err first.
A background below `AUDIBLE_DBFS` harms nobody, however quiet the speech is.
"""

from typing import Final

import numpy as np

from live_cli.audio.framer import Framer
from live_cli.audio.levels import level_dbfs
from live_cli.audio.pcm import Samples
from live_cli.sample_rates import FRAME_SAMPLES

AUDIBLE_DBFS: Final = -65.0
_KEPT_FRAMES: Final = 1000
"""20 s: longer than any segment of speech, with what was before it."""
_FEWEST_FRAMES: Final = 25
_BACKGROUND_PERCENTILE: Final = 10
_SPEECH_PERCENTILE: Final = 95


class NoiseMeter:
    """Keeps the levels of the last 20 s of one stream at 16 kHz; positions count its samples."""

    def __init__(self) -> None:
        self._framer = Framer(FRAME_SAMPLES)
        self._levels = np.zeros(_KEPT_FRAMES, np.float32)
        self._frames = 0

    def push(self, samples: Samples) -> None:
        """Take the next ``samples`` of the stream."""
        for frame in self._framer.push(samples):
            self._levels[self._frames % _KEPT_FRAMES] = level_dbfs(frame)
            self._frames += 1

    def snr_db(self, start: int, end: int) -> float | None:
        """Return how far speech stands out between the positions ``start`` and ``end``, in dB.

        None where less than half a second of that is known; infinite where the background cannot
        be heard.
        """
        first = max(0, self._frames - _KEPT_FRAMES, start // FRAME_SAMPLES)
        last = min(self._frames, end // FRAME_SAMPLES)
        if last - first < _FEWEST_FRAMES:
            return None
        levels = self._levels[np.arange(first, last) % _KEPT_FRAMES]
        background, speech = np.percentile(levels, (_BACKGROUND_PERCENTILE, _SPEECH_PERCENTILE))
        return float("inf") if background < AUDIBLE_DBFS else float(speech - background)
