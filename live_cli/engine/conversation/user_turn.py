"""The user's side of a turn: input gathered, transcribed, told to the client, put into history."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from live_cli.engine.conversation.context import EmitMessage
from live_cli.engine.conversation.cues.user_cues import SpokenSegment, UserCues
from live_cli.engine.conversation.history.entries import USER
from live_cli.engine.conversation.history.history import History
from live_cli.engine.conversation.input_limits import InputLimits
from live_cli.engine.conversation.input_transcript import transcription_of
from live_cli.engine.conversation.video_images import VideoImages
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.speech_in.listener import Spoken, keep_longest
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import ServerContent, ServerMessage

_MOST_INPUTS = 1024
"""An hour of speech without an answer, at a segment in four seconds."""


@dataclass(frozen=True, slots=True)
class TypedText:
    """A message of the user that came as text."""

    text: str


SAID_OVER_ANSWER = "(Said while you spoke, to show that I listen.)"
"""Follows such words in what the chat model reads."""


class UserTurnKind(Enum):
    """Whether a user's turn held nothing, words meant for others, or something to answer."""

    EMPTY = "empty"
    OVERHEARD = "overheard"
    ASKED = "asked"


UserInput = Spoken | TypedText


def check_pending(inputs: Sequence[UserInput]) -> None:
    """Refuse more input than anybody gives in one turn. Raises UnsupportedError (1007)."""
    if len(inputs) > _MOST_INPUTS:
        raise UnsupportedError(
            f"A turn takes {_MOST_INPUTS} texts and segments of speech: end it before."
        )


class UserTurn:
    """Gathers the input of a turn, and then stores it in the history.

    `store` is the first stage of a turn. A cancelled `store` leaves its inputs in place, for the
    next turn to store.
    """

    def __init__(
        self,
        history: History,
        video: VideoImages,
        cues: UserCues,
        limits: InputLimits,
        config: SessionConfig,
        emit: EmitMessage,
    ) -> None:
        self._history = history
        self._video = video
        self._cues = cues
        self._limits = limits
        self._config = config
        self._emit = emit
        self._inputs: list[UserInput] = []  # of the turn that is in its first stage
        self._waiting: list[UserInput] = []  # for the turn after this one (NO_INTERRUPTION)
        self._transcript_sent = False  # in this turn

    @property
    def is_open(self) -> bool:
        """Return whether the turn has input that is not in the history yet."""
        return bool(self._inputs)

    @property
    def has_next(self) -> bool:
        """Return whether there is input for the turn after this one."""
        return bool(self._waiting)

    def add_to_next(self, inputs: Sequence[UserInput]) -> None:
        """Keep ``inputs`` for the turn after this one."""
        self._waiting += inputs
        self._bound(self._waiting)

    def add(self, inputs: Sequence[UserInput]) -> None:
        """Begin a turn with ``inputs``, after those that were kept for it."""
        self._inputs += [*self._waiting, *inputs]
        self._waiting = []
        self._bound(self._inputs)

    def transcriptions(self) -> list["asyncio.Task[str]"]:
        """Return the transcriptions of all input, to be cancelled where the turn never comes."""
        inputs = [*self._inputs, *self._waiting]
        return [item.text for item in inputs if isinstance(item, Spoken)]

    def _bound(self, inputs: Sequence[UserInput]) -> None:
        """Refuse more than a turn can hold; keep only the samples that are measured."""
        check_pending(inputs)
        typed = sum(len(item.text) for item in inputs if isinstance(item, TypedText))
        self._limits.check_text(typed, "The text that waits for its answer")
        keep_longest([item for item in inputs if isinstance(item, Spoken)])

    async def store(self, *, asked: bool) -> UserTurnKind:
        """Put the user's words and images into the history; return what kind of turn they make.

        Waits for the transcriptions. ``asked``: the client asked for an answer, whatever was said.
        """
        said = [(item, await self._text_of(item)) for item in list(self._inputs)]
        heard = [
            SpokenSegment(item.segment, text)
            for item, text in said
            if isinstance(item, Spoken) and text.strip()
        ]
        cues = await self._cues.read(heard)
        self._transcript_sent = False
        self._inputs = []
        typed = any(isinstance(item, TypedText) for item, _ in said)
        addressed = asked or typed or (bool(heard) and cues.addressed)
        if addressed:
            self._history.add(USER, "", images=self._video.take())
        for item, text in said:
            if isinstance(item, TypedText):
                self._history.add(USER, text)
                continue
            ends = bool(heard) and item.segment is heard[-1].segment
            aside = cues.aside if ends else ""
            seconds = item.segment.seconds
            self._history.add(USER, text, seconds, aside=aside, overheard=not addressed)
        if addressed:
            return UserTurnKind.ASKED
        return UserTurnKind.OVERHEARD if heard else UserTurnKind.EMPTY

    async def tell_asides(self, spoken: Sequence[Spoken]) -> None:
        """Tell the client what the user said over an answer that goes on."""
        self._transcript_sent = False
        for item in spoken:
            await self._text_of(item)
        self._transcript_sent = False

    async def store_asides(self, spoken: Sequence[Spoken]) -> None:
        """Put what the user said over an answer into the history, as words that ask for nothing."""
        for item in spoken:
            if text := await self._text_of(item):
                self._history.add(USER, text, item.segment.seconds, aside=SAID_OVER_ANSWER)

    async def _text_of(self, item: UserInput) -> str:
        if isinstance(item, TypedText):
            return item.text
        text = await asyncio.shield(item.text)
        if text and not item.told and self._config.input_transcripts:
            item.told = True
            await self._send_transcript(item, text)
        return text

    async def _send_transcript(self, item: Spoken, text: str) -> None:
        transcript = transcription_of(
            text,
            item.segment.start_s,
            item.segment.end_s,
            final=item.final and self._config.vertex,
            first=not self._transcript_sent,
        )
        self._transcript_sent = True
        content = ServerContent(input_transcription=transcript)
        await self._emit(ServerMessage(server_content=content))
