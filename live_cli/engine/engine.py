"""The local engine: opens sessions on the stages they need. Structural peer of net's `Engine`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from live_cli.engine.conversation.context import EmitMessage, EngineContext, SessionStages
from live_cli.engine.conversation.model_turn import Clock
from live_cli.engine.conversation.session import ConversationSession
from live_cli.engine.registry import Readiness, Registry
from live_cli.engine.setup.config import SessionConfig, session_config_of
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.speech_in.segmenter import Segmenter
from live_cli.engine.stages import StageNames
from live_cli.engine.transcription.session import TranscriptionSession
from live_cli.engine.workers import Stage, Workers
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import Setup

_DIALECT = Dialect()

EngineSession = ConversationSession | TranscriptionSession


class LiveEngine:
    """One per process. ``clock`` and ``sleep`` pace the assumed playback; tests bring their own.

    Not ``limits_audio``: a session takes as much sound as it gets, whatever its family's limit.
    """

    def __init__(
        self,
        names: StageNames | None = None,
        *,
        registry: Registry | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits_audio: bool = True,
    ) -> None:
        self._limits_audio = limits_audio
        self._registry = registry or Registry(names)
        self._around = EngineContext(Workers(), Clock(clock, sleep))

    async def load(self, *, hears: bool = True, answers: bool = True, speaks: bool = True) -> None:
        """Load ahead of the first session. Raises EngineError, which names the fix."""
        await self._registry.load(_stages(hears=hears, answers=answers, speaks=speaks))

    def report(self) -> list[Readiness]:
        """How far each stage is."""
        return self._registry.report()

    async def open(
        self, setup: Setup, emit: EmitMessage, dialect: Dialect = _DIALECT
    ) -> EngineSession:
        """A session for ``setup``. Raises UnsupportedError for what is not done here, EngineError.

        A conversation is open before its ears are loaded: who only types needs none. Where the
        setup speaks of audio input they load meanwhile, else with the first sound.
        """
        options = session_config_of(setup, dialect, endpoint_chat=self._registry.chat_is_endpoint)
        if options.transcribes_only:
            if not self._limits_audio:
                options = replace(options, longest_audio_s=None)
            hearing = await self._hearing(options)
            return TranscriptionSession(options, hearing, self._around, emit)
        await self._registry.load(_stages(hears=False, answers=True, speaks=options.speaks))
        if setup.realtime_input_config or setup.input_audio_transcription:
            self._registry.begin([Stage.TRANSCRIBER])
        stages = SessionStages(
            chat=await self._registry.chat(),
            synthesizer=await self._registry.synthesizer() if options.speaks else None,
            load_speech_input=lambda: self._hearing(options),
        )
        return ConversationSession(options, stages, self._around, emit)

    async def _hearing(self, options: SessionConfig) -> SpeechInput:
        detector, transcriber = await asyncio.gather(
            self._registry.detector(), self._registry.transcriber()
        )
        return SpeechInput(Segmenter(detector, options.endpointing), transcriber)

    async def close(self) -> None:
        """Free the models; sessions must be closed before."""
        self._around.workers.close()
        await self._registry.close()


def _stages(*, hears: bool, answers: bool, speaks: bool) -> list[Stage]:
    stages = [Stage.TRANSCRIBER] if hears else []
    stages += [Stage.CHAT] if answers else []
    return stages + ([Stage.SYNTHESIZER] if speaks else [])
