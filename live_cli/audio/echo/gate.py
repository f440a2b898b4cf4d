"""Gates the microphone's hops while the speaker plays. Pure; counts hops of 20 ms.

Theory. A server decides by itself whether somebody speaks, so what is left of an echo must not
reach it. The stream out is the microphone's, sample for sample; only when a hop leaves is decided:

    SHUT   hops are held for 300 ms, then leave as silence: a residual turned down to the background
           still sounds like speech to a detector. While it is not known yet whether they
           are echo they are held for up to a second.
             somebody speaks: all that is held leaves at once, as it was heard          -> OPEN
    OPEN   each hop leaves as it comes, without the echo.
             nobody has spoken for 800 ms, a pause within a sentence                    -> SHUT
"""

from collections import deque

import numpy as np

from live_cli.audio.pcm import Samples

_HELD_HOPS = 15
_MOST_HELD_HOPS = 50
_HANGOVER_HOPS = 40
"""800 ms; at half of it twice as many words over an answer that goes on are lost."""


class EchoGate:
    """Holds hops back until they are judged; none is lost or repeated. Hops are of one size."""

    def __init__(self) -> None:
        self._held: deque[Samples] = deque()
        self._hangover = 0
        self._most = _HELD_HOPS

    @property
    def is_open(self) -> bool:
        """Return whether hops leave as they come."""
        return self._hangover > 0

    def hop(self, cleaned: Samples, *, speech: bool, known: bool) -> list[Samples]:
        """Take the next hop, return those that leave now. ``known`` False: ``speech`` may err."""
        self._hangover = _HANGOVER_HOPS if speech else max(0, self._hangover - 1)
        self._held.append(cleaned)
        if self._hangover:
            return self.release()
        self._most = max(_HELD_HOPS, self._most - 1) if known else _MOST_HELD_HOPS
        out = []
        while len(self._held) > self._most:
            out.append(np.zeros_like(self._held.popleft()))
        return out

    def release(self) -> list[Samples]:
        """Return all hops held, as they were heard."""
        out = list(self._held)
        self._held.clear()
        return out

    def shut(self) -> None:
        """Hold the hops that follow, until somebody speaks."""
        self._hangover = 0
