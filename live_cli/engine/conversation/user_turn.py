"""The user's side of a turn: inputs gathered, transcribed, told, and put into the history."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from live_cli.engine.conversation.context import EmitMessage
from live_cli.engine.conversation.cues.user_cues import SpokenSegment, UserCues
from live_cli.engine.conversation.history import USER, History
from live_cli.engine.conversation.input_transcript import transcription_of
from live_cli.engine.conversation.video_images import VideoImages
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.speech_in.listener import Spoken
from live_cli.protocol.messages import ServerContent, ServerMessage


@dataclass(frozen=True, slots=True)
class TypedText:
    text: str


class UserTurnKind(Enum):
    """What there was in the user's turn: nothing, something for others, something to answer."""

    NOTHING = "nothing"
    OVERHEARD = "overheard"
    ASKED = "asked"


UserInput = Spoken | TypedText


class UserTurn:
    """Gathers by `add`; `store` is the turn's first stage, and can be cancelled and begun again.

    Inputs stay until their text is known: a stage that was cancelled carries them over.
    """

    def __init__(
        self,
        history: History,
        video: VideoImages,
        cues: UserCues,
        config: SessionConfig,
        emit: EmitMessage,
    ) -> None:
        self._history = history
        self._video = video
        self._cues = cues
        self._config = config
        self._emit = emit
        self._inputs: list[UserInput] = []  # of the turn that is in its first stage
        self._waiting: list[UserInput] = []  # for the turn after this one (NO_INTERRUPTION)
        self._transcript_sent = False  # of this turn

    @property
    def is_open(self) -> bool:
        """Whether there is input that has not come into the history."""
        return bool(self._inputs)

    @property
    def waits(self) -> bool:
        """Whether input waits for the turn after this one."""
        return bool(self._waiting)

    def wait(self, inputs: Sequence[UserInput]) -> None:
        """Keep ``inputs`` for the turn after this one."""
        self._waiting += inputs

    def add(self, inputs: Sequence[UserInput]) -> None:
        """``inputs``, and what has waited for this turn, belong to it."""
        self._inputs += [*self._waiting, *inputs]
        self._waiting = []

    def transcriptions(self) -> list["asyncio.Task[str]"]:
        """Those that nobody will wait for if the turn never comes."""
        inputs = [*self._inputs, *self._waiting]
        return [given.text for given in inputs if isinstance(given, Spoken)]

    async def store(self, *, asked: bool) -> UserTurnKind:
        """Put what was said and shown into the history, and tell whether it wants an answer.

        ``asked``: an answer is wanted, whatever was said.
        """
        said = [(given, await self._text_of(given)) for given in list(self._inputs)]
        heard = [
            SpokenSegment(given.segment, text)
            for given, text in said
            if isinstance(given, Spoken) and text.strip()
        ]
        reading = await self._cues.read(heard)
        self._transcript_sent = False
        self._inputs = []
        typed = any(isinstance(given, TypedText) for given, _ in said)
        meant = asked or typed or (bool(heard) and reading.addressed)
        if meant:
            self._history.add(USER, "", images=self._video.take())
        for given, text in said:
            if isinstance(given, TypedText):
                self._history.add(USER, text)
                continue
            ends = bool(heard) and given.segment is heard[-1].segment
            aside = reading.aside if ends else ""
            seconds = given.segment.seconds
            self._history.add(USER, text, seconds, aside=aside, overheard=not meant)
        if meant:
            return UserTurnKind.ASKED
        return UserTurnKind.OVERHEARD if heard else UserTurnKind.NOTHING

    async def _text_of(self, given: UserInput) -> str:
        if isinstance(given, TypedText):
            return given.text
        text = await asyncio.shield(given.text)
        if text and not given.told and self._config.input_transcripts:
            given.told = True
            await self._tell(given, text)
        return text

    async def _tell(self, given: Spoken, text: str) -> None:
        told = transcription_of(
            text,
            given.segment.start_s,
            given.segment.end_s,
            final=given.final,
            first=not self._transcript_sent,
        )
        self._transcript_sent = True
        content = ServerContent(input_transcription=told)
        await self._emit(ServerMessage(server_content=content))
