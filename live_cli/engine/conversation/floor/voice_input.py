"""The user's voice in a session that answers: sound in, facts about who speaks out."""

import asyncio
from typing import Protocol

from live_cli.engine.background import Background
from live_cli.engine.conversation.answerer import Answerer
from live_cli.engine.conversation.context import EmitMessage
from live_cli.engine.conversation.floor.barge_in import Overlap
from live_cli.engine.conversation.floor.overhearing import Overhearing
from live_cli.engine.conversation.floor.turn_taking import Act, FloorFact, TurnTaking, UserState
from live_cli.engine.conversation.user_turn import check_pending
from live_cli.engine.conversation.video_images import VideoImages
from live_cli.engine.setup.config import SessionConfig
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
from live_cli.protocol.messages import ServerMessage, VoiceActivity
from live_cli.sample_rates import INPUT_SAMPLE_RATE


class VoiceSession(Protocol):
    """The session of a voice: its floor, its model, and who takes its facts and its messages."""

    floor: TurnTaking
    model: Answerer
    background: Background
    emit: EmitMessage

    @property
    def holds_input(self) -> bool:
        """Return whether input beside the voice waits for the next turn."""

    async def do(self, fact: FloorFact) -> None:
        """Do what follows from ``fact``."""


class VoiceInput:
    """Tells ``session`` when its user begins to speak, ends, or interrupts; keeps what is said."""

    def __init__(
        self,
        config: SessionConfig,
        listener: Listener,
        video: VideoImages,
        session: VoiceSession,
    ) -> None:
        self._config = config
        self._listener = listener
        self._overhearing = Overhearing(listener)
        self._video = video
        self._session = session
        self._utterance: list[Spoken] = []  # segments of the activity that is open
        self._began_at = 0  # the sample at which the last voice began

    async def push(self, data: bytes, sample_rate: int) -> None:
        """Take sound, PCM16 mono at ``sample_rate`` Hz. Raises EngineError when a stage fails."""
        floor = self._session.floor
        outside = self._config.manual_activity and floor.user is not UserState.MARKS
        if outside and not self._config.all_input:
            return
        for piece in pieces_of(data, sample_rate):
            await self._take(await self._listener.push(piece, sample_rate))
            if floor.user is UserState.OVERLAPS:
                await self._note_overlap(self._overhearing.look())

    async def flush(self) -> None:
        """End the speech that is open: the stream pauses."""
        await self._take(await self._listener.flush())

    def take_utterance(self) -> list[Spoken]:
        """Hand over what was said since the last call."""
        utterance, self._utterance = self._utterance, []
        return utterance

    def pending(self) -> list[Spoken]:
        """Return what was said and not handed over, to be cancelled where no turn comes of it."""
        return [*self._utterance, *self._listener.ahead()]

    def close(self) -> None:
        """Free the detector, and let the session go, which holds this object."""
        self._overhearing.end()
        self._listener.close()
        vars(self).pop("_session", None)

    def begin_overhearing(self) -> None:
        """Begin to read what is said over the answer, as it grows."""
        self._overhearing.begin()

    async def decide(self) -> None:
        """Tell whether what was said over the answer, and is over, interrupts."""
        overlap = await self._overhearing.decide(self._utterance)
        await self._note_overlap(overlap)
        if overlap is not Overlap.INTERRUPTION:
            await self._session.do(FloorFact.OVERLAP_PASSES)

    async def _take(self, events: list[SpokenEvent]) -> None:
        for event, spoken in events:
            if spoken is not None and isinstance(event, SpeechPaused | PauseLasts):
                await self._pause(event, spoken)
            elif spoken is not None:
                self._utterance.append(spoken)
                check_pending(self._utterance)
                keep_longest(self._utterance)
            match event:
                case SpeechStarted(sample):
                    await self._begin(sample)
                case SpeechResumed():
                    self._session.model.drop_ahead()
                case SpeechEnded(sample=sample):
                    await self._signal("ACTIVITY_END", sample)
                    if not self._config.manual_activity:
                        await self._session.do(FloorFact.VOICE_ENDS)

    async def _begin(self, sample: int) -> None:
        session, model = self._session, self._session.model
        self._began_at = sample
        self._video.begin_activity()
        if model.is_heard:
            await session.do(FloorFact.ANSWER_HEARD)
        manual = self._config.manual_activity
        acts = () if manual else session.floor.foresee(FloorFact.VOICE_BEGINS)
        told = Act.INTERRUPT in acts or (Act.TAKE_BACK in acts and model.has_told)
        await self._signal("ACTIVITY_START", sample, cuts_off=told and model.is_under_way)
        if not manual:
            await session.do(FloorFact.VOICE_BEGINS)

    async def _pause(self, event: SpeechEvent, spoken: Spoken) -> None:
        """Use a pause: judge whether it ends the turn, and work ahead in case it does."""
        self._session.background.do(self._listener.judge(spoken))
        if not isinstance(event, SpeechPaused):
            return
        if self._session.floor.user is UserState.OVERLAPS:
            await self._note_overlap(await self._overhearing.decide([*self._utterance, spoken]))
        else:
            self._session.background.do(self._work_ahead(spoken))

    async def _note_overlap(self, overlap: Overlap) -> None:
        """Act on speech over the answer once it is an interruption."""
        if overlap is Overlap.INTERRUPTION:
            if not self._config.voice_signals:
                await self._signal("ACTIVITY_START", self._began_at, cuts_off=True)
            await self._session.do(FloorFact.OVERLAP_INTERRUPTS)

    async def _signal(self, kind: str, sample: int, *, cuts_off: bool = False) -> None:
        """Tell of a voice where the client asked to be told; where it ``cuts_off``, unasked too."""
        if self._config.voice_signals or (cuts_off and self._config.family.tells_unasked):
            at_s = sample / INPUT_SAMPLE_RATE
            activity = VoiceActivity(type=kind, audio_offset=f"{at_s:.3f}s")
            await self._session.emit(ServerMessage(voice_activity=activity))

    async def _work_ahead(self, spoken: Spoken) -> None:
        """Let the chat model read, and begin to answer, while the end is still uncertain."""
        text = await asyncio.shield(spoken.text)
        session = self._session
        if not text or not self._listener.expects(spoken) or session.floor.is_under_way:
            return
        is_all = not (self._utterance or session.holds_input or self._video.is_waiting)
        if is_all and not self._config.manual_activity and not is_unfinished(text):
            session.model.prepare(text)
        else:
            await session.model.prefill(heard=text)
