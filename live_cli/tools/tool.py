"""A tool as the client knows it, whoever provides it: a value that says how it is called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from live_cli.protocol.messages import JsonObject

ResultScheduling = Literal["INTERRUPT", "WHEN_IDLE", "SILENT"]
"""How the result of a call that the model does not wait for is told (reference §2.7)."""

TIME_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call came to: ``response`` as the wire has it, with `output` or `error`.

    ``parts``: pictures and other media of it, as `FunctionResponse.parts` has them.
    """

    response: JsonObject
    parts: tuple[JsonObject, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the tool has failed."""
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
    ``time_limit_s``: seconds after which a call is given up. ``scheduling``: None for the default.
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
    scheduling: ResultScheduling | None = None
