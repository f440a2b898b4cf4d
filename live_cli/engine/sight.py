"""What a session is shown: stills checked, priced, and kept until the user's turn takes them. Pure.

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
from dataclasses import dataclass

from live_cli.engine.stages import Image
from live_cli.errors import UnsupportedError

ONLY_ACTIVITY = "TURN_INCLUDES_ONLY_ACTIVITY"
ALL_INPUT = "TURN_INCLUDES_ALL_INPUT"
ALL_VIDEO = "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"

MOST_FRAMES = 60
MOST_BYTES = 24 * 1024 * 1024
"""Of one turn; a JPEG of a camera has some 100 kB."""
LARGEST_IMAGE_BYTES = 7 * 1024 * 1024
_INTERVAL_S = 1.0
_EARLINESS_S = 0.5

_TOKENS = {"LOW": (64, "low"), "MEDIUM": (256, "auto"), "HIGH": (256, "high")}
_DEFAULT_TOKENS = (258, "auto")


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one picture costs, billed, and how closely an endpoint is asked to look at it."""

    tokens: int = _DEFAULT_TOKENS[0]
    detail: str = _DEFAULT_TOKENS[1]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in the history. ``live``: a frame of the camera's (VIDEO), not one sent (IMAGE)."""

    image: Image
    tokens: int = _DEFAULT_TOKENS[0]
    live: bool = False

    @property
    def bytes(self) -> int:
        return len(self.image.data)


def resolution_of(media_resolution: str | None) -> Resolution:
    """Tokens an image by the setting's enum (reference §4.9). Raises UnsupportedError."""
    name = (media_resolution or "UNSPECIFIED").upper().removeprefix("MEDIA_RESOLUTION_")
    if name == "UNSPECIFIED":
        return Resolution()
    if name not in _TOKENS:
        raise UnsupportedError(
            f"Media resolution {name[:20]!r} is not known: MEDIA_RESOLUTION_LOW, MEDIUM or HIGH."
        )
    return Resolution(*_TOKENS[name])


def picture_of(
    data: bytes, mime_type: str, resolution: Resolution, *, live: bool = False
) -> Picture:
    """An image as it came, of one of the three types. Raises UnsupportedError, which says why."""
    said = mime_type.partition(";")[0].strip().lower().replace("image/jpg", "image/jpeg")
    if said not in ("image/jpeg", "image/png", "image/webp"):
        raise UnsupportedError(
            f"Images of type {said[:40]!r} are not read: send JPEG, PNG or WebP."
        )
    if not data:
        raise UnsupportedError("The image is empty.")
    if len(data) > LARGEST_IMAGE_BYTES:
        limit = LARGEST_IMAGE_BYTES // 2**20
        raise UnsupportedError(f"The image has {len(data) / 2**20:.1f} MiB; at most {limit} go in.")
    found = _type_of(data)
    if found is None:
        raise UnsupportedError(f"The data is not an image: it does not begin as {said} does.")
    if found != said:
        raise UnsupportedError(f"The image is {found}, not {said} as its mimeType says.")
    return Picture(Image(data, said, resolution.detail), resolution.tokens, live)


def _type_of(data: bytes) -> str | None:
    """The type that the first bytes tell, of those that are read here."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def coverage_of(turn_coverage: str | None, default: str) -> str:
    """What enters the user's turn. Raises UnsupportedError."""
    if not turn_coverage or turn_coverage == "TURN_COVERAGE_UNSPECIFIED":
        return default
    if turn_coverage not in (ONLY_ACTIVITY, ALL_INPUT, ALL_VIDEO):
        raise UnsupportedError(f"Turn coverage {turn_coverage[:60]!r} is not known.")
    return turn_coverage


class Frames:
    """The stills of the user's turn that is coming. Told ``now`` in seconds on a steady clock."""

    def __init__(self, coverage: str = ONLY_ACTIVITY) -> None:
        self._only_activity = coverage == ONLY_ACTIVITY
        self._kept: deque[Picture] = deque()
        self._bytes = 0
        self._active = False
        self._next_s = float("-inf")

    def due(self, now: float) -> bool:
        """Whether a frame that arrives ``now`` is kept; if so, the next is due a second later."""
        if now < self._next_s:
            return False
        self._next_s = max(self._next_s + _INTERVAL_S, now + _INTERVAL_S - _EARLINESS_S)
        return True

    def keep(self, picture: Picture) -> None:
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

    def take(self) -> tuple[Picture, ...]:
        """The user's turn is over: its frames, oldest first. None of them comes again."""
        taken = tuple(self._kept)
        self._drop(len(self._kept))
        self._active = False
        return taken

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= self._kept.popleft().bytes
