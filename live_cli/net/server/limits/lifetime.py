"""How long connections and sessions may last. Pure.

Theory of operation
===================

A *connection* ends after its limit whatever happens on it. A *session* is a conversation over all
the connections that resume it (`ResumableSession`): without compression of its context it ends
after its limit, and sooner once video has come, for pictures fill the context faster. A *token's*
end is the end of what it let in. The earliest of the three counts.

Before each end a goAway says how much time is left: `warning_s`, or half of a limit that is shorter
than two of them. A client answers goAway by resuming on a new connection. That helps against the
connection's limit alone, so the other two warn once a session, or the client would resume again
and again within its last minute.

Source: Live API reference, §4.7 (limits) and §5 (the connection's close reason).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from live_cli.net.server.access.admission import Refusal
from live_cli.protocol.wire import format_duration

CONNECTION_OVER: Final = Refusal(
    1011, "Deadline expired before operation could complete.", "deadline"
)


@dataclass(frozen=True, slots=True)
class LifetimeLimits:
    """Seconds; 0 is no limit. The defaults are the capabilities guide's."""

    connection_s: float = 600.0
    audio_session_s: float = 900.0
    video_session_s: float = 120.0
    """From the first picture on."""
    warning_s: float = 60.0


NO_LIMITS: Final = LifetimeLimits(connection_s=0, audio_session_s=0, video_session_s=0)
"""For a server with a client of its own."""


@dataclass(slots=True, eq=False)
class ResumableSession:
    """One session over all its connections, of which one at a time is open.

    ``token``: the digest of the one that let it in.
    """

    token: bytes | None = None
    used_s: float = 0.0
    video_at_s: float | None = None
    warned: bool = False
    _give_way: Callable[[], None] | None = None

    def go_on(self, give_way: Callable[[], None]) -> None:
        """A connection takes the session over from the one before, whose ``give_way`` is called.

        Who resumes has often lost a connection that looks open from here; and a token's one use
        would be worth any number of conversations, if they could go on side by side.
        """
        if self._give_way is not None:
            self._give_way()
        self._give_way = give_way

    def leave(self, give_way: Callable[[], None]) -> None:
        """The connection of that ``give_way`` has ended."""
        if self._give_way == give_way:
            self._give_way = None


@dataclass(slots=True)
class ResumableSessions:
    """Which session a handle resumes: the newest ``most`` handles."""

    most: int = 4096
    _by_handle: dict[str, ResumableSession] = field(default_factory=dict)

    def note(self, handle: str, lineage: ResumableSession) -> None:
        while len(self._by_handle) >= self.most:
            del self._by_handle[next(iter(self._by_handle))]
        self._by_handle[handle] = lineage

    def find(self, handle: str | None) -> ResumableSession | None:
        return self._by_handle.get(handle) if handle else None


@dataclass(frozen=True, slots=True)
class Warned:
    """The client is to be told that the connection ends in ``left_s`` seconds."""

    left_s: float


@dataclass(frozen=True, slots=True)
class _End:
    at: float
    lead_s: float
    why: Refusal
    of_lineage: bool


class Lifetime:
    """One connection's, told ``now`` in seconds on any steady clock.

    ``compresses``: its session's context is compressed. ``token_end``: when its token expires.
    """

    def __init__(
        self,
        limits: LifetimeLimits,
        lineage: ResumableSession,
        opened_at: float,
        *,
        compresses: bool = False,
        token_end: tuple[float, Refusal] | None = None,
    ) -> None:
        self._limits = limits
        self._lineage = lineage
        self._opened_at = opened_at
        self._used_before_s = lineage.used_s
        self._compresses = compresses
        self._token_end = token_end
        self._warned = False

    def see_video(self, now: float) -> bool:
        """A picture came; True when it is the session's first."""
        if self._lineage.video_at_s is not None:
            return False
        self._lineage.video_at_s = self._used_before_s + now - self._opened_at
        return True

    def close(self, now: float) -> None:
        """The connection is over: its time counts for the session."""
        self._lineage.used_s += now - self._opened_at

    def timer(self) -> float | None:
        """When `tick` wants to be called; None: not at all."""
        ends = self._ends()
        warnings = (end.at - end.lead_s for end in ends if self._may_warn(end))
        return min([*warnings, *(end.at for end in ends)], default=None)

    def tick(self, now: float) -> Warned | Refusal | None:
        """What has to be said by now: that the end is near, or that it is here."""
        ends = sorted(self._ends(), key=lambda end: end.at)
        for end in ends:
            if now >= end.at:
                return end.why
        for end in ends:
            if now >= end.at - end.lead_s and self._may_warn(end):
                self._warned = True
                self._lineage.warned |= end.of_lineage
                return Warned(end.at - now)
        return None

    def _may_warn(self, end: _End) -> bool:
        return not self._warned and not (end.of_lineage and self._lineage.warned)

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
        video_at_s = self._lineage.video_at_s
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
    """As the service tells it, in whole seconds ("50s"), which clients may read as a number.

    Only what is less than a second has a fraction.
    """
    return format_duration(math.floor(left_s + 0.05) if left_s >= 1 else round(left_s, 3))


def session_over(limit_s: float, kind: str) -> Refusal:
    """Why a session of that ``kind`` ends: wording of our own, the reference knows none."""
    return Refusal(
        1008,
        f"A session with {kind} lasts {limit_s:g} s at most: "
        "ask for contextWindowCompression to go on longer.",
        "session",
    )
