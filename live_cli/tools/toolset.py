"""All tools of a session, whoever provides them, under names of their own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from live_cli.protocol.messages import FunctionDeclaration, Tool
from live_cli.tools.python_file import load_tools
from live_cli.tools.tool import ClientTool

if TYPE_CHECKING:
    from live_cli.tools.mcp_config import McpEntry
    from live_cli.tools.mcp_servers import McpNews, McpServers

NAME_CHARACTERS: Final = 64
"""Of a function's name on the wire (aiplatform.v1beta1, FunctionDeclaration.name)."""


class Toolset:
    """The tools of one session; a context manager that runs the MCP servers meanwhile.

    ``files``: Python files. ``entries``: MCP servers, whose stderr goes into ``logs``. ``tell``
    gets a sentence for people about each server, and about what in a file is no tool.
    ``changed`` is called when a server was lost or is back. Raises InputFileError for a bad file.
    """

    def __init__(
        self,
        files: Sequence[str],
        entries: "Sequence[McpEntry]",
        logs: Path,
        tell: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        loaded = [load_tools(path) for path in files]
        self._own = [tool for file in loaded for tool in file.tools]
        self._notes = [note for file in loaded for note in file.notes]
        self._entries = entries
        self._logs = logs
        self._tell = tell
        self.changed = changed
        self._of_server: dict[str, tuple[ClientTool, ...]] = {}
        self._servers: McpServers | None = None

    async def __aenter__(self) -> Self:
        for note in self._notes:
            self._tell(note)
        if self._entries:
            from live_cli.tools.mcp_servers import McpServers

            self._servers = McpServers(self._entries, self._logs, self._take_news)
            for news in await self._servers.start():
                self._of_server[news.server] = news.tools
                if not news.tools:
                    self._tell(news.said)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._servers is not None:
            await self._servers.close()

    def _take_news(self, news: "McpNews") -> None:
        self._of_server[news.server] = news.tools
        self._tell(news.said)
        self.changed()

    @property
    def tools(self) -> tuple[ClientTool, ...]:
        """The tools that are there now."""
        of_servers = (tool for tools in self._of_server.values() for tool in tools)
        return with_unique_names([*self._own, *of_servers])

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


def with_unique_names(tools: Iterable[ClientTool]) -> tuple[ClientTool, ...]:
    """Return ``tools``, each name of at most `NAME_CHARACTERS`, and numbered where it was taken."""
    named: dict[str, ClientTool] = {}
    for tool in tools:
        name, number = tool.name[:NAME_CHARACTERS], 1
        while name in named:
            number += 1
            name = f"{tool.name[: NAME_CHARACTERS - 4]}_{number}"
        named[name] = tool if name == tool.name else replace(tool, name=name)
    return tuple(named.values())
