"""A tool as the client knows it, whoever provides it: a value that says how it is called."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final, Literal, Protocol

from live_cli.protocol.messages import JsonObject

ResultScheduling = Literal["INTERRUPT", "WHEN_IDLE", "SILENT"]
"""How the result of a call that the model does not wait for is told (reference §2.7)."""

TIME_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call came to: ``response`` as the wire has it, with `output` or `error`.

    ``parts``: pictures and other media of it, as `FunctionResponse.parts` has them. ``raised``: it
    is an exception, which the log tells in full.
    """

    response: JsonObject
    parts: tuple[JsonObject, ...] = ()
    raised: bool = False

    @property
    def failed(self) -> bool:
        """Return whether the tool has failed."""
        return "error" in self.response

    @classmethod
    def error(cls, message: str) -> "ToolResult":
        """Return the result of a call that failed, or was not made, with the reason in words."""
        return cls({"error": message})


class TellProgress(Protocol):
    """Told what a tool has to say before it is done."""

    def __call__(self, message: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class ClientTool:
    """One function that the model may call.

    ``name``: unique in the session, and allowed on the wire. ``source``: who provides it, in words
    ("weather.py", "MCP server time"). ``parameters``: JSON Schema of its arguments. ``call``: runs
    it with arguments that fit that schema; cancelling the call stops the tool as far as it can be.
    ``server``: the name of its MCP server, "" for functions of a file. ``reads_only``: the tool
    says that it changes nothing. ``trusted``: who configured the tool lets it run unasked.
    ``time_limit_s``: seconds after which a call is given up. ``scheduling``: when a model that
    talks on tells the result.
    """

    name: str
    source: str
    description: str
    parameters: JsonObject
    call: Callable[[JsonObject, TellProgress], Awaitable[ToolResult]] = field(
        repr=False, compare=False
    )
    server: str = ""
    reads_only: bool = False
    trusted: bool = False
    time_limit_s: float = TIME_LIMIT_S
    scheduling: ResultScheduling = "WHEN_IDLE"

    def fits(self, pattern: str) -> bool:
        """Return whether ``pattern``, with ``*`` and ``?``, names this tool or its server."""
        names = [self.name, self.server] if self.server else [self.name]
        return any(fnmatchcase(name, pattern) for name in names)


@dataclass(frozen=True, slots=True)
class ToolOverride:
    """What the user sets for the tools that ``pattern`` fits; None: as it is."""

    pattern: str
    time_limit_s: float | None = None
    scheduling: ResultScheduling | None = None


def overridden(tool: ClientTool, overrides: Sequence[ToolOverride]) -> ClientTool:
    """Return ``tool`` as the user wants it; of several overrides that fit, the last one counts."""
    for each in overrides:
        if tool.fits(each.pattern):
            tool = replace(
                tool,
                time_limit_s=each.time_limit_s or tool.time_limit_s,
                scheduling=each.scheduling or tool.scheduling,
            )
    return tool
