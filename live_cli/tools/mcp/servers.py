"""MCP servers of a session: started, asked for their tools, called, started again once, ended.

They live on an event loop of their own, in a thread: what a server floods us with must not hold up
the sound. The package `mcp` is imported in that thread, and only where a server is configured.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from live_cli.tools.mcp import process_groups
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.server import McpNews, McpServer

_T = TypeVar("_T")

ENDING_LIMIT_S: Final = 8.0
"""A process has two seconds each after its stdin is closed, after SIGTERM and after SIGKILL."""

_FREEING_LIMIT_S: Final = 2.0


class McpServers:
    """All MCP servers of one session. `start` them, and `close` them whatever happens.

    ``logs``: the folder for what the servers write to stderr. ``tell``: is told, on the event loop
    of the session, when a server is lost, is back, or changes its tools.
    """

    def __init__(
        self, entries: Sequence[McpEntry], logs: Path, tell: Callable[[McpNews], None]
    ) -> None:
        self._servers = [McpServer(entry, logs, self._tell) for entry in entries]
        self._told = tell
        self._owner = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mcp", daemon=True)

    def _run(self) -> None:
        for library in ("mcp", "httpx2"):  # whatever a server sends is told in our own words
            logging.getLogger(library).setLevel(logging.CRITICAL)
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._end_what_is_left()
        self._loop.close()

    def _end_what_is_left(self) -> None:
        """Let servers that did not end in time free what they hold: their processes are killed."""
        if left := asyncio.all_tasks(self._loop):
            self._loop.run_until_complete(asyncio.wait(left, timeout=_FREEING_LIMIT_S))
        if left := asyncio.all_tasks(self._loop):
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(left, timeout=_FREEING_LIMIT_S))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    def _tell(self, news: McpNews) -> None:
        with contextlib.suppress(RuntimeError):  # the session is over
            self._owner.call_soon_threadsafe(self._told, news)

    @property
    def awaited(self) -> list[str]:
        """The names of the servers that have not answered yet."""
        return [server.name for server in self._servers if server.is_awaited]

    async def start(self) -> list[McpNews]:
        """Start all servers side by side, and return what came of each.

        One that does not answer in time is tried again while the session goes on.
        """
        self._thread.start()
        return list(
            await asyncio.gather(*(self._there(server.start()) for server in self._servers))
        )

    def _there(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Future[_T]":
        """Run ``work`` in the thread of the servers. Cancelling it cancels the work."""
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def close(self) -> None:
        """End all servers and their processes, within `ENDING_LIMIT_S`."""
        if not self._thread.is_alive():
            return
        ending = [self._there(server.close()) for server in self._servers]
        try:
            if ending:
                await asyncio.wait(ending, timeout=ENDING_LIMIT_S)
        finally:
            process_groups.kill_all()
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, ENDING_LIMIT_S)
