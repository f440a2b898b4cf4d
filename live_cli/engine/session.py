"""One session of the local engine: input events in, turns out.

At most one turn is under way. It has two stages: first what the user said is transcribed, then the
model answers (generating and playing). New input during the second stage is a barge-in: the answer
is cancelled, reported, and only what can have been heard of it stays in the history. During the
first stage nothing has been answered yet, so the input is carried over into the next turn. With
NO_INTERRUPTION input waits for its turn instead.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from live_cli.engine.background import Background
from live_cli.engine.conversation import (
    MODEL,
    USER,
    Conversation,
    TokenCount,
    Window,
    audio_tokens,
    text_tokens,
)
from live_cli.engine.listening import Began, Finished, Hearing, Listener, Spoken
from live_cli.engine.options import SessionOptions, system_prompt
from live_cli.engine.reporting import transcription_of, usage_of
from live_cli.engine.resumption import Handles
from live_cli.engine.stages import ChatMessage, ChatModel, ChatRequest, Synthesizer
from live_cli.engine.turn import ModelTurn, Time
from live_cli.engine.workers import Stage, Workers
from live_cli.errors import EngineError, UnsupportedError
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioReceived,
    AudioStreamEnded,
    ContentReceived,
    ContextUpdated,
    Event,
    TextReceived,
    ToolResponseReceived,
    VideoReceived,
)
from live_cli.protocol.messages import (
    Content,
    ServerContent,
    ServerMessage,
    SessionResumptionUpdate,
    VoiceActivity,
)

Emit = Callable[[ServerMessage], Awaitable[None]]

_REPLY_SHARE = 4  # a reply may take a quarter of the model's window, unless the client says
_GO_ON = ChatMessage("user", "Please go on.")


@dataclass(frozen=True, slots=True)
class _Typed:
    text: str


_Input = Spoken | _Typed


@dataclass(frozen=True, slots=True)
class Stages:
    """What a session works with. ``hearing`` loads with the first sound."""

    chat: ChatModel
    mouth: Synthesizer | None
    hearing: Callable[[], Awaitable[Hearing]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sessions share besides the stages."""

    workers: Workers
    time: Time
    handles: Handles = field(default_factory=Handles)


