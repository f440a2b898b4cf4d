"""One session of the local engine: input events in, turns out.

At most one turn is under way. It has two stages: first what the user said is transcribed, then the
model answers (generating and playing). New input during the second stage is a barge-in: the answer
is cancelled, reported, and only what can have been heard of it stays in the history. During the
first stage nothing has been answered yet, so the input is carried over into the next turn. With
NO_INTERRUPTION input waits for its turn instead.

A function that the model waits for belongs to the second stage, though its turn may have ended with
the call: new input cancels it. What other functions answer is told when nobody speaks.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from live_cli.engine.background import Background
from live_cli.engine.conversation.answerer import Answerer
from live_cli.engine.conversation.context import Emit, EngineContext, SessionStages
from live_cli.engine.conversation.cues.user_cues import UserCues
from live_cli.engine.conversation.history import MODEL, USER, History, Window
from live_cli.engine.conversation.images import ImageInput
from live_cli.engine.conversation.inline_audio import words_in
from live_cli.engine.conversation.tools.open_calls import Scheduling
from live_cli.engine.conversation.user_turn import Input, Said, Typed, UserTurn
from live_cli.engine.setup.config import SessionConfig, system_prompt
from live_cli.engine.setup.families import INVALID
from live_cli.engine.setup.toolbox import toolbox_of
from live_cli.engine.speech_in.listener import Began, Finished, Listener, Spoken
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
    FunctionResponse,
    ServerMessage,
    Tool,
    VoiceActivity,
)


class ConversationSession:
    """A session that answers. See `EngineSession` in net for the contract."""

    def __init__(
        self, options: SessionConfig, stages: SessionStages, surroundings: EngineContext, emit: Emit
    ) -> None:
        self._options = options
        self._emit = emit
        window = Window(
            stages.chat.context_tokens,
            options.trigger_tokens,
            options.target_tokens,
            options.family.model.context_tokens,
        )
        self._conversation = History(options.system, window)
        if options.handle:
            now = surroundings.time.now()
            kept = surroundings.handles.take(options.handle, options.model, now)
            self._conversation.restore(kept)
        self._time = surroundings.time
        self._workers = surroundings.workers
        self._hearing = stages.hearing
        self._eyes = ImageInput(options, sees=stages.chat.sees)
        self._rapport = UserCues(options, surroundings)
        self._user = UserTurn(self._conversation, self._eyes.frames, self._rapport, options, emit)
        self._model = Answerer(self._conversation, options, stages, surroundings, emit)
        self._listener = Listener(stages.hearing, surroundings.workers, self._read_ahead)
        self._storing_history = options.history_first
        self._in_activity = False
        self._awaits_turn = False  # an activity was marked, and no turn has begun in it
        self._speaking = False
        self._utterance: list[Spoken] = []  # of the activity that is open
        self._go = False  # an answer was asked for, whatever was said
        self._news = False  # functions have answered, and the model has not spoken of it
        self._task: asyncio.Task[None] | None = None
        self._background = Background()
        self._background.do(self._model.prefill())

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
                await self._begin([Typed(text)], interrupting=self._options.interrupts)
            case ContentReceived(turns, turn_complete):
                await self._take_content(turns, turn_complete)
            case ContextUpdated(system_instruction, tools):
                self._change(system_instruction, tools)
            case VideoReceived(data, mime_type):
                self._eyes.show(data, mime_type, self._time.now())
            case ToolResponseReceived(responses):
                await self._take_responses(responses)

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self._task is not None

    async def failed(self) -> EngineError:
        """Returns when a stage has failed while nobody was calling."""
        return await self._background.failed()

    async def close(self) -> None:
        """Stop everything at once."""
        self._model.stop()
        tasks: list[asyncio.Task[Any]] = [self._task] if self._task is not None else []
        tasks += self._user.transcriptions()
        tasks += [spoken.text for spoken in [*self._utterance, *self._listener.underway()]]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self._background.close(), return_exceptions=True)
        self._listener.close()

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
                    self._speaking = True
                    self._eyes.frames.begin_activity()
                    await self._signal("ACTIVITY_START", at_s)
                    if self._options.interrupts and not manual:
                        await self._interrupt()
                case Finished(spoken, at_s):
                    self._speaking = False
                    await self._signal("ACTIVITY_END", at_s)
                    self._utterance += spoken
                    if not manual:
                        await self._commit()

    async def _commit(self) -> None:
        """What was said is a turn of the user's."""
        utterance, self._utterance = self._utterance, []
        if utterance:
            await self._begin(utterance, interrupting=self._options.interrupts)
        elif (self._user.is_open or self._awaits_turn) and self._task is None:
            await self._begin([], interrupting=True)  # only noise: go on with what was carried
        else:
            self._eyes.frames.end_activity()
            await self._tell_results()

    async def _start_activity(self) -> None:
        if self._options.interrupts:
            await self._interrupt()
        self._in_activity = self._awaits_turn = True
        self._eyes.frames.begin_activity()

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
        family = self._options.family
        if family.model.client_content == "initial" and not self._storing_history:
            raise UnsupportedError(INVALID)
        if turn_complete or family.model.content_interrupts:
            await self._interrupt()
            self._take_results()
        for content in turns:
            await self._store(content)
        if self._storing_history:
            self._storing_history = not turn_complete
        elif turn_complete:
            self._go = True
            await self._begin([], interrupting=True)

    async def _store(self, content: Content) -> None:
        role = content.role or ("" if self._options.family.needs_roles else USER)
        if role == "system" and self._options.vertex:
            self._change(content, None)
            return
        if role not in (USER, MODEL):
            raise UnsupportedError("Please use a valid role: user, model.")
        pictures = self._eyes.pictures_in(content)
        for words in await words_in(content, self._hearing, self._workers):
            self._conversation.add(role, words.text, words.seconds)
        self._conversation.add(role, content.text, pictures=pictures)
        self._model.calling.recall(content)

    async def _begin(self, inputs: Sequence[Input], *, interrupting: bool) -> None:
        if self._task is not None and not interrupting:
            self._user.wait(inputs)
            return
        await self._interrupt()
        self._awaits_turn = False
        self._user.add(inputs)
        self._task = asyncio.create_task(self._answer())

    async def _interrupt(self) -> None:
        """Cancel the turn under way, if there is one; say so if the model had its turn.

        Calls that the model waits for are cancelled with it.
        """
        task = self._task
        if task is not None:
            self._model.stop()
            task.cancel()
            await asyncio.wait({task})
            self._task = None
        await self._model.cut_off()
        if task is not None:
            self._rapport.replied(self._conversation)

    async def _answer(self) -> None:
        """One turn, from what was said to its end; then the next, if input waits for it."""
        try:
            self._take_results()
            said = await self._user.store(asked=self._go)
            if said is Said.ASKED or self._news:
                self._go = self._news = False
                self._model.voice = self._rapport.voice
                await self._model.answer()
                self._rapport.replied(self._conversation)
            elif said is Said.OVERHEARD or self._options.manual_activity:
                self._eyes.frames.end_activity()
                await self._model.keep_silent()
            self._task = None
            if self._user.waits:
                await self._begin([], interrupting=True)
            else:
                await self._tell_results()
        except Exception as exc:  # noqa: BLE001 - a stage may raise anything; it must not hang
            self._background.fail(exc)

    # --- tools ---------------------------------------------------------------------------------

    def _change(self, system_instruction: Content | None, tools: list[Tool] | None) -> None:
        """What changes holds for the next request of the model's."""
        if system_instruction is not None:
            options, own = self._options, system_instruction.text
            system = system_prompt(own, options.modality, affective=options.affective)
            self._conversation.system = system
            self._rapport.instructed(own)
        if tools is not None:
            toolbox = toolbox_of(tools, self._options.family)
            self._model.calling.change(toolbox)
        if self._task is None:
            self._background.do(self._model.prefill())

    async def _take_responses(self, responses: list[FunctionResponse]) -> None:
        calling = self._model.calling
        urgency = calling.answer(responses)
        if urgency is Scheduling.INTERRUPT and not self._user_speaks and not calling.waits:
            await self._interrupt()
        await self._tell_results()

    async def _tell_results(self) -> None:
        """Let the model speak of what came back, as soon as nobody else does."""
        calling = self._model.calling
        if self._task is not None or self._user_speaks or calling.waits:
            return
        stored = self._take_results()
        if self._go or self._news:
            await self._begin([], interrupting=True)
        elif stored:
            await self._model.give_handle()

    def _take_results(self) -> int:
        """What came back stands in the history before what is said next; returns its tokens."""
        self._news = self._news or self._model.calling.has_news
        return self._model.take_results()

    @property
    def _user_speaks(self) -> bool:
        return self._speaking or self._in_activity

    # --- beside the turn -----------------------------------------------------------------------

    def _read_ahead(self, spoken: Spoken) -> None:
        """Let the chat model read the question while the silence is still being waited for."""

        async def read() -> None:
            text = await asyncio.shield(spoken.text)
            if text and self._listener.expects(spoken) and self._task is None:
                await self._model.prefill(heard=text)

        self._background.do(read())
