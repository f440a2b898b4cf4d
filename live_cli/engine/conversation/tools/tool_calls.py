"""The functions that the model calls, between client and history.

What the model said before its calls, the calls and their results come into the history together,
once all that it waits for is there: chat templates want every call to be followed by its result.
A NON_BLOCKING call has none yet. It gets a placeholder, so that the talk goes on, and what it
answers later is a line of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from live_cli.engine.conversation.context import EmitMessage
from live_cli.engine.conversation.history import MODEL, TOOL, History, text_tokens
from live_cli.engine.conversation.model_turn import Reply
from live_cli.engine.conversation.tools.open_calls import (
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
    """What was said, what was called then, and whether the model can go on from it."""

    reply: Reply
    calls: list[OpenCall]
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self) -> None:
        if all(call.final for call in self.calls if call.blocking):
            self.settled.set()


class ToolCalls:
    """One session's. ``most_characters``: what is kept of one result."""

    def __init__(
        self, history: History, toolbox: Toolbox, most_characters: int, emit: EmitMessage
    ) -> None:
        self._history = history
        self._most_characters = most_characters
        self._emit = emit
        self._calls = OpenCalls(most_characters)
        self._exchange: _Exchange | None = None
        self._late_results: dict[str, LateResult] = {}  # by call: what waits to be told
        self.change(toolbox)

    def change(self, toolbox: Toolbox) -> None:
        """What may be called from now on."""
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
        """Whether the model cannot go on before a response has come."""
        return self._exchange is not None and not self._exchange.settled.is_set()

    @property
    def has_untold_results(self) -> bool:
        """Whether there are results that want to be spoken about."""
        settled = self._exchange is not None and self._exchange.settled.is_set()
        return settled or any(
            news.scheduling > Scheduling.SILENT for news in self._late_results.values()
        )

    async def call(self, uses: Sequence[ToolUse], reply: Reply) -> None:
        """Tell the client what the model calls, after what it ``said``."""
        calls = self._calls.start(uses, self.toolbox.non_blocking)
        self._exchange = _Exchange(reply, calls)
        told = [
            FunctionCall(id=call.use.id, name=call.use.name, args=call.use.arguments)
            for call in calls
        ]
        await self._emit(ServerMessage(tool_call=ToolCall(function_calls=told)))
        await self._tell_cancelled(self._calls.give_up(self._calls.overdue()))
        self._exchange.settle()

    async def settled(self) -> None:
        """Returns once the model can go on."""
        if self._exchange is not None:
            await self._exchange.settled.wait()

    def take_responses(self, responses: Sequence[FunctionResponse]) -> Scheduling:
        """Take responses in; how soon the most urgent of them wants to be told."""
        answers = (self._calls.answer(response) for response in responses)
        news = [answer for answer in answers if answer is not None]
        for one in news:
            before = self._late_results.get(one.use.id)
            told = before.followed_by(one, self._most_characters) if before else one
            self._late_results[one.use.id] = told
        if self._exchange is not None:
            self._exchange.settle()
        return max((one.scheduling for one in news), default=Scheduling.SILENT)

    def store(self) -> int:
        """Put what came back into the history; returns the tokens of the results.

        Together they are no longer than one may be: a window holds only so much.
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
        for news in self._late_results.values():
            results.append(fitting(news.result, room))
            self._history.add(TOOL, note_of(news.use.name, results[-1], final=news.final))
        self._late_results = {}
        return sum(map(text_tokens, results))

    def recall(self, content: Content) -> None:
        """Results in a turn of an earlier conversation: nobody waits for them any more."""
        for part in content.parts or ():
            if (told := part.function_response) is not None:
                result = fitting(text_of_result(told.response), self._most_characters)
                self._history.add(TOOL, note_of(told.name or "", result))

    async def drop(self, now: float) -> None:
        """The user goes on: what the model waits for is not wanted any more.

        Calls that have been answered, or that the talk does not wait for, stay in the history.
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
        unanswered = [call for call in exchange.calls if call not in kept]
        await self._tell_cancelled(self._calls.give_up(unanswered))

    async def _tell_cancelled(self, ids: list[str]) -> None:
        if ids:
            cancelled = ToolCallCancellation(ids=ids)
            await self._emit(ServerMessage(tool_call_cancellation=cancelled))


def _result_of(call: OpenCall) -> str:
    return call.result if call.result is not None else _RUNNING


def note_of(name: str, result: str, *, final: bool = True) -> str:
    """A result that came when the call had long been followed by a placeholder."""
    return f"[The function {name} {'has answered' if final else 'answers so far'}: {result}]"
