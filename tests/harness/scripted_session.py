"""A session on scripted stages and fake time, and a short way to read the messages it sends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples, float_from_pcm16, pcm16_from_float
from live_cli.engine.backends.scripted import (
    ScriptedChatModel,
    ScriptedDetector,
    ScriptedSynthesizer,
    ScriptedTranscriber,
)
from live_cli.engine.backends.table import SILENCE
from live_cli.engine.engine import LocalSession
from live_cli.engine.registry import Registry
from live_cli.engine.stages import BY_SOUND, StageNames
from live_cli.protocol.events import AudioReceived, ContentReceived, ToolResponseReceived
from live_cli.protocol.messages import (
    Content,
    FunctionCall,
    FunctionResponse,
    GenerationConfig,
    Part,
    ServerMessage,
    Setup,
)
from tests.harness.speech import speech_like


class FakeTime:
    """A clock that stands still until told to go; sleepers wake when their time has come."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, woken))
        await woken

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for until, woken in self.sleepers:
            if until <= self.now and not woken.done():
                woken.set_result(None)


@dataclass
class SessionHarness:
    """One session, what a client does with it, and the messages that it has sent."""

    session: LocalSession
    time: FakeTime
    messages: list[ServerMessage] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, wanted: Callable[["SessionHarness"], bool]) -> None:
        async with asyncio.timeout(60):
            while not wanted(self):
                self.changed.clear()
                await self.changed.wait()

    async def shows(self, word: str, count: int = 1) -> None:
        await self.until(lambda harness: harness.words().count(word) >= count)

    def words(self) -> list[str]:
        return [word for message in self.messages if (word := short(message)) != "audio"]

    def texts(self) -> list[str]:
        """The written reply, delta by delta."""
        parts = [part for message in self.messages for part in parts_of(message)]
        return [part.text for part in parts if part.text and not part.thought]

    def heard(self) -> list[str]:
        contents = [message.server_content for message in self.messages]
        told = [content.input_transcription for content in contents if content]
        return [transcript.text or "" for transcript in told if transcript]

    def said(self) -> str:
        contents = [message.server_content for message in self.messages]
        told = [content.output_transcription for content in contents if content]
        return "".join(transcript.text or "" for transcript in told if transcript)

    def audio(self) -> Samples:
        parts = [part for message in self.messages for part in parts_of(message)]
        return float_from_pcm16(
            b"".join(part.inline_data.data for part in parts if part.inline_data)
        )

    def calls(self) -> list[FunctionCall]:
        """What was called, in its order."""
        told = [message.tool_call for message in self.messages if message.tool_call]
        return [call for calls in told for call in calls.function_calls or ()]

    def cancelled(self) -> list[str]:
        """The ids of cancelled calls."""
        told = [message.tool_call_cancellation for message in self.messages]
        return [name for cancellation in told if cancellation for name in cancellation.ids or ()]

    async def answer(self, number: int, result: object = "ok", **fields: Any) -> None:
        """Answer the call of that number, from 0."""
        call = self.calls()[number]
        response = FunctionResponse(
            id=call.id, name=call.name, response={"output": result}, **fields
        )
        await self.session.handle(ToolResponseReceived([response]))

    async def say(self, samples: Samples, rate: int = 16_000, message_ms: int = 20) -> None:
        """Send ``samples`` as messages, as fast as they are taken."""
        step = rate * message_ms // 1000
        for start in range(0, len(samples), step):
            data = pcm16_from_float(samples[start : start + step])
            await self.session.handle(AudioReceived(data, rate))

    async def ask(self, text: str, complete: bool = True) -> None:
        turn = Content(role="user", parts=[Part(text=text)])
        await self.session.handle(ContentReceived([turn], complete))


def parts_of(message: ServerMessage) -> list[Part]:
    content = message.server_content
    return (content.model_turn.parts or []) if content and content.model_turn else []


def short(message: ServerMessage) -> str:
    """What ``message`` is, as one word."""
    content = message.server_content
    if content is None:
        update = message.session_resumption_update
        kinds = {
            "resumption": update if update and update.resumable else None,
            "not resumable": update,
            "toolCall": message.tool_call,
            "toolCallCancellation": message.tool_call_cancellation,
        }
        return next((word for word, present in kinds.items() if present is not None), "other")
    for part in parts_of(message):
        if part.executable_code:
            return "code"
        return "thought" if part.thought else "audio" if part.inline_data else "text"
    if content.turn_complete:
        return "turnComplete+usage" if message.usage_metadata else "turnComplete"
    facts = {
        "interrupted": content.interrupted,
        "generationComplete": content.generation_complete,
        "heard": content.input_transcription,
        "interim": content.interim_input_transcription,
        "said": content.output_transcription,
    }
    return next(word for word, present in facts.items() if present)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.float32)


def utterance(seconds: float = 1.0, pause: float = 1.0) -> Samples:
    """Something the scripted detector takes for speech, then silence."""
    return np.concatenate([silence(0.3), speech_like(seconds), silence(pause)])


class ScriptedRegistry(Registry):
    """A registry of stages that the test makes."""

    def __init__(
        self,
        chat: object | None = None,
        transcriber: object | None = None,
        synthesizer: object | None = None,
        detector: Callable[[], object] = ScriptedDetector,
        turns: object | None = None,
        barge_in: str = BY_SOUND,
    ) -> None:
        """``turns``: the turn detector; None: silence ends a turn."""
        ends = SILENCE if turns is None else "scripted"
        super().__init__(StageNames(*["scripted"] * 4, end_of_turn=ends, barge_in=barge_in))
        self.made = {
            "end_of_turn": lambda: turns,
            "detector": detector,
            "transcriber": lambda: transcriber or ScriptedTranscriber(["One.", "Two.", "Three."]),
            "chat": lambda: chat or ScriptedChatModel(),
            "synthesizer": lambda: synthesizer or ScriptedSynthesizer(),
        }

    async def close(self) -> None:
        """Close nothing: the stages belong to the test."""

    def _maker(self, stage, name=None):  # type: ignore[no-untyped-def]
        return self.made[stage.value]


def text_setup(**fields: object) -> Setup:
    generation = GenerationConfig(response_modalities=["TEXT"])
    return Setup(model="models/local", **({"generation_config": generation} | fields))  # type: ignore[arg-type]
