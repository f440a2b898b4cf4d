"""The transcriber, synthesizer and chat model of this process for callers elsewhere.

Fits the Protocol `StageApi` of net. All calls go through the engine's workers, so that no caller
waits behind more than its own stage.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, Final

from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.catalog import find_language, find_voice, language_base, near_language
from live_cli.engine.backends.table import Stage
from live_cli.engine.languages import not_heard
from live_cli.engine.openai_api import chat_requests
from live_cli.engine.openai_api.uploads import decoded_upload
from live_cli.engine.registry import Readiness, Registry
from live_cli.engine.setup.voices import traits_of
from live_cli.engine.speech_in.endpointer import EndpointingRules, SpeechCut, SpeechEnded
from live_cli.engine.speech_in.segmenter import Segment, Segmenter, SegmentEvent, pieces_of
from live_cli.engine.stages import (
    ChatDelta,
    ChatRequest,
    ChatUsage,
    DetailedText,
    StageNames,
    Transcriber,
    VoiceTraits,
)
from live_cli.engine.workers import Workers
from live_cli.errors import UnsupportedError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

SERVED: Final = (Stage.TRANSCRIBER, Stage.CHAT, Stage.SYNTHESIZER)
"""The stages that others can ask for."""
_WHOLE_S: Final = 30
"""Up to this an upload is one segment; what is longer is cut where somebody pauses."""
_OTHERS_VOICES: Final = {
    "alloy": "Zephyr", "ash": "Charon", "ballad": "Algieba", "cedar": "Alnilam",
    "coral": "Leda", "echo": "Fenrir", "fable": "Puck", "marin": "Kore", "nova": "Aoede",
    "onyx": "Orus", "sage": "Sulafat", "shimmer": "Callirrhoe", "verse": "Iapetus",
}  # fmt: skip
"""OpenAI's voices, which programs ask for unless they are told: each gets one of ours."""
_SLOWEST, _FASTEST = 0.25, 4.0
_PACE: Final = (0.5, 2.0)


