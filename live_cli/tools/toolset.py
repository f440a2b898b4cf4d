"""All tools of a session, whoever provides them, under names of their own."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from live_cli.protocol.messages import FunctionDeclaration, Tool
from live_cli.tools.python_file import load_tools
from live_cli.tools.tool import ClientTool, ToolOverride, overridden

if TYPE_CHECKING:
    from live_cli.tools.mcp.config import McpEntry
    from live_cli.tools.mcp.server import McpNews
    from live_cli.tools.mcp.servers import McpServers

SAY_AWAITED_S: Final = 3.0
"""After so long without a word of a server it is said that we wait for it."""
NAME_CHARACTERS: Final = 64
"""Of a function's name on the wire (aiplatform.v1beta1, FunctionDeclaration.name)."""


class Toolset:
    """The tools of one session; a context manager that runs the MCP servers meanwhile.

    ``files``: Python files. ``entries``: MCP servers, whose stderr goes into ``logs``. ``tell``
    gets a sentence for people about each server, and about what in a file is no tool.
    ``overrides``: what the user sets for single tools. ``changed`` is called when the tools of a
    server have changed, it was lost, or it is back. Raises InputFileError for a bad file.
    """

    def __init__(
        self,
        files: Sequence[str],
        entries: "Sequence[McpEntry]",
        logs: Path,
        tell: Callable[[str], None],
        overrides: Sequence[ToolOverride] = (),
    ) -> None:
        loaded = [load_tools(path) for path in files]
        self._own = [tool for file in loaded for tool in file.tools]
        self._notes = [note for file in loaded for note in file.notes]
        self._entries = entries
        self._logs = logs
        self._tell = tell
        self._overrides = overrides
        self.changed: Callable[[], None] = lambda: None
        self._names = SessionNames(tell)
        self._of_server: dict[str, tuple[ClientTool, ...]] = {}
        self._servers: McpServers | None = None

    async def __aenter__(self) -> Self:
        for note in self._notes:
            self._tell(note)
        if self._entries:
            from live_cli.tools.mcp.servers import McpServers

            self._servers = McpServers(self._entries, self._logs, self._take_news)
            try:
                for news in await self._started(self._servers):
                    self._of_server[news.server] = news.tools
                    self._tell_news(news, said=not news.tools)
            except BaseException:
                await self._servers.close()
                raise
        return self

    async def _started(self, servers: "McpServers") -> "list[McpNews]":
        """Start ``servers``, and say for whom we wait where it takes a while."""
        starting = asyncio.ensure_future(servers.start())
        try:
            await asyncio.wait([starting], timeout=SAY_AWAITED_S)
            if not starting.done():
                self._tell(f"Waiting for MCP servers: {', '.join(servers.awaited)}.")
            return await starting
        finally:
            starting.cancel()

    async def __aexit__(self, *_: object) -> None:
        if self._servers is not None:
            await self._servers.close()

    def _take_news(self, news: "McpNews") -> None:
        changed = self._of_server.get(news.server) != news.tools
        self._of_server[news.server] = news.tools
        self._tell_news(news)
        if changed:
            self.changed()

    def _tell_news(self, news: "McpNews", *, said: bool = True) -> None:
        for sentence in (news.said, *news.left_out) if said else news.left_out:
            self._tell(sentence)

    @property
    def tools(self) -> tuple[ClientTool, ...]:
        """The tools that are there now."""
        of_servers = (tool for tools in self._of_server.values() for tool in tools)
        named = self._names.named((*self._own, *of_servers))
        return tuple(overridden(tool, self._overrides) for tool in named)

    def declared(self, behavior: str | None = None) -> list[Tool]:
        """Return the tools as a setup or a context update has them; an empty list for none.

        ``behavior``: BLOCKING, NON_BLOCKING, or None for the model's default.
        """
        declarations = [declaration_of(tool, behavior) for tool in self.tools]
        return [Tool(function_declarations=declarations)] if declarations else []


def declaration_of(tool: ClientTool, behavior: str | None = None) -> FunctionDeclaration:
    """Return what the model is told of ``tool``."""
    return FunctionDeclaration(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=tool.parameters,
        behavior=behavior,
    )


class SessionNames:
    """The names of all tools in one session: each of its own, and a tool's the same to the end.

    A name that was free for another tool once a server is gone would carry the user's answers over
    to that. ``tell`` gets a sentence about each tool that is called otherwise than it calls itself.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._given: dict[tuple[str, str, int], str] = {}
        self._taken: set[str] = set()

    def named(self, tools: Iterable[ClientTool]) -> list[ClientTool]:
        """Return ``tools`` under their names in this session, of at most `NAME_CHARACTERS`."""
        seen: Counter[tuple[str, str]] = Counter()
        renamed = []
        for tool in tools:
            seen[tool.source, tool.name] += 1
            key = (tool.source, tool.name, seen[tool.source, tool.name])
            name = self._given.get(key) or self._new_name(tool)
            self._given[key] = name
            renamed.append(tool if name == tool.name else replace(tool, name=name))
        return renamed

    def _new_name(self, tool: ClientTool) -> str:
        name, number = tool.name[:NAME_CHARACTERS], 1
        while name in self._taken:
            number += 1
            name = f"{tool.name[: NAME_CHARACTERS - 4]}_{number}"
        self._taken.add(name)
        if number > 1:
            self._tell(f"{tool.name} of {tool.source} is called {name}: the name is taken.")
        return name
