"""A stream at 16 kHz taken to 48 kHz and back, late by a fixed 1.5 ms: soxr answers in bursts.

One low-pass serves both ways: a sinc of 7.6 kHz under a Kaiser window, 97 taps.
"""

from functools import cache
from typing import Final

import numpy as np

from live_cli.audio.pcm import Samples

_TIMES: Final = 3
_HALF: Final = 48
"""Taps on each side of the middle one; a multiple of 3, so that the delay is whole at 16 kHz."""
_CUTOFF: Final = 7600 / 24_000
_BETA: Final = 7.0


class TripleRate:
    """Keeps the tails of both filters of one stream.

    What `down` gives at 16 kHz is `delay_samples` behind what `up` took.
    """

    delay_samples = 2 * _HALF // _TIMES

    def __init__(self) -> None:
        self._before_up = np.zeros(2 * _HALF, np.float32)
        self._before_down = np.zeros(2 * _HALF, np.float32)

    def up(self, samples: Samples) -> Samples:
        """Return ``samples`` (16 kHz) at 48 kHz."""
        spread = np.zeros(_TIMES * samples.size, np.float32)
        spread[::_TIMES] = _TIMES * samples
        joined = np.concatenate([self._before_up, spread])
        self._before_up = joined[-2 * _HALF :]
        return np.convolve(joined, _low_pass(), "valid")

    def down(self, samples: Samples) -> Samples:
        """Return ``samples`` (48 kHz, a multiple of three) at 16 kHz."""
        joined = np.concatenate([self._before_down, samples])
        self._before_down = joined[-2 * _HALF :]
        windows = np.lib.stride_tricks.sliding_window_view(joined, 2 * _HALF + 1)[::_TIMES]
        return np.ascontiguousarray(windows @ _low_pass())


@cache
def _low_pass() -> Samples:
    at = np.arange(-_HALF, _HALF + 1)
    taps = _CUTOFF * np.sinc(_CUTOFF * at) * np.kaiser(at.size, _BETA)
    return np.asarray(taps / taps.sum(), np.float32)
