"""The model's side of a turn: the answer to the history, and the turn's end with its cost."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from live_cli.engine.backends.table import Stage
from live_cli.engine.conversation.context import EmitMessage, EngineContext, SessionStages
from live_cli.engine.conversation.handles import ResumptionUpdates
from live_cli.engine.conversation.history.entries import MODEL, Entry
from live_cli.engine.conversation.history.history import History
from live_cli.engine.conversation.history.tokens import TokenCount, audio_tokens, text_tokens
from live_cli.engine.conversation.model_turn import ModelTurn
from live_cli.engine.conversation.tools.python_calls import python_of
from live_cli.engine.conversation.tools.tool_calls import ToolCalls
from live_cli.engine.conversation.usage import usage_of
from live_cli.engine.newest_only import NewestOnly
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.setup.families import INVALID
from live_cli.engine.stages import ChatMessage, ChatRequest, FinishReason, ToolDeclaration, ToolUse
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import (
    Content,
    ExecutableCode,
    Part,
    ServerContent,
    ServerMessage,
    UsageMetadata,
)

_log = logging.getLogger("live_cli.serve.engine")

_MOST_CALLS_A_TURN = 16
_REPLY_SHARE = 4  # without maxOutputTokens a reply may take a quarter of the model's context
_GO_ON = ChatMessage("user", "Please go on.")


@dataclass(frozen=True, slots=True)
class _AheadTurn:
    """An answer begun before it was known that the user has finished, and what it answers."""

    request: ChatRequest
    turn: ModelTurn
    calls: "asyncio.Task[list[ToolUse]]"

    def drop(self) -> None:
        self.turn.stop()
        self.calls.cancel()
        self.calls.add_done_callback(lambda calls: calls.cancelled() or calls.exception())


class Answerer:
    """Runs one answer at a time, of the chat model and the synthesizer.

    To cut an answer short: call `stop`, cancel the task that awaits `answer`, await `interrupt`.
    """

    def __init__(
        self,
        history: History,
        config: SessionConfig,
        stages: SessionStages,
        context: EngineContext,
        emit: EmitMessage,
    ) -> None:
        self._history = history
        self._config = config
        self._chat = stages.chat
        self._synthesizer = stages.synthesizer
        self._language = stages.language
        self._updates = ResumptionUpdates(stages.handles, config.model, emit, on=config.resumable)
        self._context = context
        self._emit = emit
        self._turn: ModelTurn | None = None
        self._ahead: _AheadTurn | None = None
        self.voice = config.voice
        """The voice of the next answer."""
        self._prompt_tokens = TokenCount()  # billed for the turn
        self._result_tokens = 0  # of function results stored during the turn
        self._prefilling: NewestOnly[str] = NewestOnly()
        self.tool_calls = ToolCalls(
            history,
            config.toolbox,
            self._chat.context_tokens,
            emit,
            takes_uncalled=config.vertex,
        )

    async def prefill(self, heard: str = "") -> None:
        """Let the chat model read the history ahead of its next answer, to warm its cache.

        ``heard``: words of the user that are not in the history yet, read as its last entry.
        """
        messages, tools = self._history.messages(heard), self.tool_calls.toolbox.declarations
        if messages or tools:
            salt = self._config.principal
            await self._context.workers.run(
                Stage.CHAT, lambda: self._chat.prefill(messages, tools, salt)
            )

    def prepare(self, heard: str) -> None:
        """Begin to answer ``heard``, in case that is all that the user says.

        Nothing is told or kept of it until `answer` finds that it answers just that; `drop_ahead`
        ends it. One at a time, and none while others' answers are generated: they go first.
        """
        self.drop_ahead()
        chat_is_free = self._context.workers.running(Stage.CHAT) == 0
        if self._config.affective or self._config.proactive or not chat_is_free:
            return
        request = self._next_request(heard)
        turn = self._new_turn(ahead=True)
        self._ahead = _AheadTurn(request, turn, asyncio.create_task(turn.say(request)))

    def drop_ahead(self) -> None:
        """End an answer that was begun in vain."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.drop()

    async def keep_prefilled(self) -> None:
        """Prefill with the history as it is, which precedes the user's next words.

        Calls while that goes on come to one prefill more.
        """
        await self._prefilling.do("", self.prefill)

    def store_results(self) -> int:
        """Put the results of functions into the history; return their tokens.

        The tokens are billed with the turn that is under way, else with the next.
        """
        tokens = self.tool_calls.store()
        self._result_tokens += tokens
        if tokens:
            self._history.trim()
        return tokens

    async def answer(self) -> None:
        """Answer the history: generate, speak, wait until it has been played, tell the end.

        Raises UnsupportedError when the context is full, EngineError when a stage fails.
        """
        self.store_results()
        self._make_room()
        await self._updates.withhold()
        billed = self._history.billed()
        self._prompt_tokens = replace(billed, text=max(0, billed.text - self._result_tokens))
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.request != self._next_request():
            ahead.drop()
            ahead = None
        turn = self._turn = ahead.turn if ahead is not None else self._new_turn()
        try:
            await self._say_all(turn, ahead)
        finally:
            if ahead is not None:
                ahead.drop()
        early = await self._early_handle(turn)
        await turn.tell_generated()
        if early is not None:
            await self._updates.tell(early)
        await turn.play_out()
        self._turn = None
        reply = turn.take_reply()
        self._history.add(MODEL, reply.text, reply.audio_s)
        await asyncio.shield(asyncio.create_task(self._complete(turn)))

    def _new_turn(self, *, ahead: bool = False) -> ModelTurn:
        return ModelTurn(
            self._chat,
            self._synthesizer,
            replace(self._config, voice=replace(self.voice, language=self._language.current)),
            self._context.workers,
            self._send,
            self._context.clock,
            ahead=ahead,
        )

    async def _say_all(self, turn: ModelTurn, ahead: _AheadTurn | None) -> None:
        """Say replies, each from the results of the calls before it, until one makes no call.

        ``ahead``: the first of them, where it has been begun already.
        """
        for _ in range(_MOST_CALLS_A_TURN):
            toolbox = self.tool_calls.toolbox  # as offered: it may change while the model writes
            calls = await self._say(turn, toolbox.declarations, ahead)
            ahead = None
            if not calls:
                return
            if self._config.shows_calls_as_code:
                await self._show_code(calls)
            await self.tool_calls.call(calls, turn.take_reply(), toolbox.non_blocking)
            if self.tool_calls.model_waits and self._config.ends_turn_with_call:
                return
            await self.tool_calls.settled()
            self.store_results()
        _log.warning("a turn called functions %d times: it ends without more", _MOST_CALLS_A_TURN)
        await self._say(turn, ())

    async def _say(
        self,
        turn: ModelTurn,
        tools: tuple[ToolDeclaration, ...],
        ahead: _AheadTurn | None = None,
    ) -> list[ToolUse] | None:
        """Say one reply; return its calls, or None where one of them is malformed."""
        estimated = self._history.estimated_tokens()
        if ahead is not None:
            turn.release()
            calls = await ahead.calls
        else:
            calls = await turn.say(self._request(self._history.messages(), tools))
        usage = turn.usage
        self._history.calibrate(estimated, usage.prompt_tokens)
        if usage.finish_reason is FinishReason.CUT:
            _log.warning("a reply was cut at its limit of tokens (maxOutputTokens)")
        if any(all(call.name != tool.name for tool in tools) for call in calls):
            turn.usage = replace(usage, finish_reason=FinishReason.MALFORMED_CALL)
        return None if turn.usage.finish_reason is FinishReason.MALFORMED_CALL else calls

    async def _show_code(self, calls: Sequence[ToolUse]) -> None:
        code = ExecutableCode(language="PYTHON", code=python_of(calls))
        await self._send(ServerContent(model_turn=Content(parts=[Part(executable_code=code)])))

    def _make_room(self) -> None:
        """Trim the history. Raises UnsupportedError when it still exceeds the model's context."""
        self._history.trim()
        if self._history.is_full:
            raise UnsupportedError(INVALID)

    async def keep_silent(self) -> None:
        """End a turn without an answer, because the user's words were not for the model."""
        self._make_room()
        await asyncio.shield(asyncio.create_task(self._tell_silence()))

    async def _tell_silence(self) -> None:
        modality = "AUDIO" if self._config.speaks else "TEXT"
        await self._send(ServerContent(generation_complete=True))
        await self._end(usage_of(self._history.billed(), 0, 0, modality))

    def stop(self) -> None:
        """Make the chat model stop with its next token."""
        if self._turn is not None:
            self._turn.stop()

    @property
    def is_under_way(self) -> bool:
        """Return whether an answer is being generated, or played."""
        return self._turn is not None

    @property
    def has_told(self) -> bool:
        """Return whether the client has anything of the answer that is under way."""
        return self._turn is not None and self._turn.has_told

    @property
    def is_heard(self) -> bool:
        """Return whether the user has noticed the answer that is under way, or its calls."""
        turn = self._turn
        return turn is not None and (turn.is_heard or self.tool_calls.model_waits)

    def close(self) -> None:
        """Let the turn go that was under way at the session's end."""
        self.drop_ahead()
        self._turn = None

    async def interrupt(self, *, silently: bool = False) -> None:
        """End an answer that was cancelled: tell the client, keep what can have been heard of it.

        ``silently``: an answer of which the client has nothing is as if it had not been begun.
        Calls that the model waits for are cancelled too, also where no answer was under way.
        """
        turn, self._turn = self._turn, None
        now = self._context.clock.now()
        if silently and turn is not None and not turn.has_told:
            turn = None
        if turn is not None:
            await self._send(ServerContent(interrupted=True))
        await self.tool_calls.cancel_awaited(now)
        if turn is not None:
            reply = turn.take_reply()
            self._history.add(MODEL, reply.heard(now), reply.played_s(now))
            await self._complete(turn)

    def _next_request(self, heard: str = "") -> ChatRequest:
        return self._request(self._history.messages(heard), self.tool_calls.toolbox.declarations)

    def _request(
        self, messages: tuple[ChatMessage, ...], tools: tuple[ToolDeclaration, ...]
    ) -> ChatRequest:
        if not messages or messages[-1].role not in ("user", "tool"):
            messages = (*messages, _GO_ON)
        sampling = self._config.sampling
        if sampling.max_tokens is None:
            sampling = replace(sampling, max_tokens=self._chat.context_tokens // _REPLY_SHARE)
        return ChatRequest(messages, sampling, tools, self._config.principal)

    async def _complete(self, turn: ModelTurn) -> None:
        """Send the last messages of a turn in which the model answered."""
        if self._config.speaks:
            replied, modality = audio_tokens(turn.audio_s), "AUDIO"
        else:
            replied, modality = turn.usage.reply_tokens or text_tokens(turn.text), "TEXT"
        thoughts = turn.usage.thought_tokens
        results, self._result_tokens = self._result_tokens, 0
        usage = usage_of(self._prompt_tokens, replied, thoughts, modality, results)
        await self._end(usage, turn.usage.finish_reason)

    async def _end(
        self, usage: UsageMetadata, finish_reason: FinishReason = FinishReason.WHOLE
    ) -> None:
        malformed = finish_reason is FinishReason.MALFORMED_CALL
        working = "IN_PROGRESS" if self.tool_calls.are_open else "IDLE"
        done = ServerContent(
            turn_complete=True,
            interaction_status=working if self._config.family.tells_status else None,
            turn_complete_reason="MALFORMED_FUNCTION_CALL" if malformed else None,
        )
        # Kept before the end is told: who has heard of the end finds the turn behind the handle.
        handle = await self._handle()
        await self._emit(ServerMessage(server_content=done, usage_metadata=usage))
        await self._updates.tell(handle)

    async def issue_handle(self) -> None:
        """Send a resumption handle for the history as it is, if the client asked for resumption.

        While calls are open, or where no handle can be kept, the session is told to be not
        resumable instead.
        """
        await self._updates.tell(await self._handle())

    async def _early_handle(self, turn: ModelTurn) -> str | None:
        """Return a handle with the answer of ``turn``, where that is still to be played."""
        if not turn.unplayed_s or self.tool_calls.are_open:
            return None
        said = Entry(MODEL, turn.reply.text.strip(), turn.reply.audio_s)
        return await self._updates.early_handle_for(self._history.snapshot(), said)

    async def _handle(self) -> str | None:
        """Return a handle for the history as it is; None while calls are open."""
        if self.tool_calls.are_open:
            return None
        return await self._updates.handle_for(self._history.snapshot())

    async def _send(self, content: ServerContent) -> None:
        await self._emit(ServerMessage(server_content=content))
