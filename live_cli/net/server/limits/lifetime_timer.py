"""Runs a connection's `Lifetime` on the event loop."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.limits.lifetime import GoAwayDue, Lifetime
from live_cli.protocol.events import Event, VideoReceived


class LifetimeTimer:
    """Sends goAway and ends the connection when a `Lifetime` says so.

    ``warn`` is called with the seconds left, ``end`` with the close reason.
    """

    def __init__(
        self,
        lifetime: Lifetime,
        warn: Callable[[float], Awaitable[None]],
        end: Callable[[CloseReason], None],
    ) -> None:
        self._lifetime = lifetime
        self._warn = warn
        self._end = end
        self._end_moved = asyncio.Event()

    async def run(self) -> None:
        """Run until the connection's time is over; without limits, until cancelled."""
        while True:
            await self._wait(self._lifetime.timer())
            due = self._lifetime.tick(time.monotonic())
            if isinstance(due, GoAwayDue):
                await self._warn(due.left_s)
            elif due is not None:
                self._end(due)
                return

    def note(self, event: Event) -> None:
        """Note an event of the client: the session's first image shortens its time."""
        if isinstance(event, VideoReceived) and self._lifetime.note_video(time.monotonic()):
            self._end_moved.set()

    def close(self) -> None:
        """Add the connection's time to the session's."""
        self._lifetime.close(time.monotonic())

    async def _wait(self, at: float | None) -> None:
        self._end_moved.clear()
        delay_s = None if at is None else at - time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._end_moved.wait()
