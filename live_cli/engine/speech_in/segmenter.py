"""The segmenter of one stream: audio of any rate in, speech events with their segments out.

Resamples to 16 kHz, asks the detector window by window, and keeps the samples that the endpointer
may still want. `push` computes (0.3 ms a window) and belongs in a worker thread, with a second of
sound at a time (`pieces_of`); calls must not overlap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from live_cli.audio.noise.denoised_stream import WARM_UP
from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.audio.resampler import Resampler
from live_cli.audio.sample_buffer import SampleBuffer
from live_cli.engine.speech_in.endpointer import (
    PAUSE_MS,
    Endpointer,
    EndpointingRules,
    PauseLasts,
    SpeechCut,
    SpeechEnded,
    SpeechEvent,
    SpeechPaused,
)
from live_cli.engine.speech_in.noise_reduction import NoiseReduction
from live_cli.engine.stages import SpeechDetector
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_SILENCE_AFTER_MS = 300
"""At the end of a segment whose pause was told early. Transcribers hear by the silence that follows
whether a sentence is over, and write a comma where there is too little."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Speech to transcribe, mono at 16 kHz; times count from the start of the session's audio.

    ``noisy``: its background is loud, and ``samples`` are denoised.
    """

    samples: Samples
    start_s: float
    end_s: float
    noisy: bool = False

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s

    def without_samples(self) -> "Segment":
        """Return the times alone, for a segment that is transcribed: a second takes 64 kB."""
        return replace(self, samples=self.samples[:0].copy())


SegmentEvent = tuple[SpeechEvent, Segment | None]
"""A speech event and the segment that it bounds; None where it bounds none, or only noise."""


def pieces_of(data: bytes, sample_rate: int) -> Iterator[bytes]:
    """Yield PCM16 mono at ``sample_rate`` Hz in pieces of a second at most.

    Sessions share the threads that look for speech, and whoever waits for one waits for the piece
    that is in it: a second is 10 ms, a message of 16 MB would be three.
    """
    step = 2 * sample_rate
    if len(data) <= step:
        yield data
        return
    for start in range(0, len(data), step):
        yield data[start : start + step]


class Segmenter:
    """Cuts one stream of audio into segments of speech; a message may end within a sample.

    ``noise``: takes the noise out of the segments that are noisy; None leaves it in.
    """

    def __init__(
        self,
        detector: SpeechDetector,
        rules: EndpointingRules,
        noise: NoiseReduction | None = None,
    ) -> None:
        self._detector = detector
        self._noise = noise
        self._window = detector.window_samples
        self._endpointer = Endpointer(rules, self._window, INPUT_SAMPLE_RATE)
        missing_ms = _SILENCE_AFTER_MS - rules.pause_ms if rules.pause_ms < PAUSE_MS else 0
        self._silence_after = np.zeros(missing_ms * INPUT_SAMPLE_RATE // 1000, np.float32)
        self._samples = SampleBuffer()
        self._rate = INPUT_SAMPLE_RATE
        self._resampler: Resampler | None = None
        self._waiting = b""

    def buffered(self, data: bytes, sample_rate: int) -> bool:
        """Keep ``data`` for the next `push` where that completes no window; True: it was kept.

        Cheap, and so done without a worker thread.
        """
        if sample_rate != self._rate or self._resampler is not None:
            return False
        waiting = (len(self._waiting) + len(data)) // 2
        if waiting + self._samples.end - self._endpointer.position >= self._window:
            return False
        self._waiting += data
        return True

    def push(self, data: bytes, sample_rate: int) -> list[SegmentEvent]:
        """The speech events that ``data`` brings, in order. PCM16 mono at ``sample_rate`` Hz."""
        events: list[SegmentEvent] = []
        if sample_rate != self._rate:
            events += self._change_rate(sample_rate)
        data = self._waiting + data
        whole = len(data) // 2 * 2
        samples, self._waiting = float_from_pcm16(data[:whole]), data[whole:]
        if self._resampler is not None:
            samples = self._resampler.process(samples)
        return events + self._detect(samples)

    def flush(self) -> list[SegmentEvent]:
        """The stream pauses: speech that is open ends now. Audio may go on any time."""
        events = self.push(b"", self._rate)
        self._waiting = b""
        if self._resampler is not None:
            events += self._detect(self._resampler.flush())
        missing = -(self._samples.end - self._endpointer.position) % self._window
        events += self._detect(np.zeros(missing, np.float32))
        if self._noise is not None:
            self._noise.finish(self._samples)
            events += self._detect(np.zeros(0, np.float32))
        events += self._with_segments(self._endpointer.flush())
        self._detector.reset()
        return events

    def wait(self, pause: Segment, silence_ms: int) -> None:
        """End the pause that bounds ``pause`` after ``silence_ms`` of silence, counted from speech.

        Does nothing once that pause is over.
        """
        self._endpointer.wait(round(pause.end_s * INPUT_SAMPLE_RATE), silence_ms)

    def open_segment(self) -> Segment | None:
        """The speech that is open, up to the last window; None in silence."""
        start = self._endpointer.speaking_from
        if start is None:
            return None
        return self._segment(start, self._endpointer.position, goes_on=True)

    @property
    def spoken_ms(self) -> float:
        """From the onset of the speech that is open to the last voice in it; 0 in silence."""
        return self._endpointer.voiced_samples * 1000 / INPUT_SAMPLE_RATE

    def _change_rate(self, sample_rate: int) -> list[SegmentEvent]:
        data, self._waiting = self._waiting, b""
        samples = float_from_pcm16(data)
        if self._resampler is not None:
            samples = np.concatenate([self._resampler.process(samples), self._resampler.flush()])
        events = self._detect(samples)
        self._rate = sample_rate
        same = sample_rate == INPUT_SAMPLE_RATE
        self._resampler = None if same else Resampler(sample_rate, INPUT_SAMPLE_RATE)
        return events

    def _detect(self, samples: Samples) -> list[SegmentEvent]:
        self._samples.append(samples)
        self._follow_noise(samples)
        events: list[SegmentEvent] = []
        while (at := self._endpointer.position) + self._window <= self._samples.end:
            window = self._detectable(at, at + self._window)
            if window is None:
                break
            level = float(np.dot(window, window))
            speech = self._endpointer.push(self._detector.probability(window), level)
            events += self._with_segments(speech)
            self._forget()
        return events

    def _follow_noise(self, new: Samples) -> None:
        if self._noise is not None:
            self._noise.follow(
                self._samples, new, self._endpointer.keep_from, is_open=self._endpointer.is_open
            )

    def _detectable(self, start: int, end: int) -> Samples | None:
        if self._noise is None:
            return self._samples.between(start, end)
        return self._noise.detectable(self._samples, start, end)

    def _forget(self) -> None:
        keep_from = self._endpointer.keep_from
        if self._noise is None:
            self._samples.forget_before(keep_from)
        else:
            self._samples.forget_before(keep_from - WARM_UP)
            self._noise.forget_before(keep_from)

    def _with_segments(self, events: list[SpeechEvent]) -> list[SegmentEvent]:
        return [(event, self._bounded_by(event)) for event in events]

    def _bounded_by(self, event: SpeechEvent) -> Segment | None:
        match event:
            case SpeechPaused(start, end) | SpeechEnded(start, end, True):
                segment = self._segment(start, end)
                samples = np.concatenate([segment.samples, self._silence_after])
                return replace(segment, samples=samples)
            case PauseLasts(start, _, sample):
                return self._segment(start, sample)
            case SpeechCut(start, end, True):
                return self._segment(start, end)
        return None

    def _segment(self, start: int, end: int, *, goes_on: bool = False) -> Segment:
        rate = INPUT_SAMPLE_RATE
        denoised = None
        if self._noise is not None:
            denoise = self._noise.denoised_so_far if goes_on else self._noise.denoised
            denoised = denoise(self._samples, start, end)
        samples = self._samples.between(start, end) if denoised is None else denoised
        return Segment(samples, start / rate, end / rate, denoised is not None)
