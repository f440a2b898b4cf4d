"""One turn of the model: chat model -> clauses -> synthesizer -> messages, stopped at any point.

The chat model runs in a thread and streams its deltas to the event loop; each clause is spoken as
soon as it is whole, while the model writes the next. Audio is sent faster than it plays, so the
turn keeps account of when the client will have played it: that time ends the turn, and, when the
user speaks over the answer, tells how much of the answer can have been heard.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import numpy as np

from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.engine.backends.table import Stage
from live_cli.engine.conversation.sentences import Clause, ClauseSplitter
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.stages import (
    ChatDelta,
    ChatModel,
    ChatRequest,
    ChatUsage,
    Synthesizer,
    ToolUse,
)
from live_cli.engine.workers import Workers
from live_cli.protocol.messages import Blob, Content, Part, ServerContent, Transcription
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE
from live_cli.scripts import foreign_scripts

_log = logging.getLogger("live_cli.serve.engine")
_CHUNK_SAMPLES = OUTPUT_SAMPLE_RATE // 10
"""100 ms a message; the last of a clause is up to 20 ms longer, so that none is below 20 ms."""
_CRUMB_SAMPLES = OUTPUT_SAMPLE_RATE // 50
_AUDIO_TYPE = f"audio/pcm;rate={OUTPUT_SAMPLE_RATE}"

_SOON_S = 0.5
"""Before the end of what is played: to make the sound of a phrase takes a good part of it."""
_SENTENCE_S = 4.0
"""Of speech, about: who is slow at it has to begin while as much of what is played is left."""

NOTICED_S = 0.3
"""Of an answer's speech: less is part of a word, and what was said before it was not answered."""

