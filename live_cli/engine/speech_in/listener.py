"""The speech of a session: audio in, segments with their transcriptions under way out.

A segment goes to the transcriber as soon as its end is likely, at the first pause, while the rest
of the silence is still being waited for. If speech resumes, that text is dropped; if not, the text
is there already. The turn detector is asked in the same moment, and again while the pause lasts,
how much silence is to end the turn. All three are loaded with the first audio: typing needs none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.table import Stage
from live_cli.engine.newest_only import NewestOnly
from live_cli.engine.speech_in.end_of_turn import WENT_ON_S, silence_for
from live_cli.engine.speech_in.endpointer import (
    PauseLasts,
    SpeechCut,
    SpeechEnded,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from live_cli.engine.speech_in.loops import without_loops
from live_cli.engine.speech_in.segmenter import Segment, Segmenter, SegmentEvent
from live_cli.engine.stages import Confidence, Transcriber, TurnDetector
from live_cli.engine.workers import Workers
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_SEGMENTS_AHEAD = 8
"""Segments of one session that may wait for their transcription; more audio has to wait."""


@dataclass(frozen=True, slots=True)
class SpeechInput:
    """A segmenter for one stream of audio, and the transcriber of its segments.

    ``turn_detector``: judges the pauses of the stream; None where nobody asks it to.
    ``load_in_noise``: loads a transcriber, slower, that hears noisy segments better, for who has
    time; None: there is none.
    """

    segmenter: Segmenter
    transcriber: Transcriber
    turn_detector: TurnDetector | None = None
    load_in_noise: Callable[[], Awaitable[Transcriber]] | None = None


@dataclass(slots=True, eq=False)
class Spoken:
    """A segment and the task that transcribes it.

    ``final``: speech ended with the segment. ``told``: the client has the text.
    """

    segment: Segment
    text: "asyncio.Task[str]"
    final: bool
    told: bool = False


def keep_longest(utterance: Sequence[Spoken]) -> None:
    """Let go of the samples of all segments but the longest, by which the speaker is measured.

    Transcriptions under way keep theirs.
    """
    longest = max(utterance, key=lambda spoken: spoken.segment.seconds, default=None)
    for spoken in utterance:
        if spoken is not longest and len(spoken.segment.samples):
            spoken.segment = spoken.segment.without_samples()


SpokenEvent = tuple[SpeechEvent, Spoken | None]
"""A start, a pause, its end, a cut or an end of speech, and the segment that it closes; None for
noise.

