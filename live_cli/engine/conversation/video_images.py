"""Camera images of a session, at most one a second, kept until the user's turn takes them. Pure.

Theory of operation
-------------------
A camera sends as fast as it likes; one frame a second is kept (the Live API's rate, reference
§2.6) and the rest is dropped. Frames that come at about one a second arrive a little early or late,
and none of those may be lost: arrival is held against a schedule that allows half a second of
earliness (the generic cell rate algorithm), so the long-run rate is one a second all the same.

What is kept belongs to the turn in which it was shown (turn coverage, reference §2.3):

    TURN_INCLUDES_ONLY_ACTIVITY   frames during the activity, and the latest one before it
    the other two                 all frames since the last turn

The kept are bounded in number and in bytes; of too many the oldest go.
"""

from collections import deque

from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.setup.media import ONLY_ACTIVITY

MOST_FRAMES = 60
MOST_BYTES = 24 * 1024 * 1024
"""Of one turn; a JPEG of a camera has some 100 kB."""
_INTERVAL_S = 1.0
_EARLINESS_S = 0.5


class VideoImages:
    """The stills of the user's turn that is coming. Told ``now`` in seconds on a steady clock."""

    def __init__(self, coverage: str = ONLY_ACTIVITY) -> None:
        self._only_activity = coverage == ONLY_ACTIVITY
        self._kept: deque[StoredImage] = deque()
        self._bytes = 0
        self._active = False
        self._next_s = float("-inf")

    def due(self, now: float) -> bool:
        """Whether a frame that arrives ``now`` is kept; if so, the next is due a second later."""
        if now < self._next_s:
            return False
        self._next_s = max(self._next_s + _INTERVAL_S, now + _INTERVAL_S - _EARLINESS_S)
        return True

    def keep(self, picture: StoredImage) -> None:
        """Keep a frame that was due, in place of what it makes stale."""
        if self._only_activity and not self._active:
            self._drop(len(self._kept))
        self._kept.append(picture)
        self._bytes += picture.bytes
        while len(self._kept) > MOST_FRAMES or self._bytes > MOST_BYTES:
            self._drop(1)

    def begin_activity(self) -> None:
        """The user began to speak: what is shown from now on belongs to the turn."""
        self._active = True

    def end_activity(self) -> None:
        """It was only noise: no turn comes of it."""
        self._active = False
        if self._only_activity:
            self._drop(len(self._kept) - 1)

    def take(self) -> tuple[StoredImage, ...]:
        """The user's turn is over: its frames, oldest first. None of them comes again."""
        taken = tuple(self._kept)
        self._drop(len(self._kept))
        self._active = False
        return taken

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= self._kept.popleft().bytes
