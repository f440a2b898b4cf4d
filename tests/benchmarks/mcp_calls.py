"""A call of an MCP server's tool, as a session makes it, beside one by the SDK's own client."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import mcp

from live_cli.protocol.events import ResumptionUpdated, ToolCallRequested
from live_cli.protocol.messages import ClientMessage, FunctionCall
from live_cli.tools.consent import Consent
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.servers import McpServers
from live_cli.tools.runner import ToolRunner
from tests.benchmarks.row import Row, median

SERVER = str(Path(__file__).parents[1] / "harness" / "mcp_server.py")
ARGUMENTS = {"room": "kitchen"}
CALLS, SMALL_CALLS = 200, 5
WITHIN_S = 60.0


def rows(small: bool = False) -> list[Row]:
    ours, theirs = asyncio.run(measure(SMALL_CALLS if small else CALLS))
    what = "call of an MCP tool, from the model's request to the result sent"
    return [Row(what, ours * 1e3, "ms", 2.0, theirs * 1e3, "mcp.Client")]


async def measure(calls: int) -> tuple[float, float]:
    """Medians of both in seconds, measured in turns, each on a process of the same server."""
    parameters = mcp.StdioServerParameters(command=sys.executable, args=[SERVER])
    async with mcp.Client(parameters) as client, session() as ours:
        pairs = [(await ours.call(), await theirs(client)) for _ in range(calls)]
    return median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])


async def theirs(client: mcp.Client) -> float:
    start = perf_counter()
    result = await client.call_tool("lamp", ARGUMENTS)
    seconds = perf_counter() - start
    assert "kitchen" in str(result.content)
    return seconds


class Calling:
    """A session's runner of calls, which stands for the model too."""

    def __init__(self, servers: McpServers) -> None:
        self.servers = servers
        self.sent: asyncio.Queue[ClientMessage] = asyncio.Queue()
        self.number = 0

    async def open(self) -> None:
        (news,) = await self.servers.start()
        self.runner = ToolRunner(news.tools, Consent(["*"]), send=self.sent.put_nowait)

    async def call(self) -> float:
        self.number += 1
        asked = FunctionCall(id=f"call-{self.number}", name="house__lamp", args=ARGUMENTS)
        start = perf_counter()
        self.runner.handle(ToolCallRequested([asked]))
        async with asyncio.timeout(WITHIN_S):
            result = await self.sent.get()
        seconds = perf_counter() - start
        assert "kitchen" in str(result)
        self.runner.handle(ResumptionUpdated("handle"))  # else every result is kept for ever
        return seconds


@asynccontextmanager
async def session() -> AsyncIterator[Calling]:
    with tempfile.TemporaryDirectory() as logs:
        entry = McpEntry("house", command=sys.executable, arguments=(SERVER,))
        calling = Calling(McpServers([entry], Path(logs), print))
        try:
            await calling.open()
            yield calling
        finally:
            await calling.servers.close()