The segment of a pause, told again while the pause lasts, is what will have been said if it ends so.
"""


class Listener:
    """Transcribes the speech of one session. ``load`` is awaited with the first audio."""

    def __init__(self, load: Callable[[], Awaitable[SpeechInput]], workers: Workers) -> None:
        self._load = load
        self._workers = workers
        self._input: SpeechInput | None = None
        self._ahead: Spoken | None = None
        self._heard: Samples | None = None  # of the pause that is open, with its silence
        self._ended_at: int | None = None  # the sample
        self._went_on = False  # speech that began right after an end
        self._judging: NewestOnly[Spoken] = NewestOnly()
        self._under_way: set[asyncio.Task[str]] = set()  # transcriptions
        self._transcribing = asyncio.Lock()

    def expects(self, spoken: Spoken) -> bool:
        """Return whether ``spoken``, of a pause, will have been said if the pause lasts."""
        return self._ahead is spoken

    def ahead(self) -> list[Spoken]:
        """The segment of a pause, transcribed before speech is known to have ended; at most one."""
        return [self._ahead] if self._ahead else []

    def open_speech(self) -> tuple[Segment, float] | None:
        """Return the speech that is open and its milliseconds of voice; None in silence.

        Not to be called while `push` or `flush` is under way.
        """
        if self._input is None:
            return None
        segment = self._input.segmenter.open_segment()
        return None if segment is None else (segment, self._input.segmenter.spoken_ms)

    async def read(self, segment: Segment) -> str:
        """Return the text of ``segment``, beside the transcriptions that are under way."""
        assert self._input is not None  # noqa: S101 - the segment came through it
        transcriber = self._input.transcriber
        return await self._workers.run(
            Stage.TRANSCRIBER, lambda: transcriber.transcribe(segment.samples)
        )

    async def confidence(self, segment: Segment, text: str) -> Confidence | None:
        """Return how sure the transcriber is of ``text``, which it wrote of ``segment``."""
        assert self._input is not None  # noqa: S101 - the segment came through it
        transcriber = self._input.transcriber
        return await self._workers.run(
            Stage.TRANSCRIBER, lambda: transcriber.confidence(segment.samples, text)
        )

    async def judge(self, spoken: Spoken) -> None:
        """Ask how much silence is to end the turn, in the pause after ``spoken``.

        Does nothing where silence alone decides. One question of a session at a time, the newest:
        where many wait for the detector, those whose pause is over meanwhile are not put to it.
        Raises EngineError when the detector fails.
        """
        await self._judging.do(spoken, self._judge)

    async def _judge(self, spoken: Spoken) -> None:
        if (speech := self._input) is None or (detector := speech.turn_detector) is None:
            return
        judge = detector.probability

        def ask() -> float | None:
            heard = self._heard if self.expects(spoken) else None
            return None if heard is None else judge(heard)

        if self._workers.running(Stage.TRANSCRIBER) > 1:
            await asyncio.shield(spoken.text)  # others wait: no judgement is needed before the text
        probability, text = await asyncio.gather(
            self._workers.run(Stage.TURN_DETECTOR, ask), asyncio.shield(spoken.text)
        )
        if probability is not None and self.expects(spoken):
            silence_ms = silence_for(probability, text, went_on=self._went_on)
            speech.segmenter.wait(spoken.segment, silence_ms)

    async def push(self, data: bytes, sample_rate: int) -> list[SpokenEvent]:
        """The speech events that ``data`` brings. PCM16 mono at ``sample_rate`` Hz.

        ``data`` lasts a second at most (`pieces_of`). Raises EngineError when detector or
        transcriber cannot be loaded.
        """
        if self._input is None:
            self._input = await self._load()
        segmenter = self._input.segmenter
        if segmenter.buffered(data, sample_rate):
            return []
        events = await self._workers.run(Stage.DETECTOR, lambda: segmenter.push(data, sample_rate))
        told = self._transcribed(events)
        await self._catch_up()
        return told

    async def _catch_up(self) -> None:
        """Wait while the transcriber is far behind, and the client with it."""
        while len(self._under_way) > _SEGMENTS_AHEAD:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def flush(self) -> list[SpokenEvent]:
        """The stream pauses: speech that is open ends here."""
        if self._input is None:
            return []
        return self._transcribed(
            await self._workers.run(Stage.DETECTOR, self._input.segmenter.flush)
        )

    def close(self) -> None:
        """Let the detector go now: its memory is native, and no garbage collector sees to it."""
        self._input = None

    def _transcribed(self, events: list[SegmentEvent]) -> list[SpokenEvent]:
        told: list[SpokenEvent] = []
        for (event, segment), following in zip_longest(events, events[1:]):
            match event:
                case SpeechStarted(sample):
                    since = None if self._ended_at is None else sample - self._ended_at
                    self._went_on = since is not None and since <= WENT_ON_S * INPUT_SAMPLE_RATE
                    told.append((event, None))
                case SpeechPaused():
                    resumes = following is not None and isinstance(following[0], SpeechResumed)
                    if segment is not None and not resumes:
                        self._ahead = self._transcribe(segment, final=True)
                        self._heard = segment.samples
                        told.append((event, self._ahead))
                case PauseLasts():
                    if segment is not None and self._ahead is not None:
                        self._heard = segment.samples
                        told.append((event, self._ahead))
                case SpeechResumed():
                    self._ahead = self._heard = None
                    told.append((event, None))
                case SpeechCut():
                    told.append((event, self._close_segment(segment, final=False)))
                case SpeechEnded(sample=sample):
                    self._ended_at = sample
                    told.append((event, self._close_segment(segment, final=True)))
        return told

    def _close_segment(self, segment: Segment | None, *, final: bool) -> Spoken | None:
        ahead, self._ahead, self._heard = self._ahead, None, None
        if segment is None:
            return None
        if ahead is not None and ahead.segment.end_s == segment.end_s:
            return ahead
        return self._transcribe(segment, final=final)

    def _transcribe(self, segment: Segment, *, final: bool) -> Spoken:
        assert self._input is not None  # noqa: S101 - the segment came through it
        text = asyncio.create_task(self._text_of(segment.samples, self._input.transcriber))
        self._under_way.add(text)
        text.add_done_callback(self._under_way.discard)
        return Spoken(segment, text, final)

    async def _text_of(self, samples: Samples, transcriber: Transcriber) -> str:
        """Transcribe one segment at a time: others' segments get their turn in between."""
        async with self._transcribing:
            text = await self._workers.run(
                Stage.TRANSCRIBER, lambda: transcriber.transcribe(samples)
            )
            return without_loops(text)
