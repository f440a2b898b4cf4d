"""How a session's user speaks, and to whom: affective dialog and proactive audio."""

from collections.abc import Sequence
from dataclasses import dataclass

from live_cli.engine.backends.table import Stage
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
from live_cli.engine.conversation.history.entries import MODEL, Entry
from live_cli.engine.conversation.history.history import History
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.speech_in.segmenter import Segment
from live_cli.engine.stages import VoiceTraits


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """One segment of speech and its transcript."""

    segment: Segment
    text: str


@dataclass(frozen=True, slots=True)
class UtteranceCues:
    """What was found about an utterance beside its words.

    ``aside``: a line for the chat model on how the user sounds, "" for nothing to tell.
    ``addressed``: the utterance was said to the assistant.
    """

    aside: str = ""
    addressed: bool = True


class UserCues:
    """Reads the cues of one session's utterances.

    Without affective dialog and proactive audio in ``config``, all utterances are neutral and
    addressed to the assistant.
    """

    def __init__(self, config: SessionConfig, context: EngineContext) -> None:
        self._config = config
        self._context = context
        self._manners = MannerReader()
        self._manner = Manner.NEUTRAL
        self._addressee = AddresseeDetector(config.system)
        self._last_reply: Entry | None = None

    @property
    def voice(self) -> VoiceTraits:
        """The session's voice in the tone that answers the last utterance."""
        return toned(self._config.voice, self._manner)

    def note_instruction(self, instruction: str) -> None:
        """Note a new system instruction, which may give the assistant another name."""
        self._addressee.rename(instruction)

    def note_reply(self, history: History) -> None:
        """Note the reply at the end of ``history``, if the turn that has ended brought one."""
        last = history.last
        if last is not None and last.role == MODEL and last is not self._last_reply:
            self._last_reply = last
            self._addressee.note_reply(last.text, self._context.clock.now())

    async def read(self, heard: Sequence[SpokenSegment]) -> UtteranceCues:
        """Return the cues of an utterance in its segments; of none (typed words), the neutral."""
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
