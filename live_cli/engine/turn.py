"""One turn of the model: chat model -> clauses -> synthesizer -> messages, stopped at any point.

The chat model runs in a thread and streams deltas here; each clause is spoken as soon as it is
whole, while the model writes the next. Audio goes out faster than it plays, so the turn keeps a
clock of when the client will have played it: that says when the turn is over, and, when the user
speaks over it, how much of it can have been heard.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.options import SessionOptions
from live_cli.engine.sentences import Clause, ClauseSplitter
from live_cli.engine.stages import (
    MOUTH_SAMPLE_RATE,
    ChatDelta,
    ChatModel,
    ChatRequest,
    ChatUsage,
    Samples,
    Synthesizer,
)
from live_cli.engine.workers import Stage, Workers
from live_cli.protocol.messages import (
    OUTPUT_SAMPLE_RATE,
    Blob,
    Content,
    Part,
    ServerContent,
    Transcription,
)

CHUNK_SAMPLES = MOUTH_SAMPLE_RATE // 10
"""100 ms a message; the last of a clause takes up to 20 ms more rather than send a crumb."""
_CRUMB_SAMPLES = MOUTH_SAMPLE_RATE // 50
_AUDIO_TYPE = f"audio/pcm;rate={OUTPUT_SAMPLE_RATE}"

Send = Callable[[ServerContent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Time:
    """Where the turn's time comes from, so that tests need not wait."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Spoken:
    """A clause and when the client plays it."""

    text: str
    starts_at: float
    seconds: float = 0.0

    def heard(self, now: float) -> str:
        """What of it can have been heard by ``now``, in whole words."""
        if now >= self.starts_at + self.seconds:
            return self.text
        if now <= self.starts_at:
            return ""
        words = self.text.split(" ")
        share = (now - self.starts_at) / self.seconds
        return " ".join(words[: int(share * len(words))])


class ModelTurn:
    """Runs once. Stop it from any thread by `stop`, then cancel whoever awaits `run`."""

    def __init__(
        self,
        chat: ChatModel,
        mouth: Synthesizer | None,
        options: SessionOptions,
        workers: Workers,
        send: Send,
        time: Time,
    ) -> None:
        self._chat = chat
        self._mouth = mouth
        self._options = options
        self._workers = workers
        self._send = send
        self._time = time
        self._stopped = threading.Event()
        self._written: list[str] = []
        self._spoken: list[_Spoken] = []
        self._plays_until = 0.0
        self.audio_s = 0.0
        """Seconds of speech sent."""
        self.usage = ChatUsage()

    def stop(self) -> None:
        """Make the chat model stop with its next token."""
        self._stopped.set()

    @property
    def text(self) -> str:
        """All that was sent of the reply."""
        return "".join(self._written)

    def heard_text(self) -> str:
        """What of it the user can have taken in by now."""
        if not self._options.speaks:
            return self.text
        now = self._time.now()
        return "".join(spoken.heard(now) for spoken in self._spoken)

    async def run(self, request: ChatRequest) -> None:
        """Say the reply, then wait until it has been played."""
        try:
            if self._options.speaks:
                await self._speak_all(request)
            else:
                await self._write_all(request)
        finally:
            self.stop()
        await self._send(ServerContent(generation_complete=True))
        remaining = self._plays_until - self._time.now()
        if remaining > 0:
            await self._time.sleep(remaining)

    async def _write_all(self, request: ChatRequest) -> None:
        async with aclosing(self._deltas(request)) as deltas:
            async for delta in deltas:
                self._written.append(delta.text)
                await self._send(_model_turn(Part(text=delta.text)))

    async def _speak_all(self, request: ChatRequest) -> None:
        splitter = ClauseSplitter()
        async with aclosing(self._deltas(request)) as deltas:
            async for delta in deltas:
                for clause in splitter.push(delta.text):
                    await self._speak(clause)
        for clause in splitter.flush():
            await self._speak(clause)

    async def _deltas(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """The reply's deltas; thoughts go out from here, or nowhere."""
        loop = asyncio.get_running_loop()
        # Bounded by the request's max_tokens; the model must never wait for a slow reader here.
        queue: asyncio.Queue[ChatDelta | None] = asyncio.Queue()

        def on_delta(delta: ChatDelta) -> bool:
            if delta.text and not self._stopped.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, delta)
            return self._stopped.is_set()

        def generate() -> ChatUsage:
            try:
                return self._chat.generate(request, on_delta)
            finally:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(queue.put_nowait, None)

        reply = asyncio.ensure_future(self._workers.run(Stage.CHAT, generate))
        try:
            while (delta := await queue.get()) is not None:
                if not delta.thought:
                    yield delta
                elif self._options.include_thoughts:
                    await self._send(_model_turn(Part(text=delta.text, thought=True)))
            self.usage = await reply
        finally:
            reply.cancel()

    async def _speak(self, clause: Clause) -> None:
        now = self._time.now()
        spoken = _Spoken(clause.text, starts_at=max(now, self._plays_until))
        self._written.append(clause.text)
        self._spoken.append(spoken)
        if self._options.output_transcripts:
            transcript = Transcription(text=clause.text)
            await self._send(ServerContent(output_transcription=transcript))
        if not clause.speech or self._mouth is None:
            return
        chunks = self._mouth.speak(clause.speech, self._options.voice)
        while (chunk := await self._next(lambda: next(chunks, None))) is not None:
            for piece in _messages(chunk):
                now = self._time.now()
                seconds = len(piece) / MOUTH_SAMPLE_RATE
                spoken.seconds += seconds
                self.audio_s += seconds
                self._plays_until = max(now, self._plays_until) + seconds
                blob = Blob(data=pcm16_from_float(piece), mime_type=_AUDIO_TYPE)
                await self._send(_model_turn(Part(inline_data=blob)))

    async def _next(self, call: Callable[[], Samples | None]) -> Samples | None:
        return await self._workers.run(Stage.SYNTHESIZER, call)


def _messages(chunk: Samples) -> list[Samples]:
    """``chunk`` in pieces of 100 ms, the last one 20 to 120 ms (padded when it is all there is)."""
    if len(chunk) < _CRUMB_SAMPLES:
        return [np.pad(chunk, (0, _CRUMB_SAMPLES - len(chunk)))]
    cuts = list(range(CHUNK_SAMPLES, len(chunk), CHUNK_SAMPLES))
    if cuts and len(chunk) - cuts[-1] < _CRUMB_SAMPLES:
        del cuts[-1]
    return np.split(chunk, cuts)


def _model_turn(part: Part) -> ServerContent:
    return ServerContent(model_turn=Content(role="model", parts=[part]))
