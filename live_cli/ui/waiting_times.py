"""How long a person waited for each answer. Pure: told all times, in seconds on one clock.

Theory: the wait for a turn goes from the end of the last sound that the turn answers to its first
sound that can be heard. The sound that it answers is the user's last before the turn's first
output arrived, and after that of the turn before: a turn that nobody asked for (a second answer
to one question, a function's result) has no wait. What is shorter than a syllable is a knock or a
key and asks for nothing. A turn's wait does not count into the median where the turn was cut, or
where the user spoke between its arrival and its sound, or over it: the answer was not to that.
"""

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

SYLLABLE_S = 0.12
"""A knock, a cough or a key lasts for less, the shortest word for more ("yes": 0.2 s)."""
_ECHO_S = 0.1
"""So much the two ends' accounts of one moment may differ where the microphone hears the answer."""
_INPUTS_KEPT = 64
"""Bursts and lines between two answers that are looked at; only the last matters."""


@dataclass(slots=True)
class _Wait:
    """The wait for one turn, the first output of which ``arrived``.

    ``since``: the end of what it answers, None where that is nothing.
    """

    turn: int
    since: float | None
    arrived: float
    sounded: float | None = None
    disturbed: bool = False
    """Whether the turn was cut or spoken over."""

    @property
    def ms(self) -> float | None:
        if self.since is None or self.sounded is None:
            return None
        return max(0.0, self.sounded - self.since) * 1000


class WaitingTimes:
    """The waits of a session's turns."""

    def __init__(self) -> None:
        self._waits: list[_Wait] = []
        self._inputs: deque[tuple[float, float]] = deque(maxlen=_INPUTS_KEPT)

    def asked(self, at: float) -> None:
        """Note an input other than speech: a line sent, a key released in silence."""
        self._inputs.append((at, at))

    def spoke(self, begin: float, end: float, *, over_answer: bool = False) -> None:
        """Note a burst of the user's speech so far; it may grow with a later call.

        ``over_answer``: an answer plays meanwhile, and this is no echo of it.
        """
        if end - begin < SYLLABLE_S:
            return
        if self._inputs and self._inputs[-1][0] == begin:
            self._inputs.pop()
        self._inputs.append((begin, end))
        last = self._waits[-1] if self._waits else None
        if last is not None and end > last.arrived:
            before = last.sounded is None or begin < last.sounded - _ECHO_S
            last.disturbed = last.disturbed or over_answer or before

    def spoken_over(self) -> None:
        """Note that the user speaks over the turn that plays."""
        if self._waits:
            self._waits[-1].disturbed = True

    def arrived(self, turn: int, at: float) -> float | None:
        """Note output of ``turn``; returns since when it is waited for, None where it is not."""
        last = self._waits[-1] if self._waits else None
        if last is None or turn > last.turn:
            after = last.arrived if last else -math.inf
            ends = [end for _, end in self._inputs if after < end <= at]
            last = _Wait(turn, max(ends, default=None), at)
            self._waits.append(last)
        return last.since if last.turn == turn else None

    def sounded(self, turn: int, at: float) -> float | None:
        """Note when ``turn`` is first heard, or read; returns its wait in ms, the first time."""
        wait = self._of(turn)
        if wait is None or wait.sounded is not None:
            return None
        wait.sounded = at
        return wait.ms

    def cut(self, turn: int) -> None:
        """Note that ``turn`` was interrupted, or broke off."""
        if (wait := self._of(turn)) is not None:
            wait.disturbed = True

    def median_ms(self) -> float | None:
        """Return the median of the turns that were heard undisturbed; None where there is none."""
        waits = [wait.ms for wait in self._waits if not wait.disturbed and wait.ms is not None]
        return median(waits) if waits else None

    def _of(self, turn: int) -> _Wait | None:
        return next((wait for wait in reversed(self._waits) if wait.turn == turn), None)
