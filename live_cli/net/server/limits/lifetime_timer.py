"""Waits for what a connection's `Lifetime` has to say, and has it said."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from live_cli.net.server.access.admission import Refusal
from live_cli.net.server.limits.lifetime import Lifetime, Warned
from live_cli.protocol.events import Event, VideoReceived


class LifetimeTimer:
    """``warn`` is told the seconds left, ``end`` why it is over."""

    def __init__(
        self,
        lifetime: Lifetime,
        warn: Callable[[float], Awaitable[None]],
        end: Callable[[Refusal], None],
    ) -> None:
        self._lifetime = lifetime
        self._warn = warn
        self._end = end
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Until the connection's time is over, if it ever is."""
        while True:
            await self._wait(self._lifetime.timer())
            said = self._lifetime.tick(time.monotonic())
            if isinstance(said, Warned):
                await self._warn(said.left_s)
            elif said is not None:
                self._end(said)
                return

    def note(self, event: Event) -> None:
        """The first picture shortens the time."""
        if isinstance(event, VideoReceived) and self._lifetime.see_video(time.monotonic()):
            self._moved.set()

    def close(self) -> None:
        self._lifetime.close(time.monotonic())

    async def _wait(self, due: float | None) -> None:
        self._moved.clear()
        delay_s = None if due is None else due - time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._moved.wait()
