"""Finds by how much the echo has become later or earlier at once. Pure; counts hops of 20 ms.

Theory. Devices and sound servers lose or gather samples, and so does the queue of the reference.
The room is still the same then: what is heard is what the filter predicts, only later or earlier.
Both are kept for a while, and the prediction is slid along what was heard. Where it resembles that
best, by its normalised cross-correlation, is the jump; if it resembles it enough, and more than
where it was, twice in a row. Both are differentiated first, else the vowels' low tones, which
resemble themselves at many lags, decide; and made equally loud in each hop, else the loudest does.
"""

from collections import deque

import numpy as np

from live_cli.audio.echo.correlation import correlation, whitened
from live_cli.audio.echo.filter import HOP_SAMPLES, shifted
from live_cli.audio.pcm import Samples

_WINDOW_HOPS = 7
"""Long enough to tell lags apart, short enough to answer before 140 ms make speech."""
_MOST_HOPS = 8
"""160 ms either way."""
_KEPT_HOPS = _WINDOW_HOPS + _MOST_HOPS
_ALIKE, _MORE_ALIKE = 0.45, 0.3
"""Thresholds of the correlation, absolute and over that at no lag: between speech beside an echo
that has not jumped, and an echo that has."""
_SAME = 2
"""Samples by which two results in a row may differ."""


class DelayJump:
    """Compares the last hops heard with the last predicted, for a jump of the echo's delay."""

    def __init__(self) -> None:
        self._candidate = self._last_candidate = 0
        self._heard, self._echo = (
            deque([np.zeros(HOP_SAMPLES, np.float32)] * _KEPT_HOPS, _KEPT_HOPS) for _ in range(2)
        )

    def note(self, heard: Samples, echo: Samples) -> None:
        """Take the next hop that was heard, and its predicted echo."""
        self._heard.append(heard)
        self._echo.append(echo)
        self._candidate, self._last_candidate = 0, self._candidate

    def shift(self, samples: int) -> None:
        """Shift the predictions kept, as the filter was shifted: later by ``samples``."""
        self._echo.extend(shifted(np.concatenate(self._echo), samples).reshape(-1, HOP_SAMPLES))

    def find(self) -> int:
        """Return by how many samples the echo is later (negative: earlier), 0 for no jump."""
        heard, echo = (whitened(np.stack(hops)).ravel() for hops in (self._heard, self._echo))
        window = _WINDOW_HOPS * HOP_SAMPLES
        later = correlation(heard[-window:], echo)
        earlier = correlation(echo[-window:], heard)
        best, best_earlier = int(np.argmax(later)), int(np.argmax(earlier))
        jump = best if later[best] >= earlier[best_earlier] else -best_earlier
        alike = max(later[best], earlier[best_earlier])
        if alike < _ALIKE or alike < later[0] + _MORE_ALIKE:
            return 0
        self._candidate = jump
        return jump if abs(jump - self._last_candidate) <= _SAME else 0
