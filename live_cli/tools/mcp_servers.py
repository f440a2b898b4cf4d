"""MCP servers of a session: started, asked for their tools, called, started again once, ended.

They live on an event loop of their own, in a thread: what a server floods us with must not hold up
the sound. The package `mcp` is imported in that thread, and only where a server is configured.
"""

import asyncio
import contextlib
import io
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from live_cli.log_files import open_log
from live_cli.protocol.messages import JsonObject
from live_cli.tools.mcp_config import McpEntry
from live_cli.tools.mcp_results import result_of, safe_name, schema_complaint, wire_name
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult

if TYPE_CHECKING:
    import mcp

_T = TypeVar("_T")

STARTING_LIMIT_S: Final = 30.0
"""A server that npx or uvx fetches first takes so long over a slow network."""
ENDING_LIMIT_S: Final = 8.0
"""The package closes a process' stdin, and terminates and kills it after two seconds each."""
MOST_TOOLS: Final = 256
"""Of one server; each is read by the model before every answer."""
MOST_GARBAGE: Final = 100
"""Lines that are no message, after which a server is given up."""
STEADY_S: Final = 60.0
"""A server that was there for so long is started again once more."""
_MOST_PAGES: Final = 64
_SAID_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class McpNews:
    """What happened to a server: its tools that are there from now on, and a sentence for people.

    ``tools`` are all tools of that server; empty when it is gone.
    """

    server: str
    tools: tuple[ClientTool, ...]
    said: str


@dataclass(slots=True)
class _Connection:
    """One server as it runs now."""

    client: "mcp.Client"
    ended: asyncio.Event


class McpServers:
    """All MCP servers of one session. `start` them, and `close` them whatever happens.

    ``logs``: the folder for what the servers write to stderr. ``tell``: is told, on the event loop
    of the session, when a server is lost and when it is back.
    """

    def __init__(
        self, entries: Sequence[McpEntry], logs: Path, tell: Callable[[McpNews], None]
    ) -> None:
        self._servers = [_Server(entry, logs, self._tell) for entry in entries]
        self._told = tell
        self._owner = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mcp", daemon=True)

    def _run(self) -> None:
        for library in ("mcp", "httpx2"):  # whatever a server sends is told in our own words
            logging.getLogger(library).setLevel(logging.CRITICAL)
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _tell(self, news: McpNews) -> None:
        with contextlib.suppress(RuntimeError):  # the session is over
            self._owner.call_soon_threadsafe(self._told, news)

    async def start(self) -> list[McpNews]:
        """Start all servers side by side, and return what came of each."""
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
        if ending:
            await asyncio.wait(ending, timeout=ENDING_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, ENDING_LIMIT_S)


