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
from live_cli.engine.conversation.floor.turn_taking import (
    Act,
    BargeInManner,
    FloorFact,
    ModelState,
    Owed,
    TurnTaking,
    UserState,
)
from live_cli.engine.conversation.floor.voice_input import VoiceInput
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
)
from live_cli.engine.setup.config import SessionConfig, system_prompt
from live_cli.engine.setup.families import INVALID
from live_cli.engine.setup.toolbox import toolbox_of
from live_cli.engine.speech_in.listener import Listener, Spoken
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
    Tool,
)

_TURNS_AT_A_TIME = 64
"""Turns of one message that are stored before other sessions have their turn: a millisecond's."""


class ConversationSession:
    """One session with a model that answers; `net.server.engine_api.EngineSession` to the server.

    ``emit`` gets every message for the client. Raises UnsupportedError for an instruction or
    functions that cannot fit into the chat model's context.
    """

    def __init__(
        self,
        config: SessionConfig,
        stages: SessionStages,
        context: EngineContext,
        emit: EmitMessage,
    ) -> None:
        self._config = config
        self.emit = emit
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
        if stages.resumed is not None:
            self._history.restore(stages.resumed)
        self._clock = context.clock
        self._workers = context.workers
        self._load_speech_input = stages.load_speech_input
        self._images = ImageInput(config, stages.chat)
        self._cues = UserCues(config, context)
        self._user = UserTurn(
            self._history, self._images.video, self._cues, self._limits, config, emit
        )
        self.model = Answerer(self._history, config, stages, context, emit)
        self._storing_history = config.history_first
        self.floor = TurnTaking(_manner_of(config))
        self._input: list[UserInput] = []  # whole, for the next turn
        self._asides: list[Spoken] = []  # said over the answer that is under way
        self._task: asyncio.Task[None] | None = None
        self.background = Background()
        listener = Listener(stages.load_speech_input, context.workers)
        self._voice = VoiceInput(config, listener, self._images.video, self)
        self.background.do(self.model.keep_prefilled())

    async def handle(self, event: Event) -> None:
        """Take in one event of the client.

        Raises EngineError when a stage has failed, now or since the last event, and
        UnsupportedError for input that this engine does not take.
        """
        self.background.check()
        if self._config.refuses_input:
            raise UnsupportedError(INVALID)
        match event:
            case AudioReceived(data, sample_rate):
                await self._voice.push(data, sample_rate)
            case AudioStreamEnded():
                if not self._config.manual_activity:
                    await self._voice.flush()
            case ActivityStarted():
                await self.do(FloorFact.ACTIVITY_BEGINS)
                self._images.video.begin_activity()
            case ActivityEnded():
                await self._voice.flush()
                await self.do(FloorFact.ACTIVITY_ENDS)
            case TextReceived(text):
                self._limits.check_text(len(text))
                self._input.append(TypedText(text))
                await self.do(FloorFact.TYPED)
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
        """Return whether a turn is under way."""
        return self.floor.is_under_way

    @property
    def holds_input(self) -> bool:
        """Return whether input beside the voice waits for the next turn."""
        return bool(self._input) or self._user.is_open

    @property
    def takes_video(self) -> bool:
        """Return whether the chat model sees; if not, images of a camera are dropped."""
        return self._images.sees

    async def failed(self) -> EngineError:
        """Wait until a stage fails outside of `handle`, and return the failure."""
        return await self.background.failed()

    async def close(self) -> None:
        """Cancel the turn, the transcriptions and the background work, and free the detector."""
        self.model.stop()
        tasks: list[asyncio.Task[Any]] = [self._task] if self._task is not None else []
        tasks += self._user.transcriptions()
        tasks += [spoken.text for spoken in [*self._voice.pending(), *self._asides]]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self.background.close(), return_exceptions=True)
        self._voice.close()
        self.model.close()
        self._task = None  # it holds the frames that its cancellation went through

    # --- turns ---------------------------------------------------------------------------------

    async def _take_content(self, turns: list[Content], turn_complete: bool) -> None:
        self._limits.check_turns(turns)
        family = self._config.family
        if family.model.client_content == "initial" and not self._storing_history:
            raise UnsupportedError(INVALID)
        if turn_complete or family.model.content_interrupts:
            await self.do(FloorFact.TOLD)
            self._store_results()
        for number, content in enumerate(turns, start=1):
            await self._store_content(content)
            if number % _TURNS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        if self._storing_history:
            self._storing_history = not turn_complete
        elif turn_complete:
            await self.do(FloorFact.ASKED)

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
        await self.model.tool_calls.store_earlier_results(content)

    async def do(self, fact: FloorFact) -> None:
        """Tell ``fact``, and do what follows from it."""
        for act in self.floor.take(fact):
            match act:
                case Act.TAKE_BACK:
                    await self._interrupt(silently=True)
                case Act.INTERRUPT:
                    await self._interrupt()
                case Act.OVERHEAR:
                    self._voice.begin_overhearing()
                case Act.DECIDE:
                    await self._voice.decide()
                case Act.KEEP_ASIDE:
                    self._asides += self._voice.take_utterance()
                    await self._user.tell_asides(self._asides)
                    if not self.floor.is_under_way:
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
        if self.floor.user is UserState.SILENT:  # else the utterance goes on
            given += self._voice.take_utterance()
        return given

    async def _begin(self) -> None:
        """Begin a turn with the input that is there; without any, go on where one is owed.

        Input interrupts the turn that is under way; noise does not.
        """
        given = self._taken_input()
        owed = self._user.is_open or self._user.has_next or self.floor.owed
        if not given and (self.floor.is_under_way or not owed):
            self._images.video.end_activity()
            await self._tell_results()
            return
        await self._interrupt()
        while self._task is not None:  # one turn began while another ended
            await self._interrupt()
        self.floor.take(FloorFact.TURN_BEGINS)
        self._user.add(given)
        self._task = asyncio.create_task(self._answer())

    async def _interrupt(self, *, silently: bool = False) -> None:
        """Cancel the turn under way; tell the client so if the model was answering.

        ``silently``: not where it has nothing of the answer yet. Calls that the model waits for
        are cancelled too, also where no turn is under way.
        """
        task, self._task = self._task, None
        if task is not None:
            self.model.stop()
            task.cancel()
            await asyncio.wait({task})
        await self.model.interrupt(silently=silently)
        if task is not None:
            self._cues.note_reply(self._history)
            await self._store_asides()

    async def _answer(self) -> None:
        """Run one turn, both stages; then begin the next, if there is input or a result for it."""
        try:
            self._store_results()
            owed = self.floor.owed
            kind = await self._user.store(asked=Owed.ANSWER in owed)
            if kind is UserTurnKind.ASKED or Owed.RESULT in owed:
                self.floor.take(FloorFact.ANSWER_BEGINS)
                self.model.voice = self._cues.voice
                await self.model.answer()
                self._cues.note_reply(self._history)
            elif kind is UserTurnKind.OVERHEARD or self._config.manual_activity:
                self._images.video.end_activity()
                await self.model.keep_silent()
            await self._store_asides()
            self._task = None
            waits = self.model.tool_calls.model_waits
            await self.do(FloorFact.TURN_WAITS if waits else FloorFact.TURN_ENDS)
            if self._task is None:
                self.background.do(self.model.keep_prefilled())
        except Exception as exc:  # noqa: BLE001 - a stage may raise anything; it must not hang
            self.background.fail(exc)

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
            self.model.tool_calls.change(toolbox)
        if not self.floor.is_under_way:
            self.background.do(self.model.keep_prefilled())

    async def _take_responses(self, responses: list[FunctionResponse]) -> None:
        self._limits.check_responses(responses)
        if not self._config.family.schedules_results:
            check_unscheduled(responses)
        tool_calls, urgency = self.model.tool_calls, Scheduling.SILENT
        for number, response in enumerate(responses):
            if number:
                await asyncio.sleep(0)  # each may take milliseconds to write down
            urgency = max(urgency, tool_calls.take_response(response))
        if not tool_calls.model_waits:
            self.floor.take(FloorFact.RESULTS_SETTLED)
        presses = urgency is Scheduling.INTERRUPT and not tool_calls.model_waits
        await self.do(FloorFact.RESULT_PRESSES if presses else FloorFact.RESULT_COMES)

    async def _tell_results(self) -> None:
        """Begin a turn about results that are not told yet, unless somebody speaks now."""
        if self.floor.model is not ModelState.IDLE or self.floor.user is not UserState.SILENT:
            return
        stored = self._store_results()
        if self.floor.owed & {Owed.ANSWER, Owed.RESULT}:
            await self._begin()
        elif stored:
            await self.model.issue_handle()

    def _store_results(self) -> int:
        """Put results into the history, before what is said next; return their tokens."""
        if self.model.tool_calls.has_untold_results:
            self.floor.owed.add(Owed.RESULT)
        return self.model.store_results()


def _manner_of(config: SessionConfig) -> BargeInManner:
    if not config.interrupts:
        return BargeInManner.PATIENT
    return BargeInManner.BY_WORDS if config.barge_in_by_words else BargeInManner.BY_SOUND
