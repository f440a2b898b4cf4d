"""The loaded stages of one process: made by name, once, in parallel, when first needed.

The names are those of `backends/table.py`. All sessions share what is loaded, but for detectors.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from live_cli.catalog import did_you_mean
from live_cli.engine.backends.table import (
    SEMANTIC,
    SILENCE,
    Argument,
    Stage,
    backends_of,
    find_backend,
)
from live_cli.engine.freed_memory import give_back_freed_memory
from live_cli.engine.languages import LocalLanguages, languages_of
from live_cli.engine.stages import (
    ChatModel,
    SpeechDetector,
    StageNames,
    Synthesizer,
    Transcriber,
    TurnDetector,
)
from live_cli.errors import EngineError

_log = logging.getLogger("live_cli.serve.engine")

_IN_NOISE = "whisper:whisper-base"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of one stage: ``state`` is unloaded, loading, ready or failed."""

    stage: Stage
    name: str
    state: str
    seconds: float = 0.0
    error: str | None = None


class Registry:
    """Loads the stages that ``names`` say and hands them out."""

    def __init__(self, names: StageNames | None = None) -> None:
        self.names = _possible(names or StageNames())
        self.languages = LocalLanguages(self.names.transcriber, self.names.synthesizer)
        """The languages heard and spoken here, with these names and what else is installed."""
        self._loads: dict[tuple[Stage, str], asyncio.Task[Any]] = {}
        self._readiness = {
            (stage, self._name(stage)): Readiness(stage, self._name(stage), "unloaded")
            for stage in Stage
        }

    @property
    def ends_turns_by_sense(self) -> bool:
        """Return whether a model judges that the user has finished, where clients leave it open."""
        return self.names.end_of_turn != SILENCE

    @property
    def elsewhere(self) -> frozenset[Stage]:
        """The stages that are behind an OpenAI-compatible endpoint."""
        named = ((stage, find_backend(stage, self._name(stage))[0]) for stage in Stage)
        return frozenset(
            stage for stage, backend in named if backend and backend.argument is Argument.ENDPOINT
        )

    def report(self) -> list[Readiness]:
        """Return the state of each stage; of a transcriber of other languages once it was asked."""
        return list(self._readiness.values())

    async def load(self, stages: Iterable[Stage]) -> None:
        """Load ``stages`` side by side, where they are not loaded yet. Raises EngineError."""
        loads = [self._load(stage) for stage in stages]
        results = await asyncio.gather(*map(asyncio.shield, loads), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def begin(self, stages: Iterable[Stage], language: str | None = None) -> None:
        """Start loading ``stages``; a failure is raised to the first who asks for the stage.

        ``language``: the one that the transcriber is to hear.
        """
        for stage in stages:
            name = self._hearing(language) if stage is Stage.TRANSCRIBER else None
            load = self._load(stage, name)
            load.add_done_callback(lambda load: load.cancelled() or load.exception())

    async def detector(self) -> SpeechDetector:
        """A new detector for one stream: a detector has memory and cannot be shared."""
        return cast(SpeechDetector, await asyncio.to_thread(self._maker(Stage.DETECTOR)))

    async def transcriber(self, language: str | None = None) -> Transcriber:
        """Return the transcriber of ``language``, a code or "auto"; None: the configured one."""
        load = self._load(Stage.TRANSCRIBER, self._hearing(language))
        return cast(Transcriber, await asyncio.shield(load))

    def heard_better_in_noise(self, language: str | None) -> str | None:
        """Return the language in which `transcriber_in_noise` hears ``language`` better in noise.

        None where it is not there, or is what hears that anyway.
        """
        if self._hearing(language) != "moonshine":
            return None
        from live_cli.engine.speech_models.catalog import WHISPER_BASE
        from live_cli.engine.speech_models.lookup import is_whisper_there

        own = languages_of(Stage.TRANSCRIBER, "moonshine")
        return own[0] if is_whisper_there(WHISPER_BASE) else None

    async def transcriber_in_noise(self) -> Transcriber:
        """Whisper base: of the words in noise it gets a third as many wrong as Moonshine tiny."""
        load = self._load(Stage.TRANSCRIBER, _IN_NOISE)
        return cast(Transcriber, await asyncio.shield(load))

    async def turn_detector(self) -> TurnDetector:
        return cast(TurnDetector, await asyncio.shield(self._load(Stage.TURN_DETECTOR)))

    async def chat(self) -> ChatModel:
        return cast(ChatModel, await asyncio.shield(self._load(Stage.CHAT)))

    async def synthesizer(self) -> Synthesizer:
        return cast(Synthesizer, await asyncio.shield(self._load(Stage.SYNTHESIZER)))

    async def close(self) -> None:
        """Free the models that were loaded."""
        for load in self._loads.values():
            stage = (await asyncio.gather(load, return_exceptions=True))[0]
            close = getattr(stage, "close", None)
            if close is not None:
                await asyncio.to_thread(close)
        self._loads.clear()

    def _load(self, stage: Stage, name: str | None = None) -> "asyncio.Task[Any]":
        key = (stage, name or self._name(stage))
        load = self._loads.get(key)
        if load is None or (load.done() and load.exception() is not None):
            load = self._loads[key] = asyncio.create_task(self._loaded(*key))
        return load

    async def _loaded(self, stage: Stage, name: str) -> Any:
        key = (stage, name)
        self._readiness[key] = Readiness(stage, name, "loading")
        start = time.monotonic()
        try:
            made = await asyncio.to_thread(self._maker(stage, name))
        except EngineError as exc:
            self._readiness[key] = Readiness(stage, name, "failed", error=str(exc))
            raise
        self._readiness[key] = Readiness(stage, name, "ready", time.monotonic() - start)
        await asyncio.to_thread(give_back_freed_memory)
        return made

    def _name(self, stage: Stage) -> str:
        return cast(str, getattr(self.names, stage.value))

    def _hearing(self, language: str | None) -> str | None:
        return self.languages.hearing(language)

    def _maker(self, stage: Stage, name: str | None = None) -> Callable[[], Any]:
        name = name or self._name(stage)
        if stage is Stage.SYNTHESIZER and languages_of(stage, name):
            return self._synthesizer_by_language
        return lambda: _make(stage, name, self.names)

    def _synthesizer_by_language(self) -> Synthesizer:
        from live_cli.engine.backends.tts.by_language import SynthesizerByLanguage

        return SynthesizerByLanguage(
            self.languages.speaking, lambda name: _make(Stage.SYNTHESIZER, name, self.names)
        )


def _possible(names: StageNames) -> StageNames:
    """Return ``names`` with silence in place of a turn detector that is not installed."""
    if names.end_of_turn != SEMANTIC:
        return names
    from live_cli.engine.backends.turn.model_file import WAY_OUT, bundled_file

    if bundled_file() is not None:
        return names
    _log.warning("the turn detector is not installed, silence ends a turn: %s", WAY_OUT)
    return replace(names, end_of_turn=SILENCE)


def _make(stage: Stage, name: str, names: StageNames) -> Any:
    """The stage that ``name`` means. Blocks while it loads; raises EngineError, with the fix."""
    backend, argument = find_backend(stage, name)
    if backend is None:
        choices = ", ".join(form for each in backends_of(stage) for form in each.forms)
        kind = name.partition(":")[0]
        near = did_you_mean(kind, [each.name for each in backends_of(stage)])
        raise EngineError(f"no {stage.value} is called {kind!r}: choose {choices}{near}")
    make = backend.load_class()
    match backend.argument:
        case Argument.FOLDER:
            made = make(Path(argument).expanduser() if argument else None)
            made.warm_up()
            return made
        case Argument.WHISPER:
            from live_cli.engine.speech_models.lookup import find_whisper

            model = find_whisper(argument)
            files = model.files if model.origin == "package" else None
            made = make(model.where, files, device=names.device)
            made.warm_up()
            return made
        case Argument.KOKORO:
            from live_cli.engine.speech_models.lookup import find_kokoro

            kokoro = find_kokoro(argument)
            return make(kokoro.model, kokoro.voices)
        case Argument.MODEL:
            from live_cli.engine.chat_models.lookup import find_chat_model

            found = find_chat_model(argument)
            return make(found.path, found.projector, threads=names.threads, parallel=names.parallel)
        case Argument.ENDPOINT:
            return make(argument, names.voices) if stage is Stage.SYNTHESIZER else make(argument)
        case Argument.SCRIPT:
            return make(argument.split("|")) if argument else make()
        case Argument.NONE:
            return make()