class _Server:
    """One server, on the loop of the servers' thread."""

    def __init__(self, entry: McpEntry, logs: Path, tell: Callable[[McpNews], None]) -> None:
        self._entry = entry
        self._logs = logs
        self._tell = tell
        self._started: asyncio.Future[McpNews] | None = None
        self._living: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._connection: _Connection | None = None

    async def start(self) -> McpNews:
        """Return once the server is there, or was started twice in vain."""
        self._started = asyncio.get_running_loop().create_future()
        self._living = asyncio.create_task(self._live())
        return await self._started

    async def close(self) -> None:
        self._closing.set()
        if self._living is not None:
            await asyncio.wait([self._living])

    async def _live(self) -> None:
        """Connect, and connect anew once when that fails or ends."""
        clock = asyncio.get_running_loop().time
        last_try = False
        while True:
            began_at = clock()
            why = await self._connect()
            last_try = last_try and clock() - began_at < STEADY_S
            if self._closing.is_set():
                break
            if last_try:
                self._say(f"is gone: {why}", is_last=True)
                return
            self._say(f"is started again: {why}")
            last_try = True
        if self._started is not None and not self._started.done():
            self._say("was not started.", is_last=True)

    def _say(self, what: str, tools: tuple[ClientTool, ...] = (), *, is_last: bool = False) -> None:
        """Tell the owner; before `start` has returned, only what decides what it returns."""
        news = McpNews(self._entry.name, tools, f"MCP server {self._entry.name} {what}")
        if self._started is None or self._started.done():
            self._tell(news)
        elif tools or is_last:
            self._started.set_result(news)

    async def _connect(self) -> str:
        """Serve one connection from its start to its end; return why it ended, in words."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout(STARTING_LIMIT_S):
                    connection = await self._open(stack)
                    tools = await self._list_tools(connection.client)
                self._connection = connection
                self._say(f"is there, with {_counted(tools)}.", tools, is_last=True)
                await _first_of(self._closing, connection.ended)
                return "it ended."
        except TimeoutError:
            return f"it did not answer within {STARTING_LIMIT_S:.0f} s."
        except Exception as exc:  # noqa: BLE001 - a server may fail in any way, the talk goes on
            return f"{_in_words(exc, self._entry)}.{self._where_it_wrote()}"
        finally:
            self._connection = None

    def _where_it_wrote(self) -> str:
        log = self._log_path
        wrote = not self._entry.url and log.exists() and log.stat().st_size > 0
        return f" What it wrote is in {log}." if wrote else ""

    @property
    def _log_path(self) -> Path:
        return self._logs / f"{safe_name(self._entry.name)}.log"

    async def _open(self, stack: contextlib.AsyncExitStack) -> _Connection:
        import mcp

        ended = asyncio.Event()
        transport = _watched(self._transport(stack), ended)
        client = await stack.enter_async_context(
            mcp.Client(transport, read_timeout_seconds=self._entry.time_limit_s)
        )
        return _Connection(client, ended)

    def _transport(self, stack: contextlib.AsyncExitStack) -> Any:
        """Return the connection to the server, which begins when it is entered."""
        entry = self._entry
        if entry.url:
            from mcp.client.streamable_http import streamable_http_client

            return streamable_http_client(entry.url, http_client=_http_client(entry))
        from mcp.client.stdio import StdioServerParameters, stdio_client

        log: IO[bytes] = stack.enter_context(open_log(self._log_path))
        parameters = StdioServerParameters(
            command=entry.command,
            args=list(entry.arguments),
            env=dict(entry.environment),
            cwd=entry.folder,
            encoding_error_handler="replace",
        )
        return stdio_client(parameters, errlog=stack.enter_context(io.TextIOWrapper(log)))

    async def _list_tools(self, client: "mcp.Client") -> tuple[ClientTool, ...]:
        found: list[Any] = []
        cursor = None
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None or len(found) >= MOST_TOOLS:
                break
        offered = [tool for tool in found[:MOST_TOOLS] if self._entry.offers(tool.name)]
        return tuple(map(self._tool, offered))

    def _tool(self, tool: Any) -> ClientTool:
        entry, loop = self._entry, asyncio.get_running_loop()
        hints = tool.annotations

        async def call(arguments: JsonObject, tell_progress: TellProgress) -> ToolResult:
            owner = asyncio.get_running_loop()

            async def note(progress: float, total: float | None, message: str | None) -> None:
                share = f"{progress:g} of {total:g}" if total else f"{progress:g}"
                owner.call_soon_threadsafe(tell_progress, message or share)

            work = self._call(tool, arguments, note)
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

        return ClientTool(
            name=wire_name(entry.name, tool.name),
            source=f"MCP server {entry.name}",
            description=tool.description or tool.title or tool.name,
            parameters=tool.input_schema,
            call=call,
            server=entry.name,
            reads_only=bool(hints and hints.read_only_hint),
            trusted=entry.trusted,
            time_limit_s=entry.time_limit_s,
        )

    @property
    def _ended_meanwhile(self) -> str:
        return f"The MCP server {self._entry.name} ended meanwhile."

    async def _call(self, tool: Any, arguments: JsonObject, note: Any) -> ToolResult:
        import mcp

        if (misfit := schema_complaint(tool.input_schema, arguments)) is not None:
            return ToolResult.error(f"The arguments do not fit: {misfit}")
        connection = self._connection
        if connection is None:
            return ToolResult.error(f"The MCP server {self._entry.name} is not there.")
        calling = asyncio.ensure_future(
            connection.client.call_tool(tool.name, arguments, progress_callback=note)
        )
        ended = asyncio.ensure_future(connection.ended.wait())
        try:
            await asyncio.wait((calling, ended), return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                return result_of(calling.result())
            return ToolResult.error(self._ended_meanwhile)
        except mcp.MCPError as exc:
            closed = exc.error.code == mcp.types.CONNECTION_CLOSED
            return ToolResult.error(self._ended_meanwhile if closed else exc.error.message)
        finally:
            calling.cancel()
            ended.cancel()


@contextlib.asynccontextmanager
async def _watched(transport: Any, ended: asyncio.Event) -> AsyncIterator[Any]:
    """Pass on what a transport brings, and note its end; too much that is no message is one."""
    import anyio

    async with transport as (reading, writing), anyio.create_task_group() as group:
        into, out_of = anyio.create_memory_object_stream[Any](0)

        async def pump() -> None:
            garbage = 0
            try:
                async with into:
                    async for message in reading:
                        garbage += isinstance(message, Exception)
                        if garbage > MOST_GARBAGE:
                            return
                        await into.send(message)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass
            finally:
                ended.set()

        group.start_soon(pump)
        try:
            yield out_of, writing
        finally:
            group.cancel_scope.cancel()


async def _first_of(*happenings: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(each.wait()) for each in happenings]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()


def _http_client(entry: McpEntry) -> Any:
    import httpx2

    return httpx2.AsyncClient(headers=dict(entry.headers), timeout=entry.time_limit_s)


def _counted(tools: Sequence[ClientTool]) -> str:
    return "1 tool" if len(tools) == 1 else f"{len(tools)} tools"


def _in_words(exc: BaseException, entry: McpEntry) -> str:
    """Return the innermost of what went wrong, in one line."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    if isinstance(exc, FileNotFoundError):
        folder = f", or no folder {entry.folder!r}" if entry.folder else ""
        return f"there is no command {entry.command!r}{folder}"
    said = " ".join(str(exc).split())[:_SAID_CHARACTERS]
    if said == "Connection closed":  # the package's words for an end of the stream
        return "it ended before it answered"
    return said.removesuffix(".") or type(exc).__name__
