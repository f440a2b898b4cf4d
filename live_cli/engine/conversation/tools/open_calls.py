"""The function calls of a session: which are open, and what their responses said. Pure.

Theory of operation
===================

A call is open from the moment the client is told of it until its final response, its cancellation
or the session's end. A response finds its call by the id, or, where it carries none (Vertex), by
the function's name, the oldest call first; a response that finds no call is late or foreign and is
ignored. On Vertex the service was recorded to answer one without an id, of a function that it had
never called: there it is a late result of its own.

A response with `willContinue` leaves its call open. The results of a BLOCKING call are collected
until the final one, for which the model waits. Each result of a NON_BLOCKING call is a late result
of its own, and says how it wants to be told: when nobody speaks, at once, or not at all.

Nothing here grows without bound: at most `MOST_OPEN` calls are open (the oldest are cancelled), and
of one call's results at most ``most_characters`` are kept.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from live_cli.engine.json_values import json_text
from live_cli.engine.stages import ToolUse
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import FunctionResponse, JsonObject

_log = logging.getLogger("live_cli.serve.engine")

MOST_OPEN = 64
_CUT, _CUT_BEFORE = " … (cut)", "(cut) … "
_ID_BITS = 63
LONGEST_NAME = 128
_MOST_WARNINGS = 10


class Scheduling(IntEnum):
    """How the result of a NON_BLOCKING call wants to be told; the greater, the sooner."""

    SILENT = 0
    WHEN_IDLE = 1
    INTERRUPT = 2


@dataclass(slots=True)
class OpenCall:
    """One call of the model.

    ``blocking``: the model waits for its result. ``result``: the results of a blocking call so far,
    None before the first. ``final``: the call has had its last response, or was cancelled.
    """

    use: ToolUse
    blocking: bool
    result: str | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class LateResult:
    """A result of a NON_BLOCKING call; ``final``: the call has had its last response."""

    use: ToolUse
    result: str
    scheduling: Scheduling
    final: bool

    def followed_by(self, later: "LateResult", most_characters: int) -> "LateResult":
        """Return both results as one; of too many characters, the oldest are cut off."""
        result = f"{self.result}\n{later.result}"
        if len(result) > most_characters:
            result = _CUT_BEFORE + result[len(result) + len(_CUT_BEFORE) - most_characters :]
        return replace(later, result=result, scheduling=max(self.scheduling, later.scheduling))


@dataclass(slots=True)
class OpenCalls:
    """The open calls of one session.

    ``most_characters``: how much of one call's result is kept. ``takes_uncalled``: a response
    without an id, of a function that was never called, is a late result. ``number``: makes the ids'
    numbers.
    """

    most_characters: int
    number: Callable[[], int] = lambda: secrets.randbits(_ID_BITS)
    takes_uncalled: bool = False
    _open: dict[str, OpenCall] = field(default_factory=dict)
    _called: set[str] = field(default_factory=set)
    _warnings: int = 0

    @property
    def are_open(self) -> bool:
        return bool(self._open)

    def start(self, uses: Sequence[ToolUse], non_blocking: frozenset[str]) -> list[OpenCall]:
        """Open a call for each of ``uses``, under ids of the session's own."""
        calls = []
        for use in uses:
            named = ToolUse(f"function-call-{self.number()}", use.name, use.arguments)
            call = OpenCall(named, blocking=use.name not in non_blocking)
            self._open[named.id] = call
            self._called.add(use.name)
            calls.append(call)
        return calls

    def cancel(self, calls: Sequence[OpenCall]) -> list[str]:
        """Close those of ``calls`` that are open, and return their ids."""
        cancelled = [call for call in calls if self._open.pop(call.use.id, None)]
        for call in cancelled:
            call.final = True
        return [call.use.id for call in cancelled]

    def overdue(self) -> list[OpenCall]:
        """Return the oldest calls that exceed `MOST_OPEN`."""
        return list(self._open.values())[: max(0, len(self._open) - MOST_OPEN)]

    def take_response(self, response: FunctionResponse) -> LateResult | None:
        """Take in a response; return its result if its call is NON_BLOCKING, else None."""
        call = self._find(response)
        if call is None and self._is_uncalled(response):
            return self._uncalled_result(response)
        if call is None:
            name, given = (response.name or "")[:60], (response.id or "")[:60]
            self._warn("ignored: a response to %r (%r), which is not open", given, name)
            return None
        if response.parts:
            self._warn("ignored: the parts of a response of %r; its text counts", call.use.name)
        result = self._fitting(text_of_result(response.response, self.most_characters), call)
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

    def _is_uncalled(self, response: FunctionResponse) -> bool:
        return self.takes_uncalled and not response.id and response.name not in self._called

    def _uncalled_result(self, response: FunctionResponse) -> LateResult:
        """Return a result under no id, as all of its kind, so that they are bounded as one."""
        name = (response.name or "")[:LONGEST_NAME]
        result = json_text({name: response.response or {}}, self.most_characters)
        scheduling = scheduling_of(response.scheduling)
        use = ToolUse("", name, {})
        return LateResult(use, fitting(result, self.most_characters), scheduling, final=True)

    def _fitting(self, text: str, call: OpenCall) -> str:
        if len(text) > self.most_characters:
            self._warn("cut: a result of %r, at %d characters", call.use.name, self.most_characters)
        return fitting(text, self.most_characters)

    def _warn(self, line: str, *details: object) -> None:
        """Log a warning, up to ten times a session: a flood of responses must not fill the log."""
        self._warnings += 1
        if self._warnings <= _MOST_WARNINGS:
            _log.warning(line, *details)

    def _find(self, response: FunctionResponse) -> OpenCall | None:
        if response.id:
            return self._open.get(response.id)
        named = (call for call in self._open.values() if call.use.name == response.name)
        return next(named, None)


def fitting(text: str, most_characters: int) -> str:
    """Return ``text``, cut where it is longer than ``most_characters``."""
    if len(text) <= most_characters:
        return text
    return text[: max(0, most_characters - len(_CUT))] + _CUT


def check_unscheduled(responses: Sequence[FunctionResponse]) -> None:
    """Raises UnsupportedError where the ``scheduling`` of a response is set, in Google's words.

    Within its ``response``, where the guides put it, it is data like all else.
    """
    for response in responses:
        enclosed = isinstance((response.response or {}).get("scheduling"), str)
        if response.scheduling not in (None, "SCHEDULING_UNSPECIFIED") and not enclosed:
            raise UnsupportedError("Function response scheduling is not supported for this model")


def scheduling_of(name: str | None) -> Scheduling:
    """Return the scheduling called ``name``; WHEN_IDLE for None and for unknown names."""
    return Scheduling.__members__.get(name or "", Scheduling.WHEN_IDLE)


def text_of_result(response: JsonObject | None, most_characters: int) -> str:
    """Return what the chat model reads of a response (reference §2.7).

    That is the value of `output`, an object of `error` alone, or else the whole object, without a
    `scheduling` inside of it, where the guides put it. Of a text longer than ``most_characters``
    the end may be missing. Raises UnsupportedError for a response that is nested too deep.
    """
    given = dict(response or {})
    scheduling = given.get("scheduling")
    if isinstance(scheduling, str) and scheduling[:40].upper() in Scheduling.__members__:
        del given["scheduling"]
    if "error" in given:
        return json_text({"error": given["error"]}, most_characters)
    output = given.get("output") if "output" in given else given
    return output if isinstance(output, str) else json_text(output, most_characters)
