"""A session that only transcribes: `gemini-3.5-transcribe-live` on the local engine.

Segments go through a bounded queue to the transcriber, in order; when it is full, `handle` waits,
and so does the client. Sound is looked through a second at a time, in turns with other sessions;
voice detection of what comes runs beside the transcription of what came. While the user speaks live
and the transcriber has nothing else to do, interim transcriptions give the text of the open segment
so far; the text of the whole segment replaces them. Where speech is cut because it is long, the
last sentence before the cut waits for what follows, which tells how it ends (`cut_joint`).
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.catalog import NOT_UNDERSTOOD, UNDETERMINED
from live_cli.engine.backends.table import Stage
from live_cli.engine.background import Background
from live_cli.engine.conversation.context import EmitMessage, EngineContext
from live_cli.engine.conversation.history.tokens import TokenCount, audio_tokens, text_tokens
from live_cli.engine.conversation.input_transcript import transcription_of
from live_cli.engine.conversation.usage import usage_of
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.speech_in.endpointer import SpeechCut, SpeechEnded
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.speech_in.loops import without_loops
from live_cli.engine.speech_in.segmenter import Segment, Segmenter, SegmentEvent, pieces_of
from live_cli.engine.speech_in.understanding import UnderstandingJudge
from live_cli.engine.stages import DetailedText, Transcriber
from live_cli.engine.transcription.cut_joint import ACROSS_S, joined
from live_cli.engine.transcription.interim import InterimSchedule
from live_cli.engine.transcription.sentence_times import TimedSentence, sentence_times
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
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_log = logging.getLogger("live_cli.serve.engine")

_SEGMENTS_AHEAD = 4
_POLICY = 1008

_Queued = tuple[Segment | None, bool] | None


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """The last sentence of a segment that was cut, the end of its sound, and where that is."""

    sentence: TimedSentence
    tail: Samples
    end_s: float


class TranscriptionSession:
    """A session of the transcription model: audio in, input transcriptions out.

    Sends one turnComplete for each activityEnd or end of the audio stream.
    """

    def __init__(
        self,
        config: SessionConfig,
        speech_input: SpeechInput,
        context: EngineContext,
        emit: EmitMessage,
    ) -> None:
        self._config = config
        self._segmenter: Segmenter | None = speech_input.segmenter
        self._transcriber = speech_input.transcriber
        self._load_in_noise = speech_input.load_in_noise
        self._context = context
        self._emit = emit
        self._in_activity = False
        self._turn_audio_s = 0.0
        self._turn_tokens = 0  # of the text sent in this turn
        # Segments (None: noise), and whether speech ended with them; or None, the end of a turn.
        self._queue: asyncio.Queue[_Queued] = asyncio.Queue(_SEGMENTS_AHEAD)
        self._is_cut = False  # the speech that was queued last goes on
        self._held: _Held | None = None
        self._judge = UnderstandingJudge()
        self._says_nothing = False  # to the one who listens: what was heard last
        self._language: str | None = None  # of what was heard last
        self._queued = 0  # and not yet transcribed
        self._schedule = InterimSchedule()
        self._transcribing_interim = False
        self._segments_ended = 0
        self._received_s = 0.0
        self._drops_told = False
        self._background = Background()
        self._background.do(self._transcribe())
        if config.word_times and not speech_input.transcriber.times_words:
            _log.warning("word timestamps are asked for, and this transcriber has none")

    async def handle(self, event: Event) -> None:
        """Take in one event; waits while the transcriber is behind."""
        self._background.check()
        match event:
            case AudioReceived(data, sample_rate):
                await self._take_audio(data, sample_rate)
            case ActivityStarted():
                self._in_activity = True
            case ActivityEnded():
                self._in_activity = False
                await self._end_turn()
            case AudioStreamEnded() if not self._config.manual_activity:
                await self._end_turn()
            case VideoReceived():
                self._tell_drops()
            case ContentReceived() | TextReceived():
                raise UnsupportedError("A transcription session takes audio only.")

    @property
    def busy(self) -> bool:
        """Return whether segments, or the end of a turn, are still in the queue."""
        return self._queued > 0

    @property
    def takes_video(self) -> bool:
        """Never: images of a camera are dropped, and the first is told of in the log."""
        return False

    def _tell_drops(self) -> None:
        if not self._drops_told:
            self._drops_told = True
            _log.warning("dropped: the camera images of a session that only transcribes")

    async def failed(self) -> EngineError:
        """Wait for the failure of a stage in the background."""
        return await self._background.failed()

    async def close(self) -> None:
        await self._background.close()
        self._segmenter = None  # the detector's memory is native: no garbage collector sees it

    async def _take_audio(self, data: bytes, sample_rate: int) -> None:
        seconds = len(data) / (2 * sample_rate)
        self._count(seconds)
        outside = self._config.manual_activity and not self._in_activity
        if outside and not self._config.all_input:
            return
        self._schedule.push(seconds, self._context.clock.now())
        segmenter = self._open_segmenter()
        if segmenter.buffered(data, sample_rate):
            return
        for piece in pieces_of(data, sample_rate):
            push = partial(segmenter.push, piece, sample_rate)
            await self._queue_segments(await self._context.workers.run(Stage.DETECTOR, push))
        self._transcribe_interim_when_due()

    def _open_segmenter(self) -> Segmenter:
        assert self._segmenter is not None  # noqa: S101 - no input comes after the end
        return self._segmenter

    def _count(self, seconds: float) -> None:
        """Count ``seconds`` of audio. Raises UnsupportedError beyond the limit of the session."""
        self._received_s += seconds
        limit_s = self._config.longest_audio_s
        if limit_s is not None and self._received_s > limit_s:
            raise UnsupportedError(
                f"A transcription session takes {limit_s / 60:g} minutes of audio: open a new one.",
                _POLICY,
            )

    async def _end_turn(self) -> None:
        await self._queue_segments(
            await self._context.workers.run(Stage.DETECTOR, self._open_segmenter().flush)
        )
        await self._enqueue(None)

    async def _queue_segments(self, events: list[SegmentEvent]) -> None:
        for event, segment in events:
            if isinstance(event, SpeechCut | SpeechEnded):
                self._segments_ended += 1
                ended = isinstance(event, SpeechEnded)
                if segment is not None or (ended and self._is_cut):
                    await self._enqueue((segment, ended))
                self._is_cut = not ended

    async def _enqueue(self, item: _Queued) -> None:
        """Queue ``item``, but never wait for a transcriber that has failed."""
        self._queued += 1
        put = asyncio.create_task(self._queue.put(item))
        failed = asyncio.create_task(self._background.failed())
        await asyncio.wait((put, failed), return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()
        if not put.done():
            put.cancel()
        self._background.check()

    def _transcribe_interim_when_due(self) -> None:
        if self.busy or self._transcribing_interim:
            return  # final transcriptions come first
        segment = self._open_segmenter().open_segment()
        if segment is not None and self._schedule.is_due(self._context.clock.now()):
            self._transcribing_interim = True
            self._background.do(self._transcribe_interim(segment))

    async def _transcribe_interim(self, segment: Segment) -> None:
        """Send the text of the open ``segment``, unless it has ended meanwhile."""
        before = self._segments_ended
        text = (await self._heard_in(segment.samples, self._transcriber)).text
        self._transcribing_interim = False
        if text and self._segments_ended == before and not self._says_nothing:
            start_s = segment.start_s
            if self._held is not None:  # it is not final either
                text, start_s = f"{self._held.sentence.text} {text}", self._held.sentence.start_s
            transcription = transcription_of(
                text, start_s, segment.end_s, final=False, first=not self._turn_tokens
            )
            content = ServerContent(interim_input_transcription=transcription)
            await self._emit(ServerMessage(server_content=content))

    async def _transcriber_of(self, segment: Segment) -> Transcriber:
        """Return what hears ``segment`` best: in noise another one, where there is one."""
        if segment.noisy and self._load_in_noise is not None:
            try:
                return await self._load_in_noise()
            except EngineError as exc:
                self._load_in_noise = None
                _log.warning("noise is heard as everything else: %s", exc)
        return self._transcriber

    async def _heard_in(
        self, samples: Samples, transcriber: Transcriber, *, words: bool = False
    ) -> DetailedText:
        hear = partial(transcriber.transcribe_in_detail, samples, words=words)
        heard = await self._context.workers.run(Stage.TRANSCRIBER, hear)
        text = without_loops(heard.text)
        # where words are left out, the times of the others are not known any more
        return heard if text == heard.text else replace(heard, text=text, words=(), loops=True)

    async def _understood(
        self, segment: Segment, transcriber: Transcriber, heard: DetailedText
    ) -> bool:
        """Return whether ``heard`` was said in ``segment``, as far as the transcriber knows."""
        if not heard.text or not self._judge.wants_to_know(loops=heard.loops):
            return True
        ask = partial(transcriber.confidence, segment.samples, heard.text)
        confidence = await self._context.workers.run(Stage.TRANSCRIBER, ask)
        return confidence is None or self._judge.understood(confidence)

    async def _transcribe(self) -> None:
        while True:
            item = await self._queue.get()
            segment, final = item or (None, True)
            if segment is None:
                await self._send_held(None, "")
            else:
                await self._send_final(segment, final)
            if item is None:
                await self._complete_turn()
            self._queued -= 1

    async def _send_final(self, segment: Segment, final: bool) -> None:
        """Send the sentences of ``segment``; where it was cut, the last waits for what follows."""
        transcriber = await self._transcriber_of(segment)
        heard = await self._heard_in(segment.samples, transcriber, words=self._config.word_times)
        self._turn_audio_s += segment.seconds
        if not await self._understood(segment, transcriber, heard):
            await self._send_not_understood(segment)
            return
        self._says_nothing = False
        text = await self._send_held(segment, heard.text)
        words = [(word.start_s, word.end_s) for word in heard.words]
        sentences = [
            each.later(segment.start_s)
            for each in (sentence_times(text, segment.samples, words) if text else [])
        ]
        self._language = heard.language
        if not final and sentences:
            tail = segment.samples[-round(ACROSS_S * INPUT_SAMPLE_RATE) :].copy()
            self._held = _Held(sentences.pop(), tail, segment.end_s)
        for sentence in sentences:
            await self._send(sentence, final=final and sentence is sentences[-1])

    async def _send_not_understood(self, segment: Segment) -> None:
        """Send a mark in place of the text; one for all such segments in a row."""
        await self._send_held(None, "")
        if not self._says_nothing:
            self._says_nothing = True
            self._language = UNDETERMINED
            mark = TimedSentence(NOT_UNDERSTOOD, segment.start_s, segment.end_s)
            await self._send(mark, final=True)

    async def _send_held(self, following: Segment | None, text: str) -> str:
        """Send the sentence before a cut, now that it is known what follows; return that text.

        ``following``: the segment of ``text``; None where none follows.
        """
        held, self._held = self._held, None
        if held is None:
            return text
        sentence = held.sentence
        goes_on = following is not None and following.start_s == held.end_s
        if goes_on and following is not None and text:
            head = following.samples[: round(ACROSS_S * INPUT_SAMPLE_RATE)]
            samples = np.concatenate([held.tail, head])
            across = await self._heard_in(samples, await self._transcriber_of(following))
            before, text = joined(sentence.text, text, across.text)
            sentence = replace(sentence, text=before)
        await self._send(sentence, final=not (goes_on and text))
        return text

    async def _send(self, sentence: TimedSentence, *, final: bool) -> None:
        transcription = transcription_of(
            sentence.text,
            sentence.start_s,
            sentence.end_s,
            final=final,
            first=not self._turn_tokens,
            words=[
                (word, *times)
                for word, times in zip(sentence.text.split(), sentence.words, strict=False)
            ],
            language=self._language,
        )
        self._turn_tokens += text_tokens(sentence.text)
        content = ServerContent(input_transcription=transcription)
        await self._emit(ServerMessage(server_content=content))

    async def _complete_turn(self) -> None:
        prompt = TokenCount(audio=audio_tokens(self._turn_audio_s))
        usage = usage_of(prompt, self._turn_tokens, 0, "TEXT")
        self._turn_audio_s, self._turn_tokens = 0.0, 0
        done = ServerContent(turn_complete=True)
        await self._emit(ServerMessage(server_content=done, usage_metadata=usage))
