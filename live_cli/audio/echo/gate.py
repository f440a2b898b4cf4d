"""Which of the microphone's hops go out while the speaker plays. Pure; counts hops of 10 ms.

Theory. A server decides by itself whether somebody speaks, so what is left of an echo must not
reach it. The line out is the microphone's, sample for sample; only when a hop leaves is decided:

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

_HELD_HOPS = 30
_MOST_HELD_HOPS = 100
_HANGOVER_HOPS = 80
"""At half of it twice as many words over an answer that goes on are lost."""


class EchoGate:
    """Hops of any one size in, none or many out; nothing is lost or repeated."""

    def __init__(self) -> None:
        self._held: deque[Samples] = deque()
        self._hangover = 0
        self._most = _HELD_HOPS

    @property
    def is_open(self) -> bool:
        return self._hangover > 0

    def hop(self, cleaned: Samples, *, speech: bool, known: bool) -> list[Samples]:
        """The next hop. ``known``: ``speech`` is a verdict; False: it is not known yet."""
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
        """All that is held, as it was heard."""
        out = list(self._held)
        self._held.clear()
        return out

    def shut(self) -> None:
        self._hangover = 0
