"""Decides when a lost device is opened again, and when the default may replace it. Pure.

Times are in seconds, on a clock that counts while the machine sleeps. The states of a device:

    RUNNING   it is lost                          -> LOST, a try is due at once
    LOST      a try is refused                    -> LOST, due again after 0.25, 0.5, then each 1 s
              a try opens it                      -> OPENED
    OPENED    it calls back                       -> RUNNING
              it is lost, or silent for a second  -> LOST

A device that is open is not back yet: a suspended one can be opened, and never calls back. The
chosen device is waited for; after a second the system's default one will do as well, since who
unplugs a headset goes on with what is left. A second between two tries, and one in which a try may
fail, find a device again within two seconds of its return.
"""

from enum import Enum

TRY_AFTER_S = (0.25, 0.5, 1.0)
CALL_BACK_WITHIN_S = 1.0
DEFAULT_AFTER_S = 1.0


class Phase(Enum):
    """State of a device; see the theory above."""

    RUNNING = "running"
    LOST = "lost"
    OPENED = "opened"


class Reopening:
    """State and schedule of the attempts to open one device."""

    def __init__(self) -> None:
        self.phase = Phase.RUNNING
        self._lost_at = 0.0
        self._due_at = 0.0
        self._refusals = 0
        self._opened_at = 0.0

    def lose(self, now: float) -> None:
        """Enter LOST: the device is gone, from OPENED for a second time."""
        if self.phase is Phase.RUNNING:
            self._lost_at = self._due_at = now
            self._refusals = 0
        elif self.phase is Phase.OPENED:
            self._wait(now)
        self.phase = Phase.LOST

    def refused(self, now: float) -> None:
        """Schedule the next try after one that failed."""
        self._wait(now)

    def opened(self, now: float) -> None:
        """Enter OPENED: a try has opened a device."""
        self.phase = Phase.OPENED
        self._opened_at = now

    def called_back(self) -> None:
        """Enter RUNNING: the device has called back."""
        self.phase = Phase.RUNNING

    def _wait(self, now: float) -> None:
        self._due_at = now + TRY_AFTER_S[min(self._refusals, len(TRY_AFTER_S) - 1)]
        self._refusals += 1

    def is_due(self, now: float) -> bool:
        """Return whether a try is due."""
        return self.phase is Phase.LOST and now >= self._due_at

    def is_overdue(self, now: float) -> bool:
        """Return whether a device that is open has been silent for too long."""
        return self.phase is Phase.OPENED and now - self._opened_at >= CALL_BACK_WITHIN_S

    def takes_default(self, now: float) -> bool:
        """Return whether the system's default device may replace the chosen one."""
        return self.away_s(now) >= DEFAULT_AFTER_S

    def away_s(self, now: float) -> float:
        """Return for how long there has been no device; 0 while it runs."""
        return 0.0 if self.phase is Phase.RUNNING else now - self._lost_at
