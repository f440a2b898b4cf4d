"""A conversation session of the local engine: input events in, turns out.

At most one turn is under way. A turn has two stages: first the user's speech is transcribed, then
the model answers (generates, and is played). New input during the second stage is a barge-in: the
answer is cancelled, the client is told, and only what can have been heard of the answer stays in
the history. During the first stage nothing has been answered yet, so the input is carried over into
the next turn. With NO_INTERRUPTION new input waits for a turn of its own instead.

A call that the model waits for (BLOCKING) belongs to the second stage, even where the turn has
ended with the call: new input cancels the call. Results of NON_BLOCKING calls are told as soon as
neither the user nor the model speaks.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from live_cli.engine.background import Background
from live_cli.engine.conversation.answerer import Answerer
from live_cli.engine.conversation.context import EmitMessage, EngineContext, SessionStages
from live_cli.engine.conversation.cues.user_cues import UserCues
from live_cli.engine.conversation.history.entries import MODEL, USER
from live_cli.engine.conversation.history.history import ContextWindow, History
from live_cli.engine.conversation.images import ImageInput
from live_cli.engine.conversation.inline_audio import transcripts_of
from live_cli.engine.conversation.input_limits import InputLimits, characters_of
from live_cli.engine.conversation.tools.open_calls import Scheduling, check_unscheduled
from live_cli.engine.conversation.user_turn import (
    TypedText,
    UserInput,
    UserTurn,
    UserTurnKind,
    check_pending,
)
from live_cli.engine.setup.config import SessionConfig, system_prompt
from live_cli.engine.setup.families import INVALID
from live_cli.engine.setup.toolbox import toolbox_of
from live_cli.engine.speech_in.endpointer import (
    PauseLasts,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
)
from live_cli.engine.speech_in.listener import Listener, Spoken, SpokenEvent, keep_longest
from live_cli.engine.speech_in.segmenter import pieces_of
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
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_TURNS_AT_A_TIME = 64
"""Turns of one message that are stored before other sessions have their turn: a millisecond's."""


