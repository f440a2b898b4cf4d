"""A session that only listens: `gemini-3.5-transcribe-live` on the local engine.

Segments go through a bounded queue to the transcriber, in order; when it is full, `handle` waits,
and so does the client. Voice detection of what comes runs beside the transcription of what came.
While somebody speaks live and the transcriber has nothing else to do, a preview says what it has
understood so far; the segment's own text replaces it.
"""

import asyncio

from live_cli.engine.background import Background
from live_cli.engine.conversation.context import Emit, EngineContext
from live_cli.engine.conversation.history import TokenCount, audio_tokens, text_tokens
from live_cli.engine.conversation.usage import transcription_of, usage_of
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.speech_in.segmenter import Ended, Heard, Segment, Segmenter
from live_cli.engine.transcription.interim import InterimSchedule
from live_cli.engine.transcription.sentence_times import sentence_times
from live_cli.engine.workers import Stage
from live_cli.errors import EngineError, UnsupportedError
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioReceived,
    AudioStreamEnded,
    ContentReceived,
    Event,
    TextReceived,
    VideoReceived,
)
from live_cli.protocol.messages import ServerContent, ServerMessage

_SEGMENTS_AHEAD = 4
_POLICY = 1008


class TranscriptionSession:
    """Audio in, input transcriptions out; one turnComplete for each activityEnd or stream end."""

    def __init__(
        self,
        options: SessionConfig,
        hearing: SpeechInput,
        surroundings: EngineContext,
        emit: Emit,
    ) -> None:
        self._options = options
        self._ears: Segmenter | None = hearing.ears
        self._transcriber = hearing.transcriber
        self._around = surroundings
        self._emit = emit
        self._in_activity = False
        self._audio_s = 0.0
        self._tokens = 0
        # None stands for the end of a turn.
        self._queue: asyncio.Queue[Ended | None] = asyncio.Queue(_SEGMENTS_AHEAD)
        self._unwritten = 0
        self._previews = InterimSchedule()
        self._previewing = False
        self._segments = 0  # that have ended
        self._heard_s = 0.0
        self._background = Background()
        self._background.do(self._transcribe())

    async def handle(self, event: Event) -> None:
        """Take in one event; waits while the transcriber is behind."""
        self._background.check()
        match event:
            case AudioReceived(data, sample_rate):
                await self._hear(data, sample_rate)
            case ActivityStarted():
                self._in_activity = True
            case ActivityEnded():
                self._in_activity = False
                await self._finish()
            case AudioStreamEnded() if not self._options.manual_activity:
                await self._finish()
            case ContentReceived() | TextReceived() | VideoReceived():
                raise UnsupportedError("A transcription session takes audio only.")

    @property
    def busy(self) -> bool:
        """Whether something that was said is not yet written down."""
        return self._unwritten > 0

    async def failed(self) -> EngineError:
        """Returns when a stage has failed while nobody was calling."""
        return await self._background.failed()

    async def close(self) -> None:
        await self._background.close()
        self._ears = None  # its detector's memory is native, and no garbage collector sees to it

    async def _hear(self, data: bytes, sample_rate: int) -> None:
        seconds = len(data) / (2 * sample_rate)
        self._count(seconds)
        outside = self._options.manual_activity and not self._in_activity
        if outside and not self._options.all_input:
            return
        self._previews.hear(seconds, self._around.time.now())
        ears = self._open_ears()
        if ears.takes_along(data, sample_rate):
            return
        await self._queued(
            await self._around.workers.run(Stage.DETECTOR, lambda: ears.hear(data, sample_rate))
        )
        self._preview_when_due()

    def _open_ears(self) -> Segmenter:
        assert self._ears is not None  # noqa: S101 - nothing comes after the end
        return self._ears

    def _count(self, seconds: float) -> None:
        """Raises UnsupportedError when the session has had all the sound that it may."""
        self._heard_s += seconds
        limit_s = self._options.longest_audio_s
        if limit_s is not None and self._heard_s > limit_s:
            raise UnsupportedError(
                f"A transcription session takes {limit_s / 60:g} minutes of audio: open a new one.",
                _POLICY,
            )

    async def _finish(self) -> None:
        await self._queued(await self._around.workers.run(Stage.DETECTOR, self._open_ears().flush))
        await self._put(None)

    async def _queued(self, heard: list[Heard]) -> None:
        for event in heard:
            if isinstance(event, Ended):
                self._segments += 1
                if event.segment is not None:
                    await self._put(event)

    async def _put(self, item: Ended | None) -> None:
        """Queue ``item``, but never wait for a transcriber that has failed."""
        self._unwritten += 1
        put = asyncio.create_task(self._queue.put(item))
        failed = asyncio.create_task(self._background.failed())
        await asyncio.wait((put, failed), return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()
        if not put.done():
            put.cancel()
        self._background.check()

    def _preview_when_due(self) -> None:
        if self.busy or self._previewing:
            return  # what is final comes first
        segment = self._open_ears().open_segment()
        if segment is not None and self._previews.are_due(self._around.time.now()):
            self._previewing = True
            self._background.do(self._preview(segment))

    async def _preview(self, segment: Segment) -> None:
        """Say what was understood so far, unless its end has come meanwhile."""
        before = self._segments
        text = await self._text_of(segment)
        self._previewing = False
        if text and self._segments == before:
            told = transcription_of(
                text, segment.start_s, segment.end_s, final=False, first=not self._tokens
            )
            content = ServerContent(interim_input_transcription=told)
            await self._emit(ServerMessage(server_content=content))

    async def _text_of(self, segment: Segment) -> str:
        transcriber = self._transcriber
        return await self._around.workers.run(
            Stage.TRANSCRIBER, lambda: transcriber.transcribe(segment.samples)
        )

    async def _transcribe(self) -> None:
        while True:
            item = await self._queue.get()
            if item is None:
                await self._complete()
            elif item.segment is not None:
                await self._tell(item.segment, item.final)
            self._unwritten -= 1

    async def _tell(self, segment: Segment, final: bool) -> None:
        text = await self._text_of(segment)
        self._audio_s += segment.seconds
        if not text:
            return
        tokens = text_tokens(text)
        captions = sentence_times(text, segment.samples)
        for caption in captions:
            told = transcription_of(
                caption.text,
                segment.start_s + caption.start_s,
                segment.start_s + caption.end_s,
                final=final and caption is captions[-1],
                first=not self._tokens,
            )
            self._tokens += tokens
            tokens = 0
            content = ServerContent(input_transcription=told)
            await self._emit(ServerMessage(server_content=content))

    async def _complete(self) -> None:
        prompt = TokenCount(audio=audio_tokens(self._audio_s))
        usage = usage_of(prompt, self._tokens, 0, "TEXT")
        self._audio_s, self._tokens = 0.0, 0
        done = ServerContent(turn_complete=True)
        await self._emit(ServerMessage(server_content=done, usage_metadata=usage))