class ConversationSession:
    """A session that answers. See `EngineSession` in net for the contract."""

    def __init__(
        self, options: SessionOptions, stages: Stages, surroundings: Surroundings, emit: Emit
    ) -> None:
        self._options = options
        self._chat = stages.chat
        self._mouth = stages.mouth
        self._around = surroundings
        self._emit = emit
        window = Window(stages.chat.context_tokens, options.trigger_tokens, options.target_tokens)
        self._conversation = Conversation(options.system, window)
        if options.handle:
            now = surroundings.time.now()
            kept = surroundings.handles.take(options.handle, options.model, now)
            self._conversation.restore(kept)
        self._listener = Listener(stages.hearing, surroundings.workers, self._read_ahead)
        self._storing_history = options.history_first
        self._in_activity = False
        self._utterance: list[Spoken] = []  # of the activity that is open
        self._inputs: list[_Input] = []  # of the turn that is in its first stage
        self._waiting: list[_Input] = []  # for the turn after this one (NO_INTERRUPTION)
        self._told_some = False  # of the user's turn
        self._go = False  # an answer was asked for, whatever was said
        self._task: asyncio.Task[None] | None = None
        self._turn: ModelTurn | None = None
        self._background = Background()
        self._background.do(self._prefill(self._conversation.messages()))

    async def handle(self, event: Event) -> None:
        """Take in one event. Raises EngineError when a stage has failed, also earlier."""
        self._background.check()
        match event:
            case AudioReceived(data, sample_rate):
                await self._hear(data, sample_rate)
            case AudioStreamEnded():
                if not self._options.manual_activity:
                    await self._heard(await self._listener.flush())
            case ActivityStarted():
                await self._start_activity()
            case ActivityEnded():
                await self._end_activity()
            case TextReceived(text):
                await self._begin([_Typed(text)], interrupting=self._options.interrupts)
            case ContentReceived(turns, turn_complete):
                await self._take_content(turns, turn_complete)
            case ContextUpdated(system_instruction, tools):
                if tools:
                    raise UnsupportedError("The local engine does not call tools yet.")
                if system_instruction is not None:
                    own = system_instruction.text
                    self._conversation.system = system_prompt(own, self._options.modality)
            case VideoReceived():
                raise UnsupportedError("The local engine has no eyes: it takes no video.")
            case ToolResponseReceived():
                pass  # it called no tool: nobody waits for this

    async def failed(self) -> EngineError:
        """Returns when a stage has failed while nobody was calling."""
        return await self._background.failed()

    async def close(self) -> None:
        """Stop everything at once."""
        if self._turn is not None:
            self._turn.stop()
        tasks: list[asyncio.Task[Any]] = [self._task] if self._task is not None else []
        inputs = [*self._inputs, *self._waiting, *self._utterance, *self._listener.underway()]
        tasks += [given.text for given in inputs if isinstance(given, Spoken)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self._background.close(), return_exceptions=True)

    # --- hearing -------------------------------------------------------------------------------

    async def _hear(self, data: bytes, sample_rate: int) -> None:
        outside = self._options.manual_activity and not self._in_activity
        if not outside or self._options.all_input:
            await self._heard(await self._listener.hear(data, sample_rate))

    async def _heard(self, heard: list[Began | Finished]) -> None:
        manual = self._options.manual_activity
        for event in heard:
            match event:
                case Began(at_s):
                    await self._signal("ACTIVITY_START", at_s)
                    if self._options.interrupts and not manual:
                        await self._interrupt()
                case Finished(spoken, at_s):
                    await self._signal("ACTIVITY_END", at_s)
                    self._utterance += spoken
                    if not manual:
                        await self._commit()

    async def _commit(self) -> None:
        """What was said is a turn of the user's."""
        utterance, self._utterance = self._utterance, []
        if utterance:
            await self._begin(utterance, interrupting=self._options.interrupts)
        elif self._inputs and self._task is None:
            await self._begin([], interrupting=True)  # only noise: go on with what was carried

    async def _start_activity(self) -> None:
        if self._options.interrupts:
            await self._interrupt()
        self._in_activity = True

    async def _end_activity(self) -> None:
        self._in_activity = False
        await self._heard(await self._listener.flush())
        await self._commit()

    async def _signal(self, kind: str, at_s: float) -> None:
        if self._options.voice_signals:
            activity = VoiceActivity(type=kind, audio_offset=f"{at_s:.3f}s")
            await self._emit(ServerMessage(voice_activity=activity))

    # --- turns ---------------------------------------------------------------------------------

    async def _take_content(self, turns: list[Content], turn_complete: bool) -> None:
        await self._interrupt()
        for content in turns:
            self._store(content)
        if self._storing_history:
            self._storing_history = not turn_complete
        elif turn_complete:
            self._go = True
            await self._begin([], interrupting=True)

    def _store(self, content: Content) -> None:
        role = content.role or USER
        if role not in (USER, MODEL):
            raise UnsupportedError("Please use a valid role: user, model.")
        if any(part.inline_data or part.file_data for part in content.parts or ()):
            raise UnsupportedError("The local engine reads text turns only.")
        self._conversation.add(role, content.text)

    async def _begin(self, inputs: Sequence[_Input], *, interrupting: bool) -> None:
        if self._task is not None and not interrupting:
            self._waiting += inputs
            return
        await self._interrupt()
        self._inputs += [*self._waiting, *inputs]
        self._waiting = []
        self._task = asyncio.create_task(self._answer())

    async def _interrupt(self) -> None:
        """Cancel the turn under way, if there is one; say so if the model had its turn."""
        task, turn = self._task, self._turn
        if task is None:
            return
        if turn is not None:
            turn.stop()
        task.cancel()
        await asyncio.wait({task})
        self._task = None
        if turn is None or self._turn is not turn:
            return  # nothing was being answered, or it has just ended by itself
        self._turn = None
        prompt = self._conversation.billed()
        self._conversation.add(MODEL, turn.heard_text(), turn.audio_s)
        await self._send(ServerContent(interrupted=True))
        await self._complete(turn, prompt)

    async def _answer(self) -> None:
        """One turn, from what was said to its end; then the next, if input waits for it."""
        try:
            if await self._take_inputs() or self._go:
                self._go = False
                await self._reply()
        except Exception as exc:  # noqa: BLE001 - a stage may raise anything; it must not hang
            self._background.fail(exc)
            return
        self._task = None
        if self._waiting:
            await self._begin([], interrupting=True)

    async def _take_inputs(self) -> bool:
        """Put what was said into the history; True when there is something to answer."""
        said = [(given, await self._text_of(given)) for given in list(self._inputs)]
        self._told_some = False
        self._inputs = []
        for given, text in said:
            seconds = given.segment.seconds if isinstance(given, Spoken) else 0.0
            self._conversation.add(USER, text, seconds)
        return any(isinstance(given, _Typed) or text.strip() for given, text in said)

    async def _text_of(self, given: _Input) -> str:
        if isinstance(given, _Typed):
            return given.text
        text = await asyncio.shield(given.text)
        if text and not given.told and self._options.input_transcripts:
            given.told = True
            told = transcription_of(
                text,
                given.segment.start_s,
                given.segment.end_s,
                final=given.final,
                first=not self._told_some,
            )
            self._told_some = True
            await self._send(ServerContent(input_transcription=told))
        return text

    async def _reply(self) -> None:
        self._conversation.trim()
        prompt = self._conversation.billed()
        messages = self._conversation.messages()
        turn = ModelTurn(
            self._chat,
            self._mouth,
            self._options,
            self._around.workers,
            self._send,
            self._around.time,
        )
        self._turn = turn
        await turn.run(self._request(messages))
        self._turn = None
        self._conversation.calibrate(messages, turn.usage.prompt_tokens)
        self._conversation.add(MODEL, turn.text, turn.audio_s)
        await asyncio.shield(asyncio.create_task(self._complete(turn, prompt)))

    def _request(self, messages: tuple[ChatMessage, ...]) -> ChatRequest:
        if not messages or messages[-1].role != "user":
            messages = (*messages, _GO_ON)
        request = ChatRequest(messages, **asdict(self._options.sampling))
        if request.max_tokens is not None:
            return request
        return replace(request, max_tokens=self._chat.context_tokens // _REPLY_SHARE)

    async def _complete(self, turn: ModelTurn, prompt: TokenCount) -> None:
        """The turn's last messages."""
        if self._options.speaks:
            replied, modality = audio_tokens(turn.audio_s), "AUDIO"
        else:
            replied, modality = turn.usage.reply_tokens or text_tokens(turn.text), "TEXT"
        usage = usage_of(prompt, replied, turn.usage.thought_tokens, modality)
        done = ServerContent(turn_complete=True)
        await self._emit(ServerMessage(server_content=done, usage_metadata=usage))
        if self._options.resumable:
            now = self._around.time.now()
            snapshot = self._conversation.snapshot()
            handle = self._around.handles.give(self._options.model, snapshot, now)
            update = SessionResumptionUpdate(new_handle=handle, resumable=True)
            await self._emit(ServerMessage(session_resumption_update=update))

    async def _send(self, content: ServerContent) -> None:
        await self._emit(ServerMessage(server_content=content))

    # --- beside the turn -----------------------------------------------------------------------

    def _read_ahead(self, spoken: Spoken) -> None:
        """Let the chat model read the question while the silence is still being waited for."""

        async def read() -> None:
            text = await asyncio.shield(spoken.text)
            if text and self._listener.expects(spoken) and self._task is None:
                await self._prefill(self._conversation.messages(heard=text))

        self._background.do(read())

    async def _prefill(self, messages: tuple[ChatMessage, ...]) -> None:
        if messages:
            await self._around.workers.run(Stage.CHAT, lambda: self._chat.prefill(messages))