Send = Callable[[ServerContent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Clock:
    """The time by which a turn's audio plays, in seconds; tests bring their own."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _SpokenClause:
    """A clause that is spoken, and when the client plays it."""

    text: str
    starts_at: float
    seconds: float = 0.0

    def played_s(self, now: float) -> float:
        """Return how many seconds of the clause the client has played by ``now``."""
        return min(max(0.0, now - self.starts_at), self.seconds)

    def heard(self, now: float) -> str:
        """Return the part of the text that can have been heard by ``now``, in whole words."""
        played_s = self.played_s(now)
        if played_s <= 0.0:
            return ""
        if played_s >= self.seconds:
            return self.text
        words = self.text.split(" ")
        share = played_s / self.seconds
        return " ".join(words[: int(share * len(words))])


@dataclass(slots=True)
class Reply:
    """One reply of the model, up to its end or to its calls: spoken clauses, or pieces of text."""

    pieces: list[str] = field(default_factory=list)
    spoken: list[_SpokenClause] = field(default_factory=list)
    audio_s: float = 0.0

    @property
    def text(self) -> str:
        """The text of all that was sent."""
        return "".join(self.pieces)

    def heard(self, now: float) -> str:
        """Return the text that the user can have heard, or read, by ``now``."""
        if not self.spoken:
            return self.text
        return "".join(clause.heard(now) for clause in self.spoken)

    def played_s(self, now: float) -> float:
        """Return how many seconds of the speech the client has played by ``now``."""
        return sum(clause.played_s(now) for clause in self.spoken)


class ModelTurn:
    """Says one or more replies with `say`, then waits in `play_out` until they have been played.

    To cut the turn short: call `stop` from any thread, then cancel the task that awaits `say`.
    ``ahead``: the turn may not come. Its first words and their sound are made, and nothing is sent
    until `release`.
    """

    def __init__(
        self,
        chat: ChatModel,
        synthesizer: Synthesizer | None,
        config: SessionConfig,
        workers: Workers,
        send: Send,
        clock: Clock,
        *,
        ahead: bool = False,
    ) -> None:
        self._chat = chat
        self._synthesizer = synthesizer
        self._config = config
        self._workers = workers
        self._send = send
        self._clock = clock
        self._stopped = threading.Event()
        self._released = asyncio.Event()
        if not ahead:
            self._released.set()
        self.has_told = False
        """Return whether the client has anything of the turn."""
        self._plays_until = 0.0
        self._seconds_a_second = 0.0  # what it took to make a second of the last clause
        self._taken: list[str] = []
        self.reply = Reply()
        """The reply since the turn began, or since the last `take_reply`."""
        self._transcript_sent = False
        self._told_unspoken = False
        self.audio_s = 0.0
        """Seconds of speech sent in the whole turn."""
        self.usage = ChatUsage()
        """Token counts of the whole turn; prompt tokens and finish reason of the last reply."""

    def stop(self) -> None:
        """Make the chat model stop with its next token."""
        self._stopped.set()

    def release(self) -> None:
        """Send from now on what is made: the turn has come."""
        self._released.set()

    @property
    def is_heard(self) -> bool:
        """Return whether the client has played enough of the speech, or has text, to notice it."""
        if not self._config.speaks:
            return self.has_told
        return self.audio_s - self.unplayed_s >= NOTICED_S

    def take_reply(self) -> Reply:
        """Return the reply so far, and begin another."""
        reply, self.reply = self.reply, Reply()
        self._taken.append(reply.text)
        return reply

    @property
    def text(self) -> str:
        """The text of all that was sent in the whole turn."""
        return "".join(self._taken) + self.reply.text

    async def say(self, request: ChatRequest) -> list[ToolUse]:
        """Generate and send one reply; return the functions that it calls at its end."""
        try:
            if self._config.speaks:
                return await self._speak_all(request)
            return await self._write_all(request)
        except BaseException:
            self.stop()
            raise

    async def tell_generated(self) -> None:
        """Tell the client that all of the turn has been sent."""
        await self._tell(ServerContent(generation_complete=True))

    @property
    def unplayed_s(self) -> float:
        """The seconds of the audio that the client has still to play."""
        return max(0.0, self._plays_until - self._clock.now())

    @property
    def _is_late(self) -> bool:
        """Return whether the next sentence would come after the end of what is played."""
        return self.unplayed_s < max(_SOON_S, _SENTENCE_S * self._seconds_a_second)

    async def play_out(self) -> None:
        """Wait until the audio has been played."""
        if self.unplayed_s:
            await self._clock.sleep(self.unplayed_s)

    async def _write_all(self, request: ChatRequest) -> list[ToolUse]:
        calls = []
        async with aclosing(self._deltas(request)) as deltas:
            async for delta in deltas:
                if delta.call is not None:
                    calls.append(delta.call)
                    continue
                await self._released.wait()
                self.reply.pieces.append(delta.text)
                await self._tell(_model_turn(Part(text=delta.text)))
        return calls

    async def _speak_all(self, request: ChatRequest) -> list[ToolUse]:
        calls = []
        splitter = ClauseSplitter()
        async with aclosing(self._deltas(request)) as deltas:
            async for delta in deltas:
                if delta.call is not None:
                    calls.append(delta.call)
                for clause in splitter.push(delta.text, hurried=self._is_late):
                    await self._speak(clause)
        for clause in splitter.flush():
            await self._speak(clause)
        return calls

    async def _deltas(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the deltas of a reply without thoughts, which are sent where the client asked."""
        loop = asyncio.get_running_loop()
        # Bounded by the request's max_tokens; the model must never wait for a slow reader here.
        queue: asyncio.Queue[ChatDelta | None] = asyncio.Queue()

        def on_delta(delta: ChatDelta) -> bool:
            if (delta.text or delta.call) and not self._stopped.is_set():
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
                elif self._config.include_thoughts:
                    await self._tell(_model_turn(Part(text=delta.text, thought=True)))
            self._count(await reply)
        finally:
            reply.cancel()
            del reply  # its error's traceback holds this frame

    def _count(self, usage: ChatUsage) -> None:
        self.usage = replace(
            usage,
            reply_tokens=self.usage.reply_tokens + usage.reply_tokens,
            thought_tokens=self.usage.thought_tokens + usage.thought_tokens,
        )

    async def _speak(self, clause: Clause) -> None:
        sound = self._workers.iterate(Stage.SYNTHESIZER, self._sound_of(clause))
        async with aclosing(sound) as chunks:
            await self._speak_chunks(clause, chunks)

    async def _speak_chunks(self, clause: Clause, chunks: AsyncGenerator[Samples, None]) -> None:
        began = self._clock.now()
        first = await anext(chunks, None)
        if first is not None and len(first):
            seconds = len(first) / OUTPUT_SAMPLE_RATE
            self._seconds_a_second = (self._clock.now() - began) / seconds
        await self._released.wait()
        now = self._clock.now()
        spoken = _SpokenClause(clause.text, starts_at=max(now, self._plays_until))
        self.reply.pieces.append(clause.text)
        self.reply.spoken.append(spoken)
        if self._config.output_transcripts:
            await self._send_transcript(clause.text)
        if not clause.speech:
            return
        chunk = first
        while chunk is not None:
            for piece in _messages(chunk) if len(chunk) else ():
                now = self._clock.now()
                seconds = len(piece) / OUTPUT_SAMPLE_RATE
                spoken.seconds += seconds
                self.reply.audio_s += seconds
                self.audio_s += seconds
                self._plays_until = max(now, self._plays_until) + seconds
                blob = Blob(data=pcm16_from_float(piece), mime_type=_AUDIO_TYPE)
                await self._tell(_model_turn(Part(inline_data=blob)))
            chunk = await anext(chunks, None)
        if not spoken.seconds and not self._told_unspoken:
            self._told_unspoken = True
            letters = ", ".join(foreign_scripts(clause.speech)) or "its"
            _log.warning("the synthesizer cannot speak %s letters: text alone is sent", letters)

    async def _send_transcript(self, text: str) -> None:
        """Send a delta of the transcript; on Vertex AI an empty one precedes the first of a turn.

        Source: frames recorded from the service (reference §9).
        """
        if self._config.vertex and not self._transcript_sent:
            await self._tell(ServerContent(output_transcription=Transcription()))
        self._transcript_sent = True
        await self._tell(ServerContent(output_transcription=Transcription(text=text)))

    async def _tell(self, content: ServerContent) -> None:
        await self._released.wait()
        self.has_told = True
        await self._send(content)

    def _sound_of(self, clause: Clause) -> Iterator[Samples]:
        if not clause.speech or self._synthesizer is None:
            return iter(())
        return self._synthesizer.speak(clause.speech, self._config.voice)


def _messages(chunk: Samples) -> list[Samples]:
    """Cut ``chunk`` into pieces of 100 ms, the last one 20 to 120 ms; a shorter chunk is padded."""
    if len(chunk) < _CRUMB_SAMPLES:
        return [np.pad(chunk, (0, _CRUMB_SAMPLES - len(chunk)))]
    cuts = list(range(_CHUNK_SAMPLES, len(chunk), _CHUNK_SAMPLES))
    if cuts and len(chunk) - cuts[-1] < _CRUMB_SAMPLES:
        del cuts[-1]
    return np.split(chunk, cuts)


def _model_turn(part: Part) -> ServerContent:
    return ServerContent(model_turn=Content(parts=[part]))