class ServedStages:
    """The stages of one process; ``only``: those of `SERVED` that are offered."""

    def __init__(
        self,
        names: StageNames | None = None,
        *,
        only: Iterable[Stage] = SERVED,
        registry: Registry | None = None,
    ) -> None:
        self._registry = registry or Registry(names)
        self._workers = Workers(self._registry.elsewhere)
        self.only = tuple(only)

    async def load(self) -> None:
        """Load the stages that are offered. Raises EngineError, which names the fix."""
        await self._registry.load(self.only)

    def report(self) -> list[Readiness]:
        """Return how far each stage is loaded."""
        return self._registry.report()

    async def transcribe(
        self, sound: bytes, *, words: bool, language: str | None
    ) -> dict[str, Any]:
        """Return what is said in a sound file, as ``verbose_json`` has it.

        Raises UnsupportedError for a file that is not read, EngineError.
        """
        language = _known(language) if language else None
        if language and self._registry.languages.hearing(language) is None:
            raise UnsupportedError(not_heard(language))
        transcriber = await self._registry.transcriber(language)
        samples = await self._workers.run(Stage.DETECTOR, lambda: decoded_upload(sound))
        heard = [
            (segment, await self._heard(transcriber, segment.samples, words, language))
            for segment in await self._segments(samples)
        ]
        spoken = next((each.language for _, each in heard if each.language), language)
        answer: dict[str, Any] = {
            "task": "transcribe",
            "duration": len(samples) / INPUT_SAMPLE_RATE,
            "text": " ".join(each.text for _, each in heard if each.text),
            "segments": [_segment(at, *each) for at, each in enumerate(heard)],
        }
        if spoken:
            answer["language"] = spoken
            answer["language_probability"] = max(each.certainty for _, each in heard)
        if words:
            answer["words"] = [
                {
                    "word": word.text,
                    "start": segment.start_s + word.start_s,
                    "end": segment.start_s + word.end_s,
                }
                for segment, each in heard
                for word in each.words
            ]
        return answer

    async def speak(
        self, text: str, *, voice: str, speed: float, language: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield ``text`` as PCM16 at 24 kHz, a piece as soon as it is ready.

        ``voice``: one of the thirty, or of OpenAI's; "" is the usual one. Raises UnsupportedError
        for what is not spoken here, EngineError.
        """
        traits = _traits(voice, speed, language)
        synthesizer = await self._registry.synthesizer()
        sound = self._workers.iterate(Stage.SYNTHESIZER, synthesizer.speak(text, traits))
        async with aclosing(sound) as chunks:
            async for chunk in chunks:
                if len(chunk):
                    yield pcm16_from_float(chunk)

    async def chat(self, body: dict[str, Any], caller: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a reply's deltas, then what ends it: ``finish_reason`` and ``usage``.

        Closing the generator stops the model with its next token. ``caller``: whose prompts are
        cached together. Raises UnsupportedError for what is not done here, EngineError.
        """
        request = chat_requests.chat_request_of(body, caller)
        model = await self._registry.chat()
        if not model.sees and any(message.images for message in request.messages):
            raise UnsupportedError("messages: the chat model here does not see images.")
        loop, stopped = asyncio.get_running_loop(), threading.Event()
        # bounded by the request's max_tokens and the model's context
        deltas: asyncio.Queue[ChatDelta | None] = asyncio.Queue()

        def on_delta(delta: ChatDelta) -> bool:
            if (delta.text or delta.call) and not stopped.is_set():
                loop.call_soon_threadsafe(deltas.put_nowait, delta)
            return stopped.is_set()

        def generate(request: ChatRequest) -> ChatUsage:
            try:
                return model.generate(request, on_delta)
            finally:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(deltas.put_nowait, None)

        call = partial(generate, request)
        reply = asyncio.ensure_future(self._workers.run(Stage.CHAT, call))
        try:
            calls = 0
            while (delta := await deltas.get()) is not None:
                yield {"delta": chat_requests.delta_of(delta, calls)}
                calls += delta.call is not None
            usage = await reply
            yield {
                "finish_reason": chat_requests.finish_of(usage, calls),
                "usage": chat_requests.usage_of(usage),
            }
        finally:
            stopped.set()
            reply.cancel()
            del reply  # its error's traceback holds this frame

    async def close(self) -> None:
        """Free the models; nobody may ask any more."""
        self._workers.close()
        await self._registry.close()

    async def _heard(
        self, transcriber: Transcriber, samples: Samples, words: bool, language: str | None
    ) -> DetailedText:
        call = partial(transcriber.transcribe_in_detail, samples, words=words, language=language)
        return await self._workers.run(Stage.TRANSCRIBER, call)

    async def _segments(self, samples: Samples) -> list[Segment]:
        """Return ``samples`` cut into segments; nothing is left out of what is short."""
        if len(samples) <= _WHOLE_S * INPUT_SAMPLE_RATE:
            whole = Segment(samples, 0.0, len(samples) / INPUT_SAMPLE_RATE)
            return [whole] if len(samples) else []
        segmenter = Segmenter(await self._registry.detector(), EndpointingRules())
        found: list[Segment] = []
        pieces = pieces_of(pcm16_from_float(samples), INPUT_SAMPLE_RATE)
        pushes: list[Callable[[], list[SegmentEvent]]] = [
            partial(segmenter.push, piece, INPUT_SAMPLE_RATE) for piece in pieces
        ]
        for push in (*pushes, segmenter.flush):
            for event, segment in await self._workers.run(Stage.DETECTOR, push):
                if isinstance(event, SpeechCut | SpeechEnded) and segment is not None:
                    found.append(segment)
        return found


def _segment(at: int, segment: Segment, heard: DetailedText) -> dict[str, Any]:
    return {"id": at, "start": segment.start_s, "end": segment.end_s, "text": heard.text}


def _traits(voice: str, speed: float, language: str) -> VoiceTraits:
    """Return the traits of ``voice`` at ``speed``. Raises UnsupportedError."""
    if not _SLOWEST <= speed <= _FASTEST:
        raise UnsupportedError(f"speed: a number from {_SLOWEST} to {_FASTEST}.")
    ours = find_voice(voice) or _OTHERS_VOICES.get(voice.lower(), voice)
    traits = traits_of(ours or None)
    pace = min(max(traits.pace * speed, _PACE[0]), _PACE[1])
    return replace(traits, pace=pace, language=language_base(_known(language)) if language else "")


def _known(language: str) -> str:
    """Return the code of ``language`` as it is spelled here. Raises UnsupportedError."""
    code = find_language(language[:40]) or near_language(language[:40])
    if code is None:
        raise UnsupportedError("language: a code such as en or de is needed.")
    return code
