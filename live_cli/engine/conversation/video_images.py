"""Camera images of a session, at most one a second, kept until the user's turn takes them. Pure.

Theory of operation
-------------------
A camera sends as fast as it likes; one image a second is kept (the Live API's rate, reference
§2.6) and the rest is dropped. Images that come at about one a second arrive a little early or late,
and none of those may be lost: arrival is held against a schedule that allows half a second of
earliness (the generic cell rate algorithm), so the long-run rate is one a second all the same.

What is kept belongs to the turn in which it was shown (turn coverage, reference §2.3):

    TURN_INCLUDES_ONLY_ACTIVITY   images during the activity, and the latest one before it
    the other two                 all images since the last turn

The kept images are bounded in number and in bytes; of too many the oldest go.
"""

from collections import deque

from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.setup.media import ONLY_ACTIVITY

MOST_IMAGES = 60
MOST_BYTES = 24 * 1024 * 1024
"""Bytes of one turn's images; a JPEG of a camera has some 100 kB."""
_INTERVAL_S = 1.0
_EARLINESS_S = 0.5


class VideoImages:
    """The camera images of the user's next turn. ``now`` is seconds on any steady clock."""

    def __init__(self, coverage: str = ONLY_ACTIVITY) -> None:
        self._only_activity = coverage == ONLY_ACTIVITY
        self._kept: deque[StoredImage] = deque()
        self._bytes = 0
        self._active = False
        self._next_s = float("-inf")

    def due(self, now: float) -> bool:
        """Return whether an image that comes ``now`` is to be kept; then the next is due in 1 s."""
        if now < self._next_s:
            return False
        self._next_s = max(self._next_s + _INTERVAL_S, now + _INTERVAL_S - _EARLINESS_S)
        return True

    def keep(self, image: StoredImage) -> None:
        """Keep an image that was due; outside an activity it may replace the ones before it."""
        if self._only_activity and not self._active:
            self._drop(len(self._kept))
        self._kept.append(image)
        self._bytes += image.bytes
        while len(self._kept) > MOST_IMAGES or self._bytes > MOST_BYTES:
            self._drop(1)

    @property
    def is_waiting(self) -> bool:
        """Return whether images are kept for the next turn."""
        return bool(self._kept)

    def begin_activity(self) -> None:
        """Begin the user's activity: all images from now on belong to its turn."""
        self._active = True

    def end_activity(self) -> None:
        """End an activity that brings no turn of the user, such as noise."""
        self._active = False
        if self._only_activity:
            self._drop(len(self._kept) - 1)

    def take(self) -> tuple[StoredImage, ...]:
        """Hand over the images of the user's turn, oldest first, and forget them."""
        taken = tuple(self._kept)
        self._drop(len(self._kept))
        self._active = False
        return taken

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= self._kept.popleft().bytes
