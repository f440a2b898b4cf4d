"""The calls of a session: which are open, and what came back. Pure.

Theory of operation
===================

A call is open from the moment it is told to the client until its final response, its cancellation
or the session's end. Responses find it by their id, or, where they carry none (Vertex), by the
function's name, the oldest first; those that find nothing are late or foreign and are ignored.

A response with `willContinue` leaves its call open. The results of a BLOCKING call are collected
until the final one, for the model waits for that. Those of a NON_BLOCKING call are news, one by
one, and say how they want to be told: when nobody speaks, at once, or not at all.

Nothing here grows without bound: at most `MOST_OPEN` calls are open (the oldest is given up), and
of one call's results at most ``most_characters`` are kept.
"""

import json
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from live_cli.engine.stages import JsonObject, ToolUse
from live_cli.protocol.messages import FunctionResponse

_log = logging.getLogger("live_cli.serve.engine")

MOST_OPEN = 64
_CUT, _CUT_BEFORE = " … (cut)", "(cut) … "
_ID_BITS = 63
_MOST_WARNINGS = 10


class Scheduling(IntEnum):
    """How a result that came later wants to be told; the greater, the sooner."""

    SILENT = 0
    WHEN_IDLE = 1
    INTERRUPT = 2


@dataclass(slots=True)
class OpenCall:
    """A call under way; ``result`` is what came back so far, None before anything did."""

    use: ToolUse
    blocking: bool
    result: str | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class LateResult:
    """Something a NON_BLOCKING call has answered."""

    use: ToolUse
    result: str
    scheduling: Scheduling
    final: bool

    def followed_by(self, later: "LateResult", most_characters: int) -> "LateResult":
        """Both as one; of what does not fit, the oldest goes."""
        result = f"{self.result}\n{later.result}"
        if len(result) > most_characters:
            result = _CUT_BEFORE + result[len(result) + len(_CUT_BEFORE) - most_characters :]
        return replace(later, result=result, scheduling=max(self.scheduling, later.scheduling))


@dataclass(slots=True)
class OpenCalls:
    """The open calls of one session. ``most_characters``: what is kept of one result."""

    most_characters: int
    number: Callable[[], int] = lambda: secrets.randbits(_ID_BITS)
    _open: dict[str, OpenCall] = field(default_factory=dict)
    _warnings: int = 0

    @property
    def are_open(self) -> bool:
        return bool(self._open)

    def start(self, uses: Sequence[ToolUse], non_blocking: frozenset[str]) -> list[OpenCall]:
        """Open calls for ``uses``, under ids of our own."""
        calls = []
        for use in uses:
            named = ToolUse(f"function-call-{self.number()}", use.name, use.arguments)
            call = OpenCall(named, blocking=use.name not in non_blocking)
            self._open[named.id] = call
            calls.append(call)
        return calls

    def give_up(self, calls: Sequence[OpenCall]) -> list[str]:
        """Close those of ``calls`` that are open; returns their ids."""
        given_up = [call for call in calls if self._open.pop(call.use.id, None)]
        for call in given_up:
            call.final = True
        return [call.use.id for call in given_up]

    def overdue(self) -> list[OpenCall]:
        """The oldest calls, where more are open than may be."""
        return list(self._open.values())[: max(0, len(self._open) - MOST_OPEN)]

    def answer(self, response: FunctionResponse) -> LateResult | None:
        """Take a response in; what it has to tell, if it is news."""
        call = self._find(response)
        if call is None:
            name, given = (response.name or "")[:60], (response.id or "")[:60]
            self._warn("ignored: a response to %r (%r), which is not open", given, name)
            return None
        if response.parts:
            self._warn("ignored: the parts of a response of %r; its text counts", call.use.name)
        result = self._fitting(text_of_result(response.response), call)
        call.final = not response.will_continue
        if call.final:
            del self._open[call.use.id]
        if not call.blocking:
            scheduling = scheduling_of(response.scheduling)
            return LateResult(call.use, result, scheduling, call.final)
        if result != "{}" or call.result is None:
            before = f"{call.result}\n" if call.result is not None else ""
            call.result = self._fitting(before + result, call)
        return None

    def _fitting(self, text: str, call: OpenCall) -> str:
        if len(text) > self.most_characters:
            self._warn("cut: %d characters of a result of %r", len(text), call.use.name)
        return fitting(text, self.most_characters)

    def _warn(self, line: str, *details: object) -> None:
        """A line for the log, but not one for each message of a flood."""
        self._warnings += 1
        if self._warnings <= _MOST_WARNINGS:
            _log.warning(line, *details)

    def _find(self, response: FunctionResponse) -> OpenCall | None:
        if response.id:
            return self._open.get(response.id)
        named = (call for call in self._open.values() if call.use.name == response.name)
        return next(named, None)


def fitting(text: str, most_characters: int) -> str:
    """``text``, cut where it is longer."""
    if len(text) <= most_characters:
        return text
    return text[: max(0, most_characters - len(_CUT))] + _CUT


def scheduling_of(name: str | None) -> Scheduling:
    """WHEN_IDLE unless it says otherwise."""
    return Scheduling.__members__.get(name or "", Scheduling.WHEN_IDLE)


def text_of_result(response: JsonObject | None) -> str:
    """What the model reads: `output` alone, `error` as such, or the whole object (reference §2.7).

    The guides put `scheduling` inside: that is not for the model.
    """
    given = dict(response or {})
    if str(given.get("scheduling", "")).upper() in Scheduling.__members__:
        del given["scheduling"]
    if "error" in given:
        return _json({"error": given["error"]})
    if "output" in given:
        output = given["output"]
        return output if isinstance(output, str) else _json(output)
    return _json(given)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