class ConversationSession:
    """One session with a model that answers; `net.server.engine_api.EngineSession` to the server.

    ``emit`` gets every message for the client. Raises UnsupportedError for a handle that is not
    known or belongs to another model, and for an instruction or functions that cannot fit into the
    chat model's context.
    """

    def __init__(
        self,
        config: SessionConfig,
        stages: SessionStages,
        context: EngineContext,
        emit: EmitMessage,
    ) -> None:
        self._config = config
        self._emit = emit
        window = ContextWindow(
            stages.chat.context_tokens,
            config.trigger_tokens,
            config.target_tokens,
            config.family.model.context_tokens,
        )
        self._limits = InputLimits(stages.chat.context_tokens)
        self._limits.check_instruction(len(config.system))
        self._limits.check_tools(config.toolbox)
        self._history = History(config.system, window)
        if config.handle:
            now = context.clock.now()
            handles, principal = context.handles, config.principal
            self._history.restore(handles.snapshot_of(principal, config.handle, config.model, now))
        self._clock = context.clock
        self._workers = context.workers
        self._load_speech_input = stages.load_speech_input
        self._images = ImageInput(config, stages.chat)
        self._cues = UserCues(config, context)
        self._user = UserTurn(
            self._history, self._images.video, self._cues, self._limits, config, emit
        )
        self._model = Answerer(self._history, config, stages, context, emit)
        self._listener = Listener(stages.load_speech_input, context.workers)
        self._storing_history = config.history_first
        self._in_activity = False
        self._awaits_turn = False  # the client marked an activity, and no turn has begun in it
        self._speaking = False  # by voice activity detection
        self._utterance: list[Spoken] = []  # segments of the activity that is open
        self._answer_wanted = False  # the client asked for an answer, whatever was said
        self._results_wait = False  # functions have answered, and the model has not told of it
        self._task: asyncio.Task[None] | None = None
        self._background = Background()
        self._background.do(self._model.keep_prefilled())

    async def handle(self, event: Event) -> None:
        """Take in one event of the client.

        Raises EngineError when a stage has failed, now or since the last event, and
        UnsupportedError for input that this engine does not take.
        """
        self._background.check()
        if self._config.refuses_input:
            raise UnsupportedError(INVALID)
        match event:
            case AudioReceived(data, sample_rate):
                await self._push_audio(data, sample_rate)
            case AudioStreamEnded():
                if not self._config.manual_activity:
                    await self._take_speech(await self._listener.flush())
            case ActivityStarted():
                await self._start_activity()
            case ActivityEnded():
                await self._end_activity()
            case TextReceived(text):
                self._limits.check_text(len(text))
                await self._begin([TypedText(text)], interrupting=self._config.interrupts)
            case ContentReceived(turns, turn_complete):
                await self._take_content(turns, turn_complete)
            case ContextUpdated(system_instruction, tools):
                self._change(system_instruction, tools)
            case VideoReceived(data, mime_type):
                self._images.show(data, mime_type, self._clock.now())
            case ToolResponseReceived(responses):
                await self._take_responses(responses)

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self._task is not None

    @property
    def takes_video(self) -> bool:
        """Whether the chat model sees; if not, images of a camera are dropped."""
        return self._images.sees

    async def failed(self) -> EngineError:
        """Wait until a stage fails outside of `handle`, and return the failure."""
        return await self._background.failed()

    async def close(self) -> None:
        """Cancel the turn, the transcriptions and the background work, and free the detector."""
        self._model.stop()
        tasks: list[asyncio.Task[Any]] = [self._task] if self._task is not None else []
        tasks += self._user.transcriptions()
        tasks += [spoken.text for spoken in [*self._utterance, *self._listener.ahead()]]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self._background.close(), return_exceptions=True)
        self._listener.close()
        self._model.close()
        self._task = None  # it holds the frames that its cancellation went through

    # --- speech --------------------------------------------------------------------------------

    async def _push_audio(self, data: bytes, sample_rate: int) -> None:
        outside = self._config.manual_activity and not self._in_activity
        if outside and not self._config.all_input:
            return
        for piece in pieces_of(data, sample_rate):
            await self._take_speech(await self._listener.push(piece, sample_rate))

    async def _take_speech(self, events: list[SpokenEvent]) -> None:
        manual = self._config.manual_activity
        for event, spoken in events:
            if spoken is not None and isinstance(event, SpeechPaused | PauseLasts):
                self._background.do(self._listener.judge(spoken))
                if isinstance(event, SpeechPaused):
                    self._read_ahead(spoken)
            elif spoken is not None:
                self._utterance.append(spoken)
                check_pending(self._utterance)
                keep_longest(self._utterance)
            match event:
                case SpeechStarted(sample):
                    self._speaking = True
                    self._images.video.begin_activity()
                    interrupts = self._config.interrupts and not manual
                    cuts_off = interrupts and self._model.is_under_way
                    await self._signal("ACTIVITY_START", sample, cuts_off=cuts_off)
                    if interrupts:
                        await self._interrupt()
                case SpeechEnded(sample=sample):
                    self._speaking = False
                    await self._signal("ACTIVITY_END", sample)
                    if not manual:
                        await self._commit()

    async def _commit(self) -> None:
        """End the user's utterance: begin a turn with it, or go on where it was only noise."""
        utterance, self._utterance = self._utterance, []
        if utterance:
            await self._begin(utterance, interrupting=self._config.interrupts)
        elif (self._user.is_open or self._awaits_turn) and self._task is None:
            await self._begin([], interrupting=True)  # only noise: go on with what was carried
        else:
            self._images.video.end_activity()
            await self._tell_results()

    async def _start_activity(self) -> None:
        if self._config.interrupts:
            await self._interrupt()
        self._in_activity = self._awaits_turn = True
        self._images.video.begin_activity()

    async def _end_activity(self) -> None:
        self._in_activity = False
        await self._take_speech(await self._listener.flush())
        await self._commit()

    async def _signal(self, kind: str, sample: int, *, cuts_off: bool = False) -> None:
        """Tell of a voice where the client asked to be told; where it ``cuts_off``, unasked too."""
        if self._config.voice_signals or (cuts_off and self._config.family.tells_unasked):
            at_s = sample / INPUT_SAMPLE_RATE
            activity = VoiceActivity(type=kind, audio_offset=f"{at_s:.3f}s")
            await self._emit(ServerMessage(voice_activity=activity))

    # --- turns ---------------------------------------------------------------------------------

    async def _take_content(self, turns: list[Content], turn_complete: bool) -> None:
        self._limits.check_turns(turns)
        family = self._config.family
        if family.model.client_content == "initial" and not self._storing_history:
            raise UnsupportedError(INVALID)
        if turn_complete or family.model.content_interrupts:
            await self._interrupt()
            self._store_results()
        for number, content in enumerate(turns, start=1):
            await self._store_content(content)
            if number % _TURNS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        if self._storing_history:
            self._storing_history = not turn_complete
        elif turn_complete:
            self._answer_wanted = True
            await self._begin([], interrupting=True)

    async def _store_content(self, content: Content) -> None:
        role = content.role or ("" if self._config.family.needs_roles else USER)
        if role == "system" and self._config.vertex:
            self._change(content, None)
            return
        if role not in (USER, MODEL):
            raise UnsupportedError("Please use a valid role: user, model.")
        images = self._images.images_in(content)
        for spoken in await transcripts_of(content, self._load_speech_input, self._workers):
            self._history.add(role, spoken.text, spoken.seconds)
        self._history.add(role, content.text, images=images)
        await self._model.tool_calls.store_earlier_results(content)

    async def _begin(self, inputs: Sequence[UserInput], *, interrupting: bool) -> None:
        if self._task is not None and not interrupting:
            self._user.add_to_next(inputs)
            return
        await self._interrupt()
        self._awaits_turn = False
        self._user.add(inputs)
        self._task = asyncio.create_task(self._answer())

    async def _interrupt(self) -> None:
        """Cancel the turn under way; tell the client so if the model was answering.

        Calls that the model waits for are cancelled too, also where no turn is under way.
        """
        task = self._task
        if task is not None:
            self._model.stop()
            task.cancel()
            await asyncio.wait({task})
            self._task = None
        await self._model.interrupt()
        if task is not None:
            self._cues.note_reply(self._history)

    async def _answer(self) -> None:
        """Run one turn, both stages; then begin the next, if there is input or a result for it."""
        try:
            self._store_results()
            kind = await self._user.store(asked=self._answer_wanted)
            if kind is UserTurnKind.ASKED or self._results_wait:
                self._answer_wanted = self._results_wait = False
                self._model.voice = self._cues.voice
                await self._model.answer()
                self._cues.note_reply(self._history)
            elif kind is UserTurnKind.OVERHEARD or self._config.manual_activity:
                self._images.video.end_activity()
                await self._model.keep_silent()
            self._task = None
            if self._user.has_next:
                await self._begin([], interrupting=True)
            else:
                await self._tell_results()
        except Exception as exc:  # noqa: BLE001 - a stage may raise anything; it must not hang
            self._background.fail(exc)

    # --- tools ---------------------------------------------------------------------------------

    def _change(self, system_instruction: Content | None, tools: list[Tool] | None) -> None:
        """Change the instruction or the tools, from the next request to the chat model on."""
        if system_instruction is not None:
            self._limits.check_instruction(characters_of(system_instruction))
            config, own = self._config, system_instruction.text
            system = system_prompt(own, config.modality, affective=config.affective)
            self._history.system = system
            self._cues.note_instruction(own)
        if tools is not None:
            toolbox = toolbox_of(tools, self._config.family)
            self._limits.check_tools(toolbox)
            self._model.tool_calls.change(toolbox)
        if self._task is None:
            self._background.do(self._model.keep_prefilled())

    async def _take_responses(self, responses: list[FunctionResponse]) -> None:
        self._limits.check_responses(responses)
        if not self._config.family.schedules_results:
            check_unscheduled(responses)
        tool_calls, urgency = self._model.tool_calls, Scheduling.SILENT
        for number, response in enumerate(responses):
            if number:
                await asyncio.sleep(0)  # each may take milliseconds to write down
            urgency = max(urgency, tool_calls.take_response(response))
        if urgency is Scheduling.INTERRUPT and not self._user_speaks and not tool_calls.model_waits:
            await self._interrupt()
        await self._tell_results()

    async def _tell_results(self) -> None:
        """Begin a turn about results that are not told yet, unless somebody speaks now."""
        tool_calls = self._model.tool_calls
        if self._task is not None or self._user_speaks or tool_calls.model_waits:
            return
        stored = self._store_results()
        if self._answer_wanted or self._results_wait:
            await self._begin([], interrupting=True)
        elif stored:
            await self._model.issue_handle()

    def _store_results(self) -> int:
        """Put results into the history, before what is said next; return their tokens."""
        self._results_wait = self._results_wait or self._model.tool_calls.has_untold_results
        return self._model.store_results()

    @property
    def _user_speaks(self) -> bool:
        return self._speaking or self._in_activity

    # --- beside the turn -----------------------------------------------------------------------

    def _read_ahead(self, spoken: Spoken) -> None:
        """Prefill the chat model with the question while the end of speech is still uncertain."""

        async def read() -> None:
            text = await asyncio.shield(spoken.text)
            if text and self._listener.expects(spoken) and self._task is None:
                await self._model.prefill(heard=text)

        self._background.do(read())
