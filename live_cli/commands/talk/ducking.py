"""When the model's voice is turned down because somebody speaks over it. Pure; seconds.

FULL      somebody begins to speak over the model                           -> LOW
LOW       the server confirms (`interrupted`), or has not within a second   -> SPENT
SPENT     full volume; nobody has spoken for a second                          -> FULL
"""

from enum import Enum

CONFIRM_S = 1.0
PAUSE_S = 1.0
"""Shorter pauses are within what somebody says: the volume does not follow them."""


class _State(Enum):
    FULL = "full"
    LOW = "low"
    SPENT = "spent"


class Ducking:
    """Told now and then whether somebody speaks over the model."""

    def __init__(self) -> None:
        self._state = _State.FULL
        self._since = self._spoken_at = 0.0

    @property
    def low(self) -> bool:
        return self._state is _State.LOW

    def note(self, near_speech: bool, now: float) -> None:
        if near_speech:
            self._spoken_at = now
        if self._state is _State.FULL and near_speech:
            self._state, self._since = _State.LOW, now
        elif self._state is _State.LOW and now - self._since >= CONFIRM_S:
            self._state = _State.SPENT
        elif self._state is _State.SPENT and now - self._spoken_at >= PAUSE_S:
            self._state = _State.FULL

    def interrupted(self) -> None:
        """The server has heard it: what is left of the answer fades out anyway."""
        self._state = _State.SPENT
