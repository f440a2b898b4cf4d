"""A conversation session of the local engine: input events in, turns out.

Each event is told to `TurnTaking`, which knows who has the floor, as a fact; what follows from it
is done here. A turn has two stages: first the user's speech is transcribed, then the model answers
(generates, and is played). An answer that is cut off leaves only what can have been heard of it in
the history.
"""

import asyncio
from typing import Any

from live_cli.engine.background import Background
from live_cli.engine.conversation.answerer import Answerer
from live_cli.engine.conversation.context import EmitMessage, EngineContext, SessionStages
from live_cli.engine.conversation.cues.user_cues import UserCues
from live_cli.engine.conversation.floor.barge_in import Overlap
from live_cli.engine.conversation.floor.overhearing import Overhearing
from live_cli.engine.conversation.floor.turn_taking import (
    Act,
    BargeInManner,
    FloorFact,
    ModelState,
    Owed,
    TurnTaking,
    UserState,
)
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
from live_cli.engine.speech_in.end_of_turn import is_unfinished
from live_cli.engine.speech_in.endpointer import (
    PauseLasts,
    SpeechEnded,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
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
        self._floor = TurnTaking(_manner_of(config))
        self._overhearing = Overhearing(self._listener)
        self._utterance: list[Spoken] = []  # segments of the activity that is open
        self._input: list[UserInput] = []  # whole, for the next turn
        self._asides: list[Spoken] = []  # said over the answer that is under way
        self._voice_from = 0  # the sample at which the last voice began
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
                await self._do(FloorFact.ACTIVITY_BEGINS)
                self._images.video.begin_activity()
            case ActivityEnded():
                await self._take_speech(await self._listener.flush())
                await self._do(FloorFact.ACTIVITY_ENDS)
            case TextReceived(text):
                self._limits.check_text(len(text))
                self._input.append(TypedText(text))
                await self._do(FloorFact.TYPED)
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
        return self._floor.is_under_way

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
        self._overhearing.end()
        tasks: list[asyncio.Task[Any]] = [self._task] if self._task is not None else []
        tasks += self._user.transcriptions()
        pending = [*self._utterance, *self._asides, *self._listener.ahead()]
        tasks += [spoken.text for spoken in pending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self._background.close(), return_exceptions=True)
        self._listener.close()
        self._model.close()
        self._task = None  # it holds the frames that its cancellation went through

    # --- speech --------------------------------------------------------------------------------

    async def _push_audio(self, data: bytes, sample_rate: int) -> None:
        outside = self._config.manual_activity and self._floor.user is not UserState.MARKS
        if outside and not self._config.all_input:
            return
        for piece in pieces_of(data, sample_rate):
            await self._take_speech(await self._listener.push(piece, sample_rate))
            if self._floor.user is UserState.OVERLAPS:
                await self._note_overlap(self._overhearing.look())

    async def _take_speech(self, events: list[SpokenEvent]) -> None:
        for event, spoken in events:
            if spoken is not None and isinstance(event, SpeechPaused | PauseLasts):
                await self._pause(event, spoken)
            elif spoken is not None:
                self._utterance.append(spoken)
                check_pending(self._utterance)
                keep_longest(self._utterance)
            match event:
                case SpeechStarted(sample):
                    await self._begin_voice(sample)
                case SpeechResumed():
                    self._model.drop_ahead()
                case SpeechEnded(sample=sample):
                    await self._signal("ACTIVITY_END", sample)
                    if not self._config.manual_activity:
                        await self._do(FloorFact.VOICE_ENDS)

    async def _begin_voice(self, sample: int) -> None:
        self._voice_from = sample
        self._images.video.begin_activity()
        if self._model.is_heard:
            await self._do(FloorFact.ANSWER_HEARD)
        manual = self._config.manual_activity
        acts = () if manual else self._floor.foresee(FloorFact.VOICE_BEGINS)
        told = Act.INTERRUPT in acts or (Act.TAKE_BACK in acts and self._model.has_told)
        cuts_off = told and self._model.is_under_way
        await self._signal("ACTIVITY_START", sample, cuts_off=cuts_off)
        if not manual:
            await self._do(FloorFact.VOICE_BEGINS)

    async def _pause(self, event: SpeechEvent, spoken: Spoken) -> None:
        """Use a pause: judge whether it ends the turn, and work ahead in case it does."""
        self._background.do(self._listener.judge(spoken))
        if not isinstance(event, SpeechPaused):
            return
        if self._floor.user is UserState.OVERLAPS:
            await self._note_overlap(await self._overhearing.decide([*self._utterance, spoken]))
        else:
            self._work_ahead(spoken)

    async def _note_overlap(self, overlap: Overlap) -> None:
        """Act on speech over the answer once it is an interruption."""
        if overlap is Overlap.INTERRUPTION:
            if not self._config.voice_signals:
                await self._signal("ACTIVITY_START", self._voice_from, cuts_off=True)
            await self._do(FloorFact.OVERLAP_INTERRUPTS)

    async def _decide_overlap(self) -> None:
        """Act on speech over the answer that has ended."""
        overlap = await self._overhearing.decide(self._utterance)
        await self._note_overlap(overlap)
        if overlap is not Overlap.INTERRUPTION:
            await self._do(FloorFact.OVERLAP_PASSES)

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
            await self._do(FloorFact.TOLD)
            self._store_results()
        for number, content in enumerate(turns, start=1):
            await self._store_content(content)
            if number % _TURNS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        if self._storing_history:
            self._storing_history = not turn_complete
        elif turn_complete:
            await self._do(FloorFact.ASKED)

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

    async def _do(self, fact: FloorFact) -> None:
        """Tell ``fact``, and do what follows from it."""
        for act in self._floor.take(fact):
            match act:
                case Act.TAKE_BACK:
                    await self._interrupt(silently=True)
                case Act.INTERRUPT:
                    await self._interrupt()
                case Act.OVERHEAR:
                    self._overhearing.begin()
                case Act.DECIDE:
                    await self._decide_overlap()
                case Act.KEEP_ASIDE:
                    self._asides += self._utterance
                    self._utterance = []
                    await self._user.tell_asides(self._asides)
                    if not self._floor.is_under_way:
                        await self._store_asides()
                case Act.QUEUE:
                    self._user.add_to_next(self._taken_input())
                    if not self._user.has_next:
                        self._images.video.end_activity()
                case Act.BEGIN:
                    await self._begin()
                case Act.GO_ON if self._user.has_next:
                    await self._begin()
                case Act.GO_ON | Act.TELL:
                    await self._tell_results()

    def _taken_input(self) -> list[UserInput]:
        """Return the input that is whole, and hold none of it any longer."""
        given = [*self._input]
        self._input = []
        if self._floor.user is UserState.SILENT:  # else the utterance goes on
            given += self._utterance
            self._utterance = []
        return given

    async def _begin(self) -> None:
        """Begin a turn with the input that is there; without any, go on where one is owed.

        Input interrupts the turn that is under way; noise does not.
        """
        given = self._taken_input()
        owed = self._user.is_open or self._user.has_next or self._floor.owed
        if not given and (self._floor.is_under_way or not owed):
            self._images.video.end_activity()
            await self._tell_results()
            return
        await self._interrupt()
        while self._task is not None:  # one turn began while another ended
            await self._interrupt()
        self._floor.take(FloorFact.TURN_BEGINS)
        self._user.add(given)
        self._task = asyncio.create_task(self._answer())

    async def _interrupt(self, *, silently: bool = False) -> None:
        """Cancel the turn under way; tell the client so if the model was answering.

        ``silently``: not where it has nothing of the answer yet. Calls that the model waits for
        are cancelled too, also where no turn is under way.
        """
        task, self._task = self._task, None
        if task is not None:
            self._model.stop()
            task.cancel()
            await asyncio.wait({task})
        await self._model.interrupt(silently=silently)
        if task is not None:
            self._cues.note_reply(self._history)
            await self._store_asides()

    async def _answer(self) -> None:
        """Run one turn, both stages; then begin the next, if there is input or a result for it."""
        try:
            self._store_results()
            owed = self._floor.owed
            kind = await self._user.store(asked=Owed.ANSWER in owed)
            if kind is UserTurnKind.ASKED or Owed.RESULT in owed:
                self._floor.take(FloorFact.ANSWER_BEGINS)
                self._model.voice = self._cues.voice
                await self._model.answer()
                self._cues.note_reply(self._history)
            elif kind is UserTurnKind.OVERHEARD or self._config.manual_activity:
                self._images.video.end_activity()
                await self._model.keep_silent()
            await self._store_asides()
            self._task = None
            waits = self._model.tool_calls.model_waits
            await self._do(FloorFact.TURN_WAITS if waits else FloorFact.TURN_ENDS)
        except Exception as exc:  # noqa: BLE001 - a stage may raise anything; it must not hang
            self._background.fail(exc)

    async def _store_asides(self) -> None:
        """Put what was said over the answer after it, into the history."""
        asides, self._asides = self._asides, []
        await self._user.store_asides(asides)

    # --- tools ---------------------------------------------------------------------------------

    def _change(self, system_instruction: Content | None, tools: list[Tool] | None) -> None:
        """Change the instruction or the tools, from the next request to the chat model on."""
        if system_instruction is not None:
            self._limits.check_instruction(characters_of(system_instruction))
            config, own = self._config, system_instruction.text
            system = system_prompt(own, config.modality, config.style, affective=config.affective)
            self._history.system = system
            self._cues.note_instruction(own)
        if tools is not None:
            toolbox = toolbox_of(tools, self._config.family)
            self._limits.check_tools(toolbox)
            self._model.tool_calls.change(toolbox)
        if not self._floor.is_under_way:
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
        if not tool_calls.model_waits:
            self._floor.take(FloorFact.RESULTS_SETTLED)
        presses = urgency is Scheduling.INTERRUPT and not tool_calls.model_waits
        await self._do(FloorFact.RESULT_PRESSES if presses else FloorFact.RESULT_COMES)

    async def _tell_results(self) -> None:
        """Begin a turn about results that are not told yet, unless somebody speaks now."""
        if self._floor.model is not ModelState.IDLE or self._floor.user is not UserState.SILENT:
            return
        stored = self._store_results()
        if self._floor.owed & {Owed.ANSWER, Owed.RESULT}:
            await self._begin()
        elif stored:
            await self._model.issue_handle()

    def _store_results(self) -> int:
        """Put results into the history, before what is said next; return their tokens."""
        if self._model.tool_calls.has_untold_results:
            self._floor.owed.add(Owed.RESULT)
        return self._model.store_results()

    # --- beside the turn -----------------------------------------------------------------------

    def _work_ahead(self, spoken: Spoken) -> None:
        """Let the chat model read, and begin to answer, while the end is still uncertain."""

        async def read() -> None:
            text = await asyncio.shield(spoken.text)
            if not text or not self._listener.expects(spoken) or self._floor.is_under_way:
                return
            if self._may_be_all(text):
                self._model.prepare(text)
            else:
                await self._model.prefill(heard=text)

        self._background.do(read())

    def _may_be_all(self, text: str) -> bool:
        """Whether the next question to the model may well be ``text`` and nothing beside."""
        more = self._utterance or self._input or self._user.is_open or self._images.video.is_waiting
        return not (more or self._config.manual_activity or is_unfinished(text))


def _manner_of(config: SessionConfig) -> BargeInManner:
    if not config.interrupts:
        return BargeInManner.PATIENT
    return BargeInManner.BY_WORDS if config.barge_in_by_words else BargeInManner.BY_SOUND
