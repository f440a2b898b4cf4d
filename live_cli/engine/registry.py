"""Names -> stages: imported late, loaded once, in parallel, only when needed, shared by sessions.

detector      silero | scripted
transcriber   moonshine | moonshine:FOLDER | whisper:FOLDER | scripted[:TEXT|TEXT…]
chat          gguf | gguf:FILE | NAME of a model that is there | openai:URL#MODEL |
              scripted[:REPLY|REPLY…], where REPLY is text, call:FUNCTION {JSON}, or both
synthesizer   hibari | scripted
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from live_cli.engine.stages import (
    ChatModel,
    SpeechDetector,
    StageNames,
    Synthesizer,
    Transcriber,
)
from live_cli.engine.workers import Stage
from live_cli.errors import EngineError


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far one stage is: ``state`` is unloaded, loading, ready or failed."""

    stage: Stage
    name: str
    state: str
    seconds: float = 0.0
    error: str | None = None


class Registry:
    """The stages of one process."""

    def __init__(self, names: StageNames | None = None) -> None:
        self.names = names or StageNames()
        self._loads: dict[Stage, asyncio.Task[Any]] = {}
        self._readiness = {
            stage: Readiness(stage, self._name(stage), "unloaded") for stage in Stage
        }

    @property
    def chat_is_endpoint(self) -> bool:
        return self.names.chat.partition(":")[0] == "openai"

    def report(self) -> list[Readiness]:
        """How far each stage is."""
        return list(self._readiness.values())

    async def load(self, stages: Iterable[Stage]) -> None:
        """Load these stages side by side, where they are not loaded yet. Raises EngineError."""
        loads = [self._load(stage) for stage in stages]
        results = await asyncio.gather(*map(asyncio.shield, loads), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def begin(self, stages: Iterable[Stage]) -> None:
        """Start loading, and let whoever needs a stage first learn how it went."""
        for stage in stages:
            self._load(stage).add_done_callback(lambda load: load.cancelled() or load.exception())

    async def detector(self) -> SpeechDetector:
        """A detector for one stream: it has memory, so it is nobody else's."""
        return cast(SpeechDetector, await asyncio.to_thread(self._maker(Stage.DETECTOR)))

    async def transcriber(self) -> Transcriber:
        return cast(Transcriber, await asyncio.shield(self._load(Stage.TRANSCRIBER)))

    async def chat(self) -> ChatModel:
        return cast(ChatModel, await asyncio.shield(self._load(Stage.CHAT)))

    async def synthesizer(self) -> Synthesizer:
        return cast(Synthesizer, await asyncio.shield(self._load(Stage.SYNTHESIZER)))

    async def close(self) -> None:
        """Free what was loaded."""
        for load in self._loads.values():
            stage = (await asyncio.gather(load, return_exceptions=True))[0]
            close = getattr(stage, "close", None)
            if close is not None:
                await asyncio.to_thread(close)
        self._loads.clear()

    def _load(self, stage: Stage) -> "asyncio.Task[Any]":
        load = self._loads.get(stage)
        if load is None or (load.done() and load.exception() is not None):
            load = self._loads[stage] = asyncio.create_task(self._loaded(stage))
        return load

    async def _loaded(self, stage: Stage) -> Any:
        name = self._name(stage)
        self._readiness[stage] = Readiness(stage, name, "loading")
        start = time.monotonic()
        try:
            made = await asyncio.to_thread(self._maker(stage))
        except EngineError as exc:
            self._readiness[stage] = Readiness(stage, name, "failed", error=str(exc))
            raise
        self._readiness[stage] = Readiness(stage, name, "ready", time.monotonic() - start)
        return made

    def _name(self, stage: Stage) -> str:
        return cast(str, getattr(self.names, stage.value))

    def _maker(self, stage: Stage) -> Callable[[], Any]:
        kind, _, argument = self._name(stage).partition(":")
        makers = {
            Stage.DETECTOR: _detector,
            Stage.TRANSCRIBER: _transcriber,
            Stage.CHAT: lambda k, a: _chat(k, a, self.names),
            Stage.SYNTHESIZER: _synthesizer,
        }
        return lambda: makers[stage](kind, argument)


def _detector(kind: str, argument: str) -> SpeechDetector:
    if kind == "silero":
        from live_cli.engine.backends.vad.silero import SileroDetector

        return SileroDetector()
    if kind == "scripted":
        from live_cli.engine.backends.scripted import ScriptedDetector

        return ScriptedDetector()
    raise _unknown(Stage.DETECTOR, kind, "silero, scripted")


def _transcriber(kind: str, argument: str) -> Transcriber:
    if kind == "moonshine":
        from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber

        moonshine = MoonshineTranscriber(Path(argument).expanduser() if argument else None)
        moonshine.warm_up()
        return moonshine
    if kind == "whisper":
        from live_cli.engine.backends.stt.whisper import WhisperTranscriber

        whisper = WhisperTranscriber(Path(argument).expanduser() if argument else None)
        whisper.warm_up()
        return whisper
    if kind == "scripted":
        from live_cli.engine.backends.scripted import ScriptedTranscriber

        return ScriptedTranscriber(argument.split("|")) if argument else ScriptedTranscriber()
    raise _unknown(Stage.TRANSCRIBER, kind, "moonshine, moonshine:FOLDER, whisper:FOLDER, scripted")


def _chat(kind: str, argument: str, names: StageNames) -> ChatModel:
    if kind == "openai":
        from live_cli.engine.backends.llm.openai import OpenAIChatModel

        return OpenAIChatModel(argument)
    if kind == "scripted":
        from live_cli.engine.backends.scripted import ScriptedChatModel

        return ScriptedChatModel(argument.split("|") if argument else ())
    from live_cli.engine.backends.llm.gguf import GgufChatModel
    from live_cli.engine.chat_models.lookup import find_chat_model

    wanted = argument if kind == "gguf" else f"{kind}:{argument}" if argument else kind
    path = find_chat_model(wanted).path
    return GgufChatModel(path, threads=names.threads, parallel=names.parallel)


def _synthesizer(kind: str, argument: str) -> Synthesizer:
    if kind == "hibari":
        from live_cli.engine.backends.tts.hibari import HibariSynthesizer

        return HibariSynthesizer()
    if kind == "scripted":
        from live_cli.engine.backends.scripted import ScriptedSynthesizer

        return ScriptedSynthesizer()
    raise _unknown(Stage.SYNTHESIZER, kind, "hibari, scripted")


def _unknown(stage: Stage, kind: str, choices: str) -> EngineError:
    return EngineError(f"no {stage.value} is called {kind!r}: choose {choices}")
