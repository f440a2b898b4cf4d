"""Limits of what an MCP server may send: bytes and messages over time, what is no message at all.

A server that sends more is read more slowly, so that it waits in its pipe and we stay idle; one
that writes what cannot be read at all is given up.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio

MESSAGES_PER_S: Final = 100.0
"""On the average, of one server; each costs us some 0.1 ms."""
BURST_MESSAGES: Final = 1000.0
BYTES_OF_MESSAGE: Final = 65_536
"""So many bytes count as one message."""
MOST_GARBAGE: Final = 100
"""Lines that are no message, after which a server is given up."""


class FloodError(Exception):
    """A server sends what cannot be kept; says what."""


class Intake:
    """The pace of reading one server. ``tell_slowed`` is called when it is first made to wait."""

    def __init__(self, tell_slowed: Callable[[], None]) -> None:
        self._tell_slowed: Callable[[], None] | None = tell_slowed
        self._left = BURST_MESSAGES
        self._at = 0.0

    async def take_bytes(self, count: int) -> None:
        """Wait until ``count`` bytes may be taken in."""
        await self.take(count / BYTES_OF_MESSAGE)

    async def take(self, messages: float = 1.0) -> None:
        """Wait until so many messages may be taken in."""
        now = asyncio.get_running_loop().time()
        self._left = min(BURST_MESSAGES, self._left + (now - self._at) * MESSAGES_PER_S) - messages
        self._at = now
        if self._left >= 0:
            return
        if self._tell_slowed is not None:
            self._tell_slowed()
            self._tell_slowed = None
        await anyio.sleep(-self._left / MESSAGES_PER_S)


@dataclass(slots=True)
class StreamEnd:
    """The end of what a server sends, and why it came, in words."""

    come: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""


@contextlib.asynccontextmanager
async def watched(transport: Any, intake: Intake, end: StreamEnd) -> AsyncIterator[Any]:
    """Pass on what ``transport`` brings, as fast as ``intake`` allows, and note its end."""
    async with transport as (reading, writing), anyio.create_task_group() as group:
        into, out_of = anyio.create_memory_object_stream[Any](0)

        async def pump() -> None:
            garbage = 0
            try:
                async with into:
                    async for message in reading:
                        await intake.take()
                        if isinstance(message, Exception):
                            garbage += 1
                            end.why = _complaint(message, garbage)
                            if end.why:
                                return
                        await into.send(message)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass
            finally:
                end.come.set()

        group.start_soon(pump)
        try:
            yield out_of, writing
        finally:
            group.cancel_scope.cancel()
            for stream in (into, out_of):  # who is cancelled before it begins closes neither
                stream.close()


def _complaint(unread: Exception, count: int) -> str:
    """Return why a server is given up that sent something unreadable for the ``count``-th time."""
    if isinstance(unread, FloodError):
        return str(unread)
    if count > MOST_GARBAGE:
        return f"it writes what is no message: {str(unread)[:60]!r}"
    return ""
