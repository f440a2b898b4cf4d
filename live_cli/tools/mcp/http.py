"""The HTTP client of an MCP server at an address: headers, limits of time, and of what comes."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx2

from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.intake import Intake

MOST_BODY_BYTES: Final = 32 * 1024 * 1024
"""Of an answer, and of one event of a stream."""
LONGEST_SILENCE_S: Final = 300.0
"""Of a stream of events; the package's own default."""


def http_client(
    entry: McpEntry, intake: Intake, give_up: Callable[[str], None]
) -> httpx2.AsyncClient:
    """Return the client that `mcp` speaks through; ``give_up`` is told why a server is left."""

    async def bound(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            give_up("it compresses its answers, although it was asked not to")
            raise httpx2.ReadError("compressed")
        events = response.headers.get("content-type", "").startswith("text/event-stream")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedBody(response.stream, intake, give_up, events)

    return httpx2.AsyncClient(
        headers={"Accept-Encoding": "identity", **entry.headers},
        timeout=httpx2.Timeout(entry.time_limit_s, read=max(LONGEST_SILENCE_S, entry.time_limit_s)),
        event_hooks={"response": [bound]},
    )


class _BoundedBody(httpx2.AsyncByteStream):
    """The body of an answer; ``events``: a stream of them, of which each line is bounded."""

    def __init__(
        self,
        body: httpx2.AsyncByteStream,
        intake: Intake,
        give_up: Callable[[str], None],
        events: bool,
    ) -> None:
        self._body = body
        self._intake = intake
        self._give_up = give_up
        self._events = events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = 0
        async for chunk in self._body:
            await self._intake.take_bytes(len(chunk))
            ended = chunk.rfind(b"\n") if self._events else -1
            held = len(chunk) - ended - 1 if ended >= 0 else held + len(chunk)
            if held > MOST_BODY_BYTES:
                self._give_up(f"it sent more than {MOST_BODY_BYTES >> 20} MB at once")
                raise httpx2.ReadError("too long")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()
