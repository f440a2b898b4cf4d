"""Ducking: the model's voice is turned down while the user speaks over it. Pure; seconds.

FULL      the user begins to speak over the model                           -> LOW
LOW       the server confirms (`interrupted`), or has not within a second   -> SPENT
SPENT     full volume; the user has been silent for 1 s                        -> FULL
"""

from enum import Enum

CONFIRM_S = 1.0
PAUSE_S = 1.0
"""Shorter pauses are part of an utterance: the volume does not follow them."""


class _State(Enum):
    FULL = "full"
    LOW = "low"
    SPENT = "spent"


class Ducking:
    """Decides the volume from regular reports of near-end speech during playback."""

    def __init__(self) -> None:
        self._state = _State.FULL
        self._since = self._spoken_at = 0.0

    @property
    def low(self) -> bool:
        """Whether the model's voice is to be turned down now."""
        return self._state is _State.LOW

    def note(self, near_speech: bool, now: float) -> None:
        """Take one report: whether the user speaks over the model, at ``now`` seconds."""
        if near_speech:
            self._spoken_at = now
        if self._state is _State.FULL and near_speech:
            self._state, self._since = _State.LOW, now
        elif self._state is _State.LOW and now - self._since >= CONFIRM_S:
            self._state = _State.SPENT
        elif self._state is _State.SPENT and now - self._spoken_at >= PAUSE_S:
            self._state = _State.FULL

    def interrupted(self) -> None:
        """Return to full volume: the server has confirmed, and the answer fades out anyway."""
        self._state = _State.SPENT
