"""The ears of one session: audio messages in, segments of speech out.

Resamples to 16 kHz, asks the detector frame by frame, and keeps on tape what the endpointer may
still want. `hear` computes (0.3 ms a frame) and belongs in a worker thread; calls must not overlap.
"""

from dataclasses import dataclass

import numpy as np

from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.audio.resampler import Resampler
from live_cli.engine.speech_in.endpointer import (
    Endpointer,
    EndpointingRules,
    SpeechCut,
    SpeechEnded,
    SpeechEvent,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from live_cli.engine.stages import SpeechDetector
from live_cli.sample_rates import INPUT_SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Speech to transcribe; times count from the start of the session's audio."""

    samples: Samples
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Started:
    """The user began to speak."""

    at_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Paused:
    """The segment, should the pause turn out to be its end."""

    segment: Segment


@dataclass(frozen=True, slots=True)
class Resumed:
    """It did not."""


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """A segment is over, or, when not ``final``, a part of it. None: it was only noise."""

    segment: Segment | None
    final: bool
    at_s: float


Heard = Started | Paused | Resumed | Ended


class SampleBuffer:
    """The last samples of a stream, addressed by their index since its start."""

    def __init__(self) -> None:
        self._store = np.zeros(INPUT_SAMPLE_RATE, np.float32)
        self._origin = 0  # the index of the first sample kept
        self._length = 0

    @property
    def end(self) -> int:
        return self._origin + self._length

    def append(self, samples: Samples) -> None:
        needed = self._length + len(samples)
        if needed > len(self._store):
            grown = np.zeros(2 * needed, np.float32)
            grown[: self._length] = self._store[: self._length]
            self._store = grown
        self._store[self._length : needed] = samples
        self._length = needed

    def between(self, start: int, end: int) -> Samples:
        """A copy of samples ``start`` to ``end``."""
        return self._store[max(0, start - self._origin) : end - self._origin].copy()

    def forget_before(self, index: int) -> None:
        """What lies before ``index`` is not wanted any more; moved only when it pays."""
        stale = index - self._origin
        if stale >= INPUT_SAMPLE_RATE:
            kept = self._store[stale : self._length].copy()
            self._store[: len(kept)] = kept
            self._origin, self._length = index, len(kept)


class Segmenter:
    """One stream of audio, at any rate, of one session; messages may part it within a sample."""

    def __init__(self, detector: SpeechDetector, rules: EndpointingRules) -> None:
        self._detector = detector
        self._frame = detector.frame_samples
        self._endpointer = Endpointer(rules, self._frame, INPUT_SAMPLE_RATE)
        self._tape = SampleBuffer()
        self._rate = INPUT_SAMPLE_RATE
        self._resampler: Resampler | None = None
        self._waiting = b""

    def takes_along(self, data: bytes, sample_rate: int) -> bool:
        """True when ``data`` was only put by, because it does not fill a frame yet: no thread."""
        if sample_rate != self._rate or self._resampler is not None:
            return False
        pending = (len(self._waiting) + len(data)) // 2 + self._tape.end - self._endpointer.position
        if pending >= self._frame:
            return False
        self._waiting += data
        return True

    def hear(self, data: bytes, sample_rate: int) -> list[Heard]:
        """PCM16 mono at ``sample_rate``; what it brought, in order."""
        heard: list[Heard] = []
        if sample_rate != self._rate:
            heard += self._change_rate(sample_rate)
        data = self._waiting + data
        whole = len(data) // 2 * 2
        samples, self._waiting = float_from_pcm16(data[:whole]), data[whole:]
        if self._resampler is not None:
            samples = self._resampler.process(samples)
        return heard + self._listen(samples)

    def flush(self) -> list[Heard]:
        """The stream pauses: what is open ends now. Audio may go on any time."""
        heard = self.hear(b"", self._rate)
        self._waiting = b""
        if self._resampler is not None:
            heard += self._listen(self._resampler.flush())
        missing = -(self._tape.end - self._endpointer.position) % self._frame
        heard += self._listen(np.zeros(missing, np.float32))
        heard += self._told(self._endpointer.flush())
        self._detector.reset()
        return heard

    def open_segment(self) -> Segment | None:
        """What is being said, as far as it was heard; None when nobody speaks."""
        start = self._endpointer.speaking_from
        return None if start is None else self._segment(start, self._endpointer.position)

    def _change_rate(self, sample_rate: int) -> list[Heard]:
        data, self._waiting = self._waiting, b""
        samples = float_from_pcm16(data)
        if self._resampler is not None:
            samples = np.concatenate([self._resampler.process(samples), self._resampler.flush()])
        heard = self._listen(samples)
        self._rate = sample_rate
        same = sample_rate == INPUT_SAMPLE_RATE
        self._resampler = None if same else Resampler(sample_rate, INPUT_SAMPLE_RATE)
        return heard

    def _listen(self, samples: Samples) -> list[Heard]:
        self._tape.append(samples)
        heard: list[Heard] = []
        while (at := self._endpointer.position) + self._frame <= self._tape.end:
            frame = self._tape.between(at, at + self._frame)
            probability = self._detector.probability(frame)
            heard += self._told(self._endpointer.push(probability, float(np.dot(frame, frame))))
            self._tape.forget_before(self._endpointer.keep_from)
        return heard

    def _told(self, events: list[SpeechEvent]) -> list[Heard]:
        return [self._heard(event) for event in events]

    def _heard(self, event: SpeechEvent) -> Heard:
        match event:
            case SpeechStarted(sample):
                return Started(sample / INPUT_SAMPLE_RATE)
            case SpeechPaused(start, end):
                return Paused(self._segment(start, end))
            case SpeechResumed():
                return Resumed()
            case SpeechCut(start, end, worth) | SpeechEnded(start, end, worth):
                segment = self._segment(start, end) if worth else None
                final = isinstance(event, SpeechEnded)
                return Ended(segment, final, self._endpointer.position / INPUT_SAMPLE_RATE)

    def _segment(self, start: int, end: int) -> Segment:
        rate = INPUT_SAMPLE_RATE
        return Segment(self._tape.between(start, end), start / rate, end / rate)
