"""What an attack needs of the `serve` that it is carried out on, and how attacks are told apart."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.attacks.canary import Canary
from tests.benchmarks.row import Row
from tests.harness.live_client import PATH
from tests.harness.process_figures import ProcessFigures, peak_mb, reset_peak
from tests.harness.timed_loop import LoopHolds

KEY: Final = "the-right-key-of-the-owner"
WRONG_KEY: Final = "a-wrong-key-of-somebody"
PLACES: Final = 15
"""Beside the canary as many as the default of sessions allows."""
WITHIN_S: Final = 60.0  # a bound on waiting, not a measure


@dataclass
class Growth:
    """How many MB the most memory since some moment is above what there was then."""

    mb: float = 0.0


@dataclass(frozen=True)
class Target:
    """A running `serve`. ``holds``: of its event loop. ``small``: attack little, to see it work."""

    port: int
    pid: int
    canary: Canary
    holds: LoopHolds
    small: bool

    @asynccontextmanager
    async def connect(self, key: str = KEY) -> AsyncIterator[ClientConnection]:
        """A WebSocket with a key; nothing is sent on it."""
        address, headers = f"ws://127.0.0.1:{self.port}{PATH}", {"x-goog-api-key": key}
        async with connect(
            address,
            additional_headers=headers,
            proxy=None,
            max_size=None,
            max_queue=None,
            compression=None,
            open_timeout=WITHIN_S,
            close_timeout=1.0,
        ) as client:
            yield client

    @asynccontextmanager
    async def session(self, **fields: Any) -> AsyncIterator[ClientConnection]:
        """A session with written answers. Raises ConnectionClosed when it is refused."""
        generation = {"responseModalities": ["TEXT"], "maxOutputTokens": 8}
        setup = {"model": "models/local", "generationConfig": generation} | fields
        async with self.connect() as client:
            await client.send(json.dumps({"setup": setup}))
            async with asyncio.timeout(WITHIN_S):
                await client.recv()
            yield client

    async def settle(self) -> None:
        """Wait until the sessions of the attack before are over, and all places can be had."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                async with AsyncExitStack() as stack:
                    with suppress(OSError, ConnectionClosed):
                        for _ in range(PLACES):
                            await stack.enter_async_context(self.session())
                        return
                await asyncio.sleep(0.2)

    @asynccontextmanager
    async def growth(self) -> AsyncIterator[Growth]:
        """How the memory of the process grows within the context, at most; known after it."""
        before, grown = ProcessFigures.of(self.pid).resident_mb, Growth()
        reset_peak(self.pid)
        yield grown
        grown.mb = max(0.0, peak_mb(self.pid) - before)


@dataclass(frozen=True)
class Attack:
    """One kind of attack. ``act`` returns its own figures.

    ``most_waits``: how many times as long as in quiet the canary may wait; None where its answers
    cost nothing and a number of milliseconds says more.
    """

    name: str
    act: Callable[[Target], Awaitable[list[Row]]]
    most_waits: float | None = None


async def answered_or_closed(client: ClientConnection, field_name: str = "turnComplete") -> None:
    """Read until a message has the field, or the server ends the connection."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(WITHIN_S):
            while field_name.encode() not in await client.recv(decode=False):
                pass
