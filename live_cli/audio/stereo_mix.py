"""Microphone and model side by side: timed blocks of both become one continuous stereo sound.

Theory: both sides say when each block passed its device, on one clock (`stream_clock.py`); a
track is a grid of samples that begins at the tape's start, and a block's time is its place in the
grid. Times are not exact to the sample, so a block that comes within 10 ms of the end of the one
before is put right behind it: nothing is torn apart by rounding, and a drift becomes a step of
10 ms now and then. What no block covers is silence: a muted microphone, a model that listens.
Blocks come late by the latency of their side, and a talk key brings 300 ms from before it; so what
is asked for (`take`) should lie a second or two back. What comes later than that is lost, counted.

Left the microphone as it was sent, right the model as it was played, at 24 kHz, the model's rate.
"""

import numpy as np
import numpy.typing as npt

from live_cli.audio.levels import SpeechRuns
from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.audio.playback.playout import Span
from live_cli.audio.resampler import Resampler
from live_cli.audio.stream_clock import StreamClock
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE

_NEAR_S = 0.01
_LONGEST_AHEAD_S = 10.0


class Track:
    """One side: a grid of samples from time 0, of which the part before `taken` has been taken."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._held: Samples = np.zeros(0, dtype=np.float32)
        self._behind_last: int | None = None
        self.taken = 0
        self.lost_samples = 0

    @property
    def end(self) -> int:
        """The sample behind the last one that is known."""
        return self.taken + self._held.size

    def place(self, samples: Samples, at_s: float) -> float:
        """Put ``samples`` where they begin to sound; returns where that is, in seconds."""
        begin = round(at_s * self._rate)
        last = self._behind_last
        if last is not None and abs(begin - last) <= _NEAR_S * self._rate:
            begin = last
        if begin > self.end + _LONGEST_AHEAD_S * self._rate and self.end > self.taken:
            self.lost_samples += samples.size  # a clock gone mad: not worth the memory
            return at_s
        self._behind_last = begin + samples.size
        late = min(samples.size, max(0, self.taken - begin))
        self.lost_samples += late
        self._write(samples[late:], begin + late - self.taken)
        return begin / self._rate

    def _write(self, samples: Samples, offset: int) -> None:
        missing = offset + samples.size - self._held.size
        if samples.size and missing > 0:
            more = np.zeros(missing, dtype=np.float32)
            self._held = np.concatenate((self._held, more))
        self._held[offset : offset + samples.size] = samples

    def take(self, until: int) -> Samples:
        """Everything up to sample ``until`` that has not been taken, silence where nothing is."""
        size = max(0, until - self.taken)
        taken = np.zeros(size, dtype=np.float32)
        known = self._held[:size]
        taken[: known.size] = known
        self._held = self._held[size:].copy()
        self.taken += size
        return taken


class TimeMap:
    """Where in the recording each second of a stream is, of which parts may be missing."""

    def __init__(self) -> None:
        self._runs: list[tuple[float, float, float]] = []
        """(position, time, length): the stream in its order, runs without a break."""

    def note(self, position_s: float, length_s: float, at_s: float) -> None:
        """``length_s`` of the stream from ``position_s`` on are at ``at_s``."""
        if self._runs:
            position, at, length = self._runs[-1]
            if abs(at + length - at_s) < _NEAR_S and abs(position + length - position_s) < _NEAR_S:
                self._runs[-1] = (position, at, length + length_s)
                return
        self._runs.append((position_s, at_s, length_s))

    @property
    def end_s(self) -> float:
        """The position behind the last one noted; 0 for an empty stream."""
        return self._runs[-1][0] + self._runs[-1][2] if self._runs else 0.0

    def at(self, position_s: float) -> float | None:
        """When ``position_s`` is; between two runs, when the next begins; None: nothing noted."""
        for position, at, length in self._runs:
            if position_s <= position + length:
                return at + max(0.0, position_s - position)
        return self._runs[-1][1] + self._runs[-1][2] if self._runs else None


class StereoMix:
    """What was sent and what was played, as one stereo sound that begins at ``start``.

    ``start`` and all times are on the clock that the blocks' times are on; what is given back
    counts seconds from ``start``.
    """

    def __init__(self, start: float) -> None:
        self._start = start
        self._microphone = Track(INPUT_SAMPLE_RATE)
        self._model = Track(OUTPUT_SAMPLE_RATE)
        self._played_clock = StreamClock()
        self._played_s = self._sent_s = 0.0
        self._resampler = Resampler(INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE)
        self._left: Samples = np.zeros(0, dtype=np.float32)
        self._right: Samples = np.zeros(0, dtype=np.float32)
        self.speech = SpeechRuns(INPUT_SAMPLE_RATE)
        self.sent_places = TimeMap()
        self.turn_places: dict[int, TimeMap] = {}

    def sent(self, pcm16: bytes, ends_at: float) -> None:
        """Sound that went to the server, PCM16 at 16 kHz, the last sample heard ``ends_at``."""
        samples = float_from_pcm16(pcm16)
        length_s = samples.size / INPUT_SAMPLE_RATE
        at_s = self._microphone.place(samples, ends_at - length_s - self._start)
        self.sent_places.note(self._sent_s, length_s, at_s)
        self._sent_s += length_s
        self.speech.push(samples, at_s)

    def played(self, block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        """A block of the speaker's, 24 kHz, which begins to sound ``at``; ``spans`` are in it."""
        self._played_clock.note(self._played_s, at)
        at_s = self._played_clock.at(self._played_s) - self._start
        self._played_s += block.size / OUTPUT_SAMPLE_RATE
        at_s = self._model.place(block, at_s)
        for span in spans:
            places = self.turn_places.setdefault(span.turn, TimeMap())
            sounds_at_s = at_s + span.offset / OUTPUT_SAMPLE_RATE
            places.note(
                span.position / OUTPUT_SAMPLE_RATE, span.length / OUTPUT_SAMPLE_RATE, sounds_at_s
            )

    def take(self, until: float) -> npt.NDArray[np.float32]:
        """The stereo sound up to ``until`` that has not been taken, shape (n, 2)."""
        ticks = max(0, int((until - self._start) * 50))
        return self._take(ticks)

    def rest(self) -> npt.NDArray[np.float32]:
        """All that is left, to the end of the longer side."""
        ends_s = (self._microphone.end / INPUT_SAMPLE_RATE, self._model.end / OUTPUT_SAMPLE_RATE)
        stereo = self._take(int(max(ends_s) * 50) + 1)
        self._left = np.concatenate((self._left, self._resampler.flush()))
        return np.concatenate((stereo, self._joined()))

    def _take(self, ticks: int) -> npt.NDArray[np.float32]:
        """``ticks`` of 20 ms from the start: whole numbers of samples at both rates."""
        left = self._resampler.process(self._microphone.take(ticks * (INPUT_SAMPLE_RATE // 50)))
        self._left = np.concatenate((self._left, left))
        self._right = np.concatenate(
            (self._right, self._model.take(ticks * (OUTPUT_SAMPLE_RATE // 50)))
        )
        return self._joined()

    def _joined(self) -> npt.NDArray[np.float32]:
        size = min(self._left.size, self._right.size)
        stereo = np.stack((self._left[:size], self._right[:size]), axis=1)
        self._left, self._right = self._left[size:], self._right[size:]
        return stereo

    @property
    def lost_s(self) -> float:
        """Seconds of sound that came too late to be put in its place."""
        return (
            self._microphone.lost_samples / INPUT_SAMPLE_RATE
            + self._model.lost_samples / OUTPUT_SAMPLE_RATE
        )
