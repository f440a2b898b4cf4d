"""Function calls of the model, between client and history.

The words before the calls, the calls and their results are put into the history together, once all
results that the model waits for are there: chat templates want every call to be followed by its
result. A NON_BLOCKING call has no result by then. Its place is taken by a placeholder, so that the
conversation goes on, and each of its late results becomes an entry of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from live_cli.engine.conversation.context import EmitMessage
from live_cli.engine.conversation.history.entries import MODEL, TOOL
from live_cli.engine.conversation.history.history import History
from live_cli.engine.conversation.history.tokens import text_tokens
from live_cli.engine.conversation.model_turn import Reply
from live_cli.engine.conversation.tools.open_calls import (
    LONGEST_NAME,
    LateResult,
    OpenCall,
    OpenCalls,
    Scheduling,
    fitting,
    text_of_result,
)
from live_cli.engine.setup.toolbox import Toolbox
from live_cli.engine.stages import ToolUse
from live_cli.protocol.messages import (
    Content,
    FunctionCall,
    FunctionResponse,
    ServerMessage,
    ToolCall,
    ToolCallCancellation,
)

_RUNNING = '{"status": "running", "note": "The result comes later. The conversation goes on."}'


@dataclass(slots=True)
class _Exchange:
    """A reply and the calls at its end; ``settled`` once the model can go on from them."""

    reply: Reply
    calls: list[OpenCall]
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self) -> None:
        if all(call.final for call in self.calls if call.blocking):
            self.settled.set()


class ToolCalls:
    """The function calls of one session.

    ``most_characters``: how much is kept of one result, and of all results that are stored at once.
    ``takes_uncalled``: as for `OpenCalls`.
    """

    def __init__(
        self,
        history: History,
        toolbox: Toolbox,
        most_characters: int,
        emit: EmitMessage,
        *,
        takes_uncalled: bool = False,
    ) -> None:
        self._history = history
        self._most_characters = most_characters
        self._emit = emit
        self._calls = OpenCalls(most_characters, takes_uncalled=takes_uncalled)
        self._exchange: _Exchange | None = None
        self._late_results: dict[str, LateResult] = {}  # by call, not in the history yet
        self.change(toolbox)

    def change(self, toolbox: Toolbox) -> None:
        """Let the model call the functions of ``toolbox`` from now on."""
        self.toolbox = toolbox
        self._history.tool_tokens = sum(
            text_tokens(f"{tool.name}{tool.description}{tool.parameters}")
            for tool in toolbox.declarations
        )

    @property
    def are_open(self) -> bool:
        """Whether any call is still open."""
        return self._calls.are_open

    @property
    def model_waits(self) -> bool:
        """Whether the model waits for the result of a call."""
        return self._exchange is not None and not self._exchange.settled.is_set()

    @property
    def has_untold_results(self) -> bool:
        """Whether there are results that the model is to tell, and that it has not read yet."""
        settled = self._exchange is not None and self._exchange.settled.is_set()
        return settled or any(
            late.scheduling > Scheduling.SILENT for late in self._late_results.values()
        )

    async def call(
        self, uses: Sequence[ToolUse], reply: Reply, non_blocking: frozenset[str]
    ) -> None:
        """Tell the client of the calls that end ``reply``; cancel the oldest of too many.

        ``non_blocking``: names of the functions for whose result the model does not wait.
        """
        calls = self._calls.start(uses, non_blocking)
        self._exchange = _Exchange(reply, calls)
        told = [
            FunctionCall(id=call.use.id, name=call.use.name, args=call.use.arguments)
            for call in calls
        ]
        await self._emit(ServerMessage(tool_call=ToolCall(function_calls=told)))
        await self._tell_cancelled(self._calls.cancel(self._calls.overdue()))
        self._exchange.settle()

    async def settled(self) -> None:
        """Wait until the model can go on from its last calls."""
        if self._exchange is not None:
            await self._exchange.settled.wait()

    def take_response(self, response: FunctionResponse) -> Scheduling:
        """Take in a response; return the scheduling of its late result, SILENT without one.

        Raises UnsupportedError for a response that is nested too deep.
        """
        late = self._calls.take_response(response)
        if late is not None:
            before = self._late_results.get(late.use.id)
            joined = before.followed_by(late, self._most_characters) if before else late
            self._late_results[late.use.id] = joined
        if self._exchange is not None:
            self._exchange.settle()
        return late.scheduling if late is not None else Scheduling.SILENT

    def store(self) -> int:
        """Put the results that are there into the history; return their tokens.

        All results together are cut to the length of one, so that they fit the chat model's window.
        """
        exchange = self._exchange
        if exchange is not None and not exchange.settled.is_set():
            exchange = None
        calls = exchange.calls if exchange is not None else []
        room = self._most_characters // max(1, len(calls) + len(self._late_results))
        results = [fitting(_result_of(call), room) for call in calls]
        if exchange is not None:
            self._exchange = None
            answered = list(zip((call.use for call in calls), results, strict=True))
            self._history.add_calls(exchange.reply.text, exchange.reply.audio_s, answered)
        for late in self._late_results.values():
            results.append(fitting(late.result, room))
            self._history.add(TOOL, note_of(late.use.name, results[-1], final=late.final))
        self._late_results = {}
        return sum(map(text_tokens, results))

    async def store_earlier_results(self, content: Content) -> None:
        """Store the function responses inside a turn of the client's history as late results."""
        most = self._most_characters
        for part in content.parts or ():
            if (response := part.function_response) is not None:
                result = fitting(text_of_result(response.response, most), most)
                self._history.add(TOOL, note_of((response.name or "")[:LONGEST_NAME], result))
                await asyncio.sleep(0)  # a response may take milliseconds to write down

    async def cancel_awaited(self, now: float) -> None:
        """Cancel the calls that the model waits for, because the user goes on at ``now`` seconds.

        Calls that have been answered, and NON_BLOCKING ones, stay in the history.
        """
        exchange = self._exchange
        if exchange is None or exchange.settled.is_set():
            return
        self._exchange = None
        kept = [call for call in exchange.calls if call.final or not call.blocking]
        heard, seconds = exchange.reply.heard(now), exchange.reply.played_s(now)
        if kept:
            results = [(call.use, _result_of(call)) for call in kept]
            self._history.add_calls(heard, seconds, results)
        else:
            self._history.add(MODEL, heard, seconds)
        unanswered = [call for call in exchange.calls if call.blocking and not call.final]
        await self._tell_cancelled(self._calls.cancel(unanswered))

    async def _tell_cancelled(self, ids: list[str]) -> None:
        if ids:
            cancelled = ToolCallCancellation(ids=ids)
            await self._emit(ServerMessage(tool_call_cancellation=cancelled))


def _result_of(call: OpenCall) -> str:
    return call.result if call.result is not None else _RUNNING


def note_of(name: str, result: str, *, final: bool = True) -> str:
    """Return the entry for a late result, whose call is followed by a placeholder already."""
    return f"[The function {name} {'has answered' if final else 'answers so far'}: {result}]"
