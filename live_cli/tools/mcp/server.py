"""One MCP server, on the loop of the servers' thread: its connection, its tools, its calls."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from live_cli.log_files import open_log
from live_cli.protocol.messages import JsonObject
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.intake import Intake, StreamEnd, watched
from live_cli.tools.mcp.offer import ServerOffer, offered
from live_cli.tools.mcp.results import result_of, safe_name, schema_complaint, wire_name
from live_cli.tools.results import misfit
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult

if TYPE_CHECKING:
    import mcp

STARTING_LIMIT_S: Final = 30.0
"""A server that npx or uvx fetches first takes so long over a slow network."""
STEADY_S: Final = 60.0
"""A server that was there for so long is started again once more."""
CHANGE_PAUSE_S: Final = 1.0
"""A server that says that its tools have changed is asked for them so much later: once for many."""
_SAID_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class McpNews:
    """News of a server: its tools that are there from now on, and a sentence for people.

    ``tools`` are all tools of that server; empty when it is gone. ``left_out``: a sentence for each
    tool that is not offered although it is wanted.
    """

    server: str
    tools: tuple[ClientTool, ...]
    said: str
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Connection:
    """One server as it runs now."""

    client: "mcp.Client"
    end: StreamEnd
    changed: asyncio.Event


class McpServer:
    """One server. ``logs``: the folder of its log. ``tell`` gets its news, after `start`."""

    def __init__(self, entry: McpEntry, logs: Path, tell: Callable[[McpNews], None]) -> None:
        self._entry = entry
        self._logs = logs
        self._tell = tell
        self._started: asyncio.Future[McpNews] | None = None
        self._living: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._connection: _Connection | None = None
        self._offer = ServerOffer()

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self._entry.name

    @property
    def is_awaited(self) -> bool:
        """Return whether `start` has not returned."""
        return self._started is None or not self._started.done()

    async def start(self) -> McpNews:
        """Return once the server is there, did not answer in time, or was started twice in vain."""
        self._started = asyncio.get_running_loop().create_future()
        self._living = asyncio.create_task(self._live())
        return await asyncio.shield(self._started)

    async def close(self) -> None:
        """End the server, and its process."""
        self._closing.set()
        if self._living is not None:
            if self._connection is None:  # it starts, or it is gone
                self._living.cancel()
            await asyncio.wait([self._living])

    async def _live(self) -> None:
        """Connect, and connect anew once when that fails or ends."""
        clock = asyncio.get_running_loop().time
        last_try = False
        while True:
            began_at = clock()
            silent, why = await self._connect()
            last_try = last_try and clock() - began_at < STEADY_S
            if self._closing.is_set():
                break
            if last_try:
                self._say(f"is gone: {why}", is_last=True)
                return
            self._say(f"is started again: {why}", is_last=silent)
            last_try = True
        if self.is_awaited:
            self._say("was not started.", is_last=True)

    def _say(self, what: str, offer: ServerOffer | None = None, *, is_last: bool = False) -> None:
        """Tell the owner; before `start` has returned, only what decides what it returns."""
        offer = offer or ServerOffer()
        said = f"MCP server {self._entry.name} {what}"
        news = McpNews(self._entry.name, offer.tools, said, tuple(offer.left_out))
        if self._started is None or self._started.done():
            self._tell(news)
        elif offer.tools or is_last:
            self._started.set_result(news)

    async def _connect(self) -> tuple[bool, str]:
        """Serve one connection from its start to its end.

        Return whether the server was silent for too long, and why the connection ended, in words.
        """
        end = StreamEnd()
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout(STARTING_LIMIT_S):
                    connection = await self._open(stack, end)
                    self._offer = await offered(connection.client, self._entry, self._tool)
                self._connection = connection
                self._say(f"is there, with {self._offer.counted}.", self._offer, is_last=True)
                await self._serve(connection)
                return False, f"{end.why or 'it ended'}."
        except TimeoutError:
            return True, f"it did not answer within {STARTING_LIMIT_S:.0f} s."
        except Exception as exc:  # noqa: BLE001 - a server may fail in any way, the talk goes on
            why = end.why or _in_words(exc, self._entry)
            return False, f"{why}.{self._where_it_wrote()}"
        finally:
            self._connection = None

    async def _serve(self, connection: _Connection) -> None:
        """Wait for the end of ``connection``, and tell meanwhile how its tools change."""
        closing, end, changed = self._closing, connection.end.come, connection.changed
        listening = asyncio.create_task(self._listen(connection))
        try:
            while True:
                await _first_of(closing, end, changed)
                if not (closing.is_set() or end.is_set()):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(CHANGE_PAUSE_S):
                            await _first_of(closing, end)
                if closing.is_set() or end.is_set():
                    return
                changed.clear()
                async with asyncio.timeout(STARTING_LIMIT_S):
                    offer = await offered(connection.client, self._entry, self._tool)
                if offer.tools != self._offer.tools:
                    self._offer = offer
                    self._say(f"has changed its tools, and has {offer.counted} now.", offer)
        finally:
            listening.cancel()
            await asyncio.wait([listening])

    async def _listen(self, connection: _Connection) -> None:
        """Ask a server of the newer protocol to say when its tools change.

        One of the older protocol says so unasked.
        """
        from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
        from mcp.shared.exceptions import MCPError

        offered = connection.client.server_capabilities.tools
        if offered is None or not offered.list_changed:
            return
        gone = (ListenNotSupportedError, SubscriptionLost, MCPError, TimeoutError)
        with contextlib.suppress(*gone):
            async with connection.client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    connection.changed.set()

    def _where_it_wrote(self) -> str:
        log = self._log_path
        wrote = not self._entry.url and log.exists() and log.stat().st_size > 0
        return f" What it wrote is in {log}." if wrote else ""

    @property
    def _log_path(self) -> Path:
        return self._logs / f"{safe_name(self._entry.name)}.log"

    async def _open(self, stack: contextlib.AsyncExitStack, end: StreamEnd) -> _Connection:
        import mcp
        from mcp.types import ToolListChangedNotification

        changed = asyncio.Event()

        async def note(message: Any) -> None:
            if isinstance(message, ToolListChangedNotification):
                changed.set()

        intake = Intake(self._say_slowed)
        transport = watched(await self._transport(stack, intake, end), intake, end)
        client = mcp.Client(
            transport,
            read_timeout_seconds=self._entry.time_limit_s,
            message_handler=note,
            cache=None,
        )
        return _Connection(await stack.enter_async_context(client), end, changed)

    def _say_slowed(self) -> None:
        if not self.is_awaited:
            self._say("sends more than can be read, and is read slowly.", self._offer)

    async def _transport(
        self, stack: contextlib.AsyncExitStack, intake: Intake, end: StreamEnd
    ) -> Any:
        """Return the connection to the server, which begins when it is entered."""
        entry = self._entry
        if not entry.url:
            from live_cli.tools.mcp.stdio import process_transport

            return process_transport(entry, stack.enter_context(open_log(self._log_path)), intake)
        from mcp.client.streamable_http import streamable_http_client

        from live_cli.tools.mcp.http import http_client

        def give_up(why: str) -> None:
            end.why = why
            end.come.set()

        client = await stack.enter_async_context(http_client(entry, intake, give_up))
        return streamable_http_client(entry.url, http_client=client)

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

        if (why := schema_complaint(tool.input_schema, arguments)) is not None:
            return misfit(why)
        connection = self._connection
        if connection is None:
            return ToolResult.error(f"The MCP server {self._entry.name} is not there.")
        calling = asyncio.ensure_future(
            connection.client.call_tool(tool.name, arguments, progress_callback=note)
        )
        ended = asyncio.ensure_future(connection.end.come.wait())
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


async def _first_of(*happenings: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(each.wait()) for each in happenings]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


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
