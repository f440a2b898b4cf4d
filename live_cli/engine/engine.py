"""The local engine: opens sessions on the stages they need. Fits the Protocol `Engine` of net."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from live_cli.engine.backends.table import SHARED_STAGES, Stage
from live_cli.engine.conversation.context import EmitMessage, EngineContext, SessionStages
from live_cli.engine.conversation.handles import Handles, LocalHandles, StoredHandles
from live_cli.engine.conversation.model_turn import Clock
from live_cli.engine.conversation.session import ConversationSession
from live_cli.engine.conversation.stored_snapshots import SnapshotStore
from live_cli.engine.languages import not_heard
from live_cli.engine.registry import Readiness, Registry
from live_cli.engine.setup.config import SessionConfig, session_config_of
from live_cli.engine.speech_in.language_choice import LanguageChoice
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.speech_in.noise_reduction import noise_reduction
from live_cli.engine.speech_in.segmenter import Segmenter
from live_cli.engine.speech_in.transcriber_in_language import TranscriberInLanguage
from live_cli.engine.stages import BY_WORDS, ChatMessage, StageNames, Transcriber
from live_cli.engine.transcription.session import TranscriptionSession
from live_cli.engine.workers import Workers
from live_cli.errors import UnsupportedError
from live_cli.fair_share import OWNER
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import Content, Setup

_DIALECT = Dialect()

LocalSession = ConversationSession | TranscriptionSession


class LiveEngine:
    """Opens sessions on shared stages; one engine for each process.

    ``clock`` and ``sleep`` pace the assumed playback; tests bring their own. ``limits_audio``
    False: a session takes as much audio as it gets, whatever the limit of its model family.
    ``strict``: models that Google has ended are not found.
    """

    def __init__(
        self,
        names: StageNames | None = None,
        *,
        registry: Registry | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits_audio: bool = True,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._limits_audio = limits_audio
        self._registry = registry or Registry(names)
        self._context = EngineContext(Workers(self._registry.elsewhere), Clock(clock, sleep))
        self._handles = Handles()

    async def load(self, stages: Iterable[Stage] = SHARED_STAGES) -> None:
        """Load ``stages`` ahead of the first session. Raises EngineError, which names the fix."""
        await self._registry.load(stages)

    def report(self) -> list[Readiness]:
        """How far each stage is loaded."""
        return self._registry.report()

    async def open(
        self,
        setup: Setup,
        emit: EmitMessage,
        dialect: Dialect = _DIALECT,
        principal: str = OWNER,
        snapshots: SnapshotStore | None = None,
    ) -> LocalSession:
        """A session for ``setup``. Raises UnsupportedError for what is not done here, EngineError.

        ``principal``: whose the session is; its handles and cached prompts are for nobody else.
        ``snapshots``: keeps what the session's handles stand for; without, this engine does.
        A conversation opens before the transcriber is loaded: typing needs none. Where ``setup``
        has options of audio input the transcriber loads meanwhile, else with the first audio.
        """
        config = session_config_of(
            setup,
            dialect,
            strict=self._strict,
            semantic=self._registry.ends_turns_by_sense,
            by_words=self._registry.names.barge_in == BY_WORDS,
            languages=self._registry.languages,
        )
        config = replace(config, principal=principal)
        if config.transcribes_only:
            if not self._limits_audio:
                config = replace(config, longest_audio_s=None)
            speech_input = await self._load_speech_input(config, LanguageChoice(config.chosen))
            return TranscriptionSession(config, speech_input, self._context, emit)
        await self._registry.load([Stage.CHAT, *([Stage.SYNTHESIZER] if config.speaks else [])])
        if setup.realtime_input_config or setup.input_audio_transcription:
            turns = [Stage.TURN_DETECTOR] if config.semantic_end else []
            self._registry.begin([Stage.TRANSCRIBER, *turns], config.language)
        choice = LanguageChoice(config.chosen)
        handles = (
            LocalHandles(self._handles, principal, self._context.clock.now)
            if snapshots is None
            else StoredHandles(snapshots)
        )
        resumed = await handles.snapshot_of(config.handle, config.model) if config.handle else None
        stages = SessionStages(
            chat=await self._registry.chat(),
            synthesizer=await self._registry.synthesizer() if config.speaks else None,
            load_speech_input=lambda: self._load_speech_input(config, choice),
            handles=handles,
            resumed=resumed,
            language=choice,
        )
        return ConversationSession(config, stages, self._context, emit)

    async def count_tokens(self, system: str, contents: Sequence[Content]) -> int | None:
        """Return the tokens of a prompt by the chat model's own count; None: it does not tell.

        Raises EngineError where the model cannot be loaded.
        """
        chat = await self._registry.chat()
        roles = {"model": "assistant"}
        turns = [ChatMessage(roles.get(each.role or "", "user"), each.text) for each in contents]
        instruction = [ChatMessage("system", system)] if system else []
        messages = (*instruction, *turns)
        return await self._context.workers.run(Stage.CHAT, lambda: chat.count_tokens(messages))

    async def _load_speech_input(
        self, config: SessionConfig, choice: LanguageChoice
    ) -> SpeechInput:
        if config.language and self._registry.languages.hearing(config.language) is None:
            raise UnsupportedError(not_heard(config.language))
        detector, shared = await asyncio.gather(
            self._registry.detector(), self._registry.transcriber(config.language)
        )
        transcriber = TranscriberInLanguage(shared, choice)
        turns = await self._registry.turn_detector() if config.semantic_end else None
        noise = noise_reduction(self._registry.names.denoise)
        segmenter = Segmenter(detector, config.endpointing, noise)
        in_noise = None if noise is None else self._in_noise(config)
        return SpeechInput(segmenter, transcriber, turns, in_noise)

    def _in_noise(self, config: SessionConfig) -> Callable[[], Awaitable[Transcriber]] | None:
        """Return what loads the transcriber of noisy segments; None: there is no better one."""
        language = self._registry.heard_better_in_noise(config.language)
        if language is None:
            return None

        async def load() -> Transcriber:
            shared = await self._registry.transcriber_in_noise()
            return TranscriberInLanguage(shared, LanguageChoice(language))

        return load

    async def close(self) -> None:
        """Free the models; sessions must be closed before."""
        self._context.workers.close()
        await self._registry.close()
