"""Many sessions on one `serve`: what each waits for its answer, and how late the event loop is.

Every session asks the same question aloud in the same moment, which is the worst that can happen.
The loop's lag is what a WebSocket ping, on a connection of its own, waits for its pong.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from websockets.asyncio.client import connect

from tests.benchmarks.row import Row, median, quantile
from tests.benchmarks.voice import Question, address_of, connected
from tests.harness.serve_process import serving

COUNTS = (1, 2, 4, 8)
TURNS = 3
PING_S = 0.01
LAG_BUDGET_MS = 20.0


def rows(small: bool = False) -> list[Row]:
    counts, turns = ((1,), 1) if small else (COUNTS, TURNS)
    with tempfile.TemporaryDirectory() as home, serving(Path(home), {}) as serve:
        measured = {count: asyncio.run(_talk(serve.address, count, turns)) for count in counts}
    alone_s = median(measured[1][0])
    found = []
    for count, (waits_s, lags_s) in measured.items():
        who = f"{count} session{'s' * (count > 1)} at once"
        p99_ms = 1000 * quantile(lags_s, 0.99)
        found += [
            Row(f"{who}: first sound, median", median(waits_s), "s", count, alone_s, "alone"),
            Row(f"{who}: first sound, slowest", max(waits_s), "s", 2 * count, alone_s, "alone"),
            Row(f"{who}: lag of the event loop, p99", p99_ms, "ms", LAG_BUDGET_MS),
        ]
    return found


async def _talk(url: str, count: int, turns: int) -> tuple[list[float], list[float]]:
    """Seconds to the first sound of every answer, and the lags meanwhile."""
    question = Question()
    async with connected(url, count) as clients:
        for client in clients:
            await question.wait_s(client)  # the transcriber is loaded with the first sound
        waits_s: list[float] = []
        async with pinging(address_of(url).endpoint) as lags_s:
            for _ in range(turns):
                waits_s += await asyncio.gather(*(question.wait_s(client) for client in clients))
    return waits_s, lags_s


@asynccontextmanager
async def pinging(endpoint: str) -> AsyncIterator[list[float]]:
    """Ping a server on a connection of its own inside this context; the lags grow, in seconds."""
    lags_s: list[float] = []
    pings = asyncio.create_task(_ping(endpoint, lags_s))
    try:
        yield lags_s
    finally:
        pings.cancel()
        await asyncio.gather(pings, return_exceptions=True)  # it closes its socket


async def _ping(endpoint: str, lags_s: list[float]) -> None:
    async with connect(endpoint, proxy=None) as socket:
        await socket.send('{"setup":{"model":"models/local"}}')
        await socket.recv()
        while True:
            sent = monotonic()
            await (await socket.ping())
            lags_s.append(monotonic() - sent)
            await asyncio.sleep(PING_S)
