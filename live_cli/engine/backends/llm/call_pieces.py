"""Function calls, put together from the pieces in which chat completions stream them. Pure.

OpenAI numbers the calls by ``index``, names each once and sends its arguments in pieces. Others
leave the index out, or the id, or give every call the index 0 and a whole object as arguments.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from live_cli.engine.stages import ToolUse


@dataclass(slots=True)
class _Growing:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class CallPieces:
    """Collects the pieces of one stream by `push`; `whole` gives the calls at its end."""

    def __init__(self) -> None:
        self._calls: list[_Growing] = []
        self._by_index: dict[int | str | None, _Growing] = {}  # the newest of each index

    def push(self, piece: dict[str, Any]) -> None:
        """Take one element of the ``tool_calls`` of a delta."""
        function = piece.get("function") or {}
        name, call_id = function.get("name") or "", piece.get("id") or ""
        index = piece.get("index")
        call = self._growing(index if isinstance(index, int | str) else None, call_id, name)
        call.id = call.id or call_id
        call.name = call.name or name
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        if arguments:
            call.arguments.append(str(arguments))

    def whole(self) -> list[ToolUse] | None:
        """The calls in their order; None when one has no name or no JSON object of arguments."""
        uses: list[ToolUse] = []
        for call in self._calls:
            try:
                arguments = json.loads("".join(call.arguments) or "{}")
            except (ValueError, RecursionError):
                return None
            if not call.name or not isinstance(arguments, dict):
                return None
            uses.append(ToolUse(call.id, call.name, arguments))
        return uses

    def _growing(self, index: int | str | None, call_id: str, name: str) -> _Growing:
        """The call that a piece belongs to: one already begun, or a new one."""
        call = self._by_index.get(index)
        if call is not None:
            another = call_id and call.id and call_id != call.id
            unnumbered = index is None and not call_id and name and call.name
            if not another and not unnumbered:
                return call
        call = self._by_index[index] = _Growing()
        self._calls.append(call)
        return call
