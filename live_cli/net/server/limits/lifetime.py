"""How long connections and sessions may last. Pure.

Theory of operation
===================

A *connection* ends after its limit whatever happens on it. A *session* is a conversation over all
the connections that resume it (`ResumableSession`): without compression of its context it ends
after its limit, and sooner once video has come, for images fill the context faster. A *token's*
end is the end of the sessions it admitted. The earliest of the three counts.

Before each end a goAway says how much time is left: `warning_s`, or half of a limit that is shorter
than two of them. A client answers goAway by resuming on a new connection. That helps against the
connection's limit alone, so the other two warn once a session, or the client would resume again
and again within its last minute.

Source: Live API reference, §4.7 (limits) and §5 (the connection's close reason).
"""

import math
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from live_cli.fair_share import OWNER, largest_holder
from live_cli.net.server.close_reason import CloseReason
from live_cli.protocol.wire import format_duration

CONNECTION_OVER: Final = CloseReason(
    1011, "Deadline expired before operation could complete.", "deadline"
)


@dataclass(frozen=True, slots=True)
class LifetimeLimits:
    """Time limits in seconds; 0 is no limit. The defaults are the capabilities guide's."""

    connection_s: float = 600.0
    audio_session_s: float = 900.0
    video_session_s: float = 120.0
    """Counted from the session's first image."""
    warning_s: float = 60.0


NO_LIMITS: Final = LifetimeLimits(connection_s=0, audio_session_s=0, video_session_s=0)
"""The limits of a server that a command starts for itself alone."""


@dataclass(slots=True, eq=False)
class ResumableSession:
    """A session over all its connections, of which one at a time is open.

    ``principal``: who opened the session, by the opaque name. ``used_s``: the time of its
    connections that have ended. ``video_at_s``: the session's time at its first image.
    ``id`` and ``epoch``: the session's name in a store, and how often it was resumed.
    """

    principal: str = OWNER
    used_s: float = 0.0
    video_at_s: float | None = None
    warned: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    epoch: int = 0
    _end_connection: Callable[[], None] | None = None

    def attach(self, end_connection: Callable[[], None]) -> None:
        """Give the session to a new connection, and end the one that had it.

        A client that resumes has often lost a connection that still looks open to the server; and
        a token's one use would be worth any number of sessions if they could run side by side.
        """
        if self._end_connection is not None:
            self._end_connection()
        self._end_connection = end_connection

    def detach(self, end_connection: Callable[[], None]) -> None:
        """Forget the connection that was attached with ``end_connection``: it has ended."""
        if self._end_connection == end_connection:
            self._end_connection = None


@dataclass(slots=True)
class ResumableSessions:
    """The session that each resumption handle of a principal stands for; ``most`` are kept."""

    most: int = 4096
    _kept: dict[tuple[str, str], ResumableSession] = field(default_factory=dict)
    """By principal and handle, the oldest handle first."""

    def note(self, handle: str, session: ResumableSession) -> None:
        """Remember that ``handle`` resumes ``session``, for the session's own principal.

        The oldest handle of the principal that holds the most makes room.
        """
        while len(self._kept) >= self.most:
            loser = largest_holder(Counter(principal for principal, _ in self._kept))
            del self._kept[next(key for key in self._kept if key[0] == loser)]
        self._kept[session.principal, handle] = session

    def find(self, principal: str, handle: str | None) -> ResumableSession | None:
        """Return the session that ``handle`` resumes for ``principal``, None when there is none."""
        return self._kept.get((principal, handle)) if handle else None


@dataclass(frozen=True, slots=True)
class GoAwayDue:
    """A goAway is due: the connection ends in ``left_s`` seconds."""

    left_s: float


@dataclass(frozen=True, slots=True)
class _End:
    at: float
    lead_s: float
    why: CloseReason
    of_session: bool
    """Whether resuming does not help: the end is the session's or its token's."""


class Lifetime:
    """The time limits of one connection, told ``now`` in seconds on any monotonic clock.

    ``compresses``: the session's context is compressed, which lifts the session's own limits.
    ``token_end``: when the session's token expires, and the close reason for it.
    """

    def __init__(
        self,
        limits: LifetimeLimits,
        session: ResumableSession,
        opened_at: float,
        *,
        compresses: bool = False,
        token_end: tuple[float, CloseReason] | None = None,
    ) -> None:
        self._limits = limits
        self._session = session
        self._opened_at = opened_at
        self._used_before_s = session.used_s
        self._compresses = compresses
        self._token_end = token_end
        self._warned = False

    def note_video(self, now: float) -> bool:
        """Note an image; True when it is the session's first, which moves its end."""
        if self._session.video_at_s is not None:
            return False
        self._session.video_at_s = self._used_before_s + now - self._opened_at
        return True

    def close(self, now: float) -> None:
        """Add the connection's time to the session's: the connection has ended."""
        self._session.used_s += now - self._opened_at

    def timer(self) -> float | None:
        """Return when `tick` is to be called next; None when no limit is set."""
        ends = self._ends()
        warnings = (end.at - end.lead_s for end in ends if self._may_warn(end))
        return min([*warnings, *(end.at for end in ends)], default=None)

    def tick(self, now: float) -> GoAwayDue | CloseReason | None:
        """Return what is due at ``now``: a goAway, the connection's end, or nothing."""
        ends = sorted(self._ends(), key=lambda end: end.at)
        for end in ends:
            if now >= end.at:
                return end.why
        for end in ends:
            if now >= end.at - end.lead_s and self._may_warn(end):
                self._warned = True
                self._session.warned |= end.of_session
                return GoAwayDue(end.at - now)
        return None

    def _may_warn(self, end: _End) -> bool:
        return not self._warned and not (end.of_session and self._session.warned)

    def _ends(self) -> list[_End]:
        limits, ends = self._limits, []
        if limits.connection_s:
            at = self._opened_at + limits.connection_s
            ends.append(_End(at, self._lead_s(limits.connection_s), CONNECTION_OVER, False))
        if not self._compresses:
            ends += self._session_ends()
        if self._token_end is not None:
            at, why = self._token_end
            ends.append(_End(at, self._lead_s(at - self._opened_at), why, True))
        return ends

    def _session_ends(self) -> list[_End]:
        limits, started_at = self._limits, self._opened_at - self._used_before_s
        video_at_s = self._session.video_at_s
        ends = []
        if limits.audio_session_s:
            ends.append((started_at + limits.audio_session_s, limits.audio_session_s, "audio"))
        if limits.video_session_s and video_at_s is not None:
            at = started_at + video_at_s + limits.video_session_s
            ends.append((at, limits.video_session_s, "video"))
        return [
            _End(at, self._lead_s(limit_s), session_over(limit_s, kind), True)
            for at, limit_s, kind in ends
        ]

    def _lead_s(self, limit_s: float) -> float:
        return max(0.0, min(self._limits.warning_s, limit_s / 2))


def time_left(left_s: float) -> str:
    """Return a goAway's ``timeLeft``: whole seconds ("50s"), as Google sends them.

    Only a time below one second has a fraction.
    """
    return format_duration(math.floor(left_s + 0.05) if left_s >= 1 else round(left_s, 3))


def session_over(limit_s: float, kind: str) -> CloseReason:
    """Return the close reason for a session at its limit; ``kind`` is audio or video.

    The wording is this server's: the reference has none.
    """
    return CloseReason(
        1008,
        f"A session with {kind} lasts {limit_s:g} s at most: "
        "ask for contextWindowCompression to go on longer.",
        "session",
    )
