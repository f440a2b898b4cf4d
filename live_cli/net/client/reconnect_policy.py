"""The rule by which a lost session is connected again: how long to wait, and when to give up. Pure.

Theory of operation
===================

A client that reconnects must not become the attack on a server that fails. The machine here is told
what happens to the connections, with ``now`` in seconds, and answers one question: how long to wait
before the next attempt, or that there is none.

*Growth.* The first attempt follows at once, since most connections end for a reason that is over
with them. Every further one waits twice as long as the one before, from `FIRST_PAUSE_S` to
`LONGEST_PAUSE_S`, less a random part of at most a half: clients that lost the same server at the
same moment must not come back at the same moment (AWS Architecture Blog, "Exponential Backoff And
Jitter": equal jitter). Time that has passed since the connection ended counts as pause.

*Reset.* Only a connection that was of use begins the count anew: one that lived for `STEADY_S` and
brought a whole turn, or one that lived for `QUIET_STEADY_S`, as that of somebody who listens or
has nothing to say. One that ends while a question waits for its answer is of no use, unless it had
brought a turn.

*What a server asks for.* ``retry_after_s`` (`Retry-After`, the reason of a close 1013) is waited
for before the pause begins.

*End.* ``limit_s`` after the first attempt that neither a connection of use nor an answer followed,
there is no next one. A server that asks for a longer wait than that ends it at once.

In any minute there are at most some twenty attempts, whatever the connections do: a reset takes ten
seconds, and within ten seconds there is room for five.
"""

import random as randomness
from collections.abc import Callable
from typing import Final

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
STEADY_S: Final = 10.0
"""The least life of a connection that brought a turn for the pauses to begin anew."""
QUIET_STEADY_S: Final = 60.0
"""The least life of a connection that brought no turn for the pauses to begin anew."""
LIMIT_S: Final = 300.0
"""The default of how long a session is tried: longer outages want a person's decision."""


class ReconnectPolicy:
    """Counts attempts, from a connection that was made at ``now``.

    ``attempts``: how many have been made already. ``random``: numbers from 0 to 1.
    """

    def __init__(
        self,
        now: float,
        *,
        limit_s: float = LIMIT_S,
        attempts: int = 0,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self.limit_s = limit_s
        self._random = random
        self._connected_at = now
        self._ended_at = now
        self._brought_turn = False
        self._trouble_since: float | None = None
        self.attempts = attempts
        """Attempts since the last connection that was of use."""

    def connected(self, now: float) -> None:
        """Note that an attempt made a connection."""
        self._connected_at = now
        self._brought_turn = False

    def turn_completed(self, *, answers: bool) -> None:
        """Note a whole turn of the model; ``answers``: what had been asked."""
        self._brought_turn = True
        if answers:
            self._trouble_since = None

    def lost(self, now: float, *, unanswered: bool = False) -> None:
        """Note the end of the connection; ``unanswered``: a question was still to be answered."""
        lived_s = now - self._connected_at
        steady = lived_s >= STEADY_S if self._brought_turn else lived_s >= QUIET_STEADY_S
        if steady and (self._brought_turn or not unanswered):
            self.attempts = 0
            self._trouble_since = None
        self._ended_at = now

    def failed(self, now: float) -> None:
        """Note that an attempt made no connection."""
        self._ended_at = now

    def next_pause(self, now: float, retry_after_s: float | None = None) -> float | None:
        """Return the seconds to wait before the next attempt; None: give up."""
        if self._trouble_since is None:
            self._trouble_since = now
        due_at = self._ended_at + (retry_after_s or 0.0) + self._pause_s()
        pause_s = max(0.0, due_at - now)
        if now + pause_s > self._trouble_since + self.limit_s:
            return None
        self.attempts += 1
        return pause_s

    def tried_for_s(self, now: float) -> float:
        """Return for how long nothing has been of use; 0.0: no attempt has been made."""
        return 0.0 if self._trouble_since is None else now - self._trouble_since

    def _pause_s(self) -> float:
        if self.attempts == 0:
            return 0.0
        doublings = min(self.attempts - 1, 16)
        pause_s = min(FIRST_PAUSE_S * (1 << doublings), LONGEST_PAUSE_S)
        return pause_s * (1.0 - self._random() / 2)
