"""MCP servers as people have them configured: the JSON of other programs, read. Pure.

Read are the shapes of Claude Desktop, Claude Code, Cursor, Windsurf and Gemini CLI (`mcpServers`)
and of VS Code (`servers`, or `mcp.servers` in its settings). Fields that only another program
understands are ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from live_cli.tools.tool import TIME_LIMIT_S

_URL_FIELDS: Final = ("url", "httpUrl", "serverUrl")
_NO_LONGER: Final = ("sse", "ws", "websocket")
_VARIABLE: Final = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_INPUT: Final = re.compile(r"\$\{input:([^}]*)\}")


class McpConfigError(Exception):
    """An entry that cannot be understood; says which and why."""


@dataclass(frozen=True, slots=True)
class McpEntry:
    """One configured server: a command, or an address over HTTP.

    ``environment``: what its process gets beside what every process needs; never our keys.
    ``trusted``: its tools may run unasked. ``included``: names or patterns of the tools that are
    offered, None for all; ``excluded``: of those that are not. ``time_limit_s``: of one call.
    """

    name: str
    command: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trusted: bool = False
    included: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    time_limit_s: float = TIME_LIMIT_S

    def offers(self, tool: str) -> bool:
        """Return whether the tool of that name is offered to the model."""
        wanted = self.included is None or any(fnmatchcase(tool, each) for each in self.included)
        return wanted and not any(fnmatchcase(tool, each) for each in self.excluded)


def read_entries(given: Any, variables: Mapping[str, str]) -> list[McpEntry]:
    """Return the servers that ``given``, a parsed JSON document, configures.

    ``variables``: of the environment, for ``${NAME}`` in an entry. Raises McpConfigError.
    """
    servers = _servers_of(given)
    if servers is None:
        raise McpConfigError('It has no object "mcpServers" (or "servers").')
    entries = []
    for name, entry in servers.items():
        if not isinstance(entry, dict):
            raise McpConfigError(f"The entry of {name!r} is no object.")
        if entry.get("disabled") is not True:
            entries.append(_Reader(name, entry, variables).entry())
    return entries


def _servers_of(given: Any) -> dict[str, Any] | None:
    if not isinstance(given, dict):
        return None
    inner = given.get("mcp")
    for holder in (given, inner if isinstance(inner, dict) else {}):
        for key in ("mcpServers", "servers"):
            if isinstance(holder.get(key), dict):
                servers: dict[str, Any] = holder[key]
                return servers
    return None


class _Reader:
    """Reads the fields of one entry, and names the one that is wrong."""

    def __init__(self, name: str, entry: dict[str, Any], variables: Mapping[str, str]) -> None:
        self._name = name
        self._entry = entry
        self._variables = variables

    def entry(self) -> McpEntry:
        command = self._text("command")
        url = next(filter(None, map(self._text, _URL_FIELDS)), "")
        if bool(command) == bool(url):
            raise self._wrong('needs either a "command" or a "url"')
        if self._text("type").lower() in _NO_LONGER:
            raise self._wrong("speaks a transport that is not supported: use streamable HTTP")
        included = self._texts("includeTools") if "includeTools" in self._entry else None
        return McpEntry(
            name=self._name,
            command=command,
            arguments=self._texts("args"),
            environment=self._mapping("env"),
            folder=self._text("cwd") or None,
            url=url,
            headers=self._mapping("headers"),
            trusted=self._entry.get("trust") is True,
            included=included,
            excluded=self._texts("excludeTools"),
            time_limit_s=self._time_limit_s(),
        )

    def _wrong(self, what: str) -> McpConfigError:
        return McpConfigError(f"The server {self._name!r} {what}.")

    def _text(self, key: str) -> str:
        value = self._entry.get(key, "")
        if not isinstance(value, str):
            raise self._wrong(f'has a "{key}" that is no text')
        return self._expanded(value)

    def _texts(self, key: str) -> tuple[str, ...]:
        values = self._entry.get(key, [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise self._wrong(f'has "{key}" that is no list of texts')
        return tuple(map(self._expanded, values))

    def _mapping(self, key: str) -> dict[str, str]:
        given = self._entry.get(key) or {}
        plain = (str, int, float, bool)
        if not isinstance(given, dict) or not all(isinstance(v, plain) for v in given.values()):
            raise self._wrong(f'has "{key}" that is no object of texts')
        return {name: self._expanded(_written(value)) for name, value in given.items()}

    def _time_limit_s(self) -> float:
        limit_ms = self._entry.get("timeout", TIME_LIMIT_S * 1000)
        if isinstance(limit_ms, bool) or not isinstance(limit_ms, int | float) or limit_ms <= 0:
            raise self._wrong('has a "timeout" that is no number of milliseconds')
        return float(limit_ms) / 1000

    def _expanded(self, text: str) -> str:
        if asked := _INPUT.search(text):
            raise self._wrong(f"asks for the input {asked[1]!r}, which only VS Code can ask for")

        def value(match: re.Match[str]) -> str:
            name, default = match.groups()
            found = self._variables.get(name, default)
            if found is None:
                raise self._wrong(f"needs {name} in the environment, which is not set")
            return found

        return _VARIABLE.sub(value, text)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
