"""How a session's user speaks, and to whom: prosody and addressing, where its setup wants them."""

from collections.abc import Sequence
from dataclasses import dataclass

from live_cli.engine.conversation.context import EngineContext
from live_cli.engine.conversation.cues.addressee import AddresseeDetector
from live_cli.engine.conversation.cues.prosody import (
    Manner,
    MannerReader,
    Prosody,
    aside_of,
    prosody_of,
    toned,
)
from live_cli.engine.conversation.history import MODEL, Entry, History
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.speech_in.segmenter import Segment
from live_cli.engine.stages import VoiceTraits
from live_cli.engine.workers import Stage


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """One segment of speech, and what was said in it."""

    segment: Segment
    text: str


@dataclass(frozen=True, slots=True)
class UtteranceCues:
    """What an utterance was like. ``aside``: the line about it for the chat model, or ""."""

    aside: str = ""
    addressed: bool = True


class UserCues:
    """One session's. Without affective dialog and proactive audio it does nothing."""

    def __init__(self, config: SessionConfig, context: EngineContext) -> None:
        self._config = config
        self._context = context
        self._manners = MannerReader()
        self._manner = Manner.NEUTRAL
        self._addressee = AddresseeDetector(config.system)
        self._last_reply: Entry | None = None

    @property
    def voice(self) -> VoiceTraits:
        """The voice to answer the last utterance in."""
        return toned(self._config.voice, self._manner)

    def instructed(self, instruction: str) -> None:
        """The system instruction has changed: it may give another name."""
        self._addressee.rename(instruction)

    def replied(self, history: History) -> None:
        """A turn of the model's may have ended; what it said is the last thing in the history."""
        last = history.entries[-1] if history.entries else None
        if last is not None and last.role == MODEL and last is not self._last_reply:
            self._last_reply = last
            self._addressee.replied(last.text, self._context.clock.now())

    async def read(self, heard: Sequence[SpokenSegment]) -> UtteranceCues:
        """What the parts of one utterance were like; typed words (none) are neutral and meant."""
        self._manner = Manner.NEUTRAL
        config = self._config
        if not heard or not (config.affective or config.proactive):
            return UtteranceCues()
        longest = max(heard, key=lambda part: part.segment.seconds)
        prosody = await self._context.workers.run(
            Stage.DETECTOR, lambda: prosody_of(longest.segment.samples, longest.text)
        )
        if config.proactive and not self._is_addressed(heard, prosody):
            return UtteranceCues(addressed=False)
        if config.affective and prosody is not None:
            self._manner = self._manners.read(prosody)
        return UtteranceCues(aside_of(self._manner))

    def _is_addressed(self, heard: Sequence[SpokenSegment], prosody: Prosody | None) -> bool:
        text = " ".join(part.text for part in heard)
        spoken_s = sum(part.segment.seconds for part in heard)
        waited_s = self._config.endpointing.silence_ms / 1000
        begun_at = self._context.clock.now() - spoken_s - waited_s
        level = prosody.level_dbfs if prosody is not None else None
        return self._addressee.is_addressed(text, level, begun_at)
