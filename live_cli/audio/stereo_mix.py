"""Mixes timed blocks of microphone and model into one continuous stereo sound.

Theory: both sides say when each block passed its device, on one clock (`stream_clock.py`); a
track is a grid of samples that begins at the start of the mix, and a block's time is its place in
the grid. Times are not exact to the sample, so a block that comes within 10 ms of the end of the
one before is put right behind it: nothing is torn apart by rounding, and a drift becomes a step of
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
    """One side of the mix: a grid of samples from time 0, taken from its beginning on."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._held: Samples = np.zeros(0, dtype=np.float32)
        self._behind_last: int | None = None
        self.taken = 0
        """Samples that `take` has returned."""
        self.lost_samples = 0
        """Samples that came after their place had been taken."""

    @property
    def end(self) -> int:
        """Index behind the last sample known."""
        return self.taken + self._held.size

    def place(self, samples: Samples, at_s: float) -> float:
        """Write ``samples`` from ``at_s`` on; returns the second where they are put."""
        begin = round(at_s * self._rate)
        last = self._behind_last
        if last is not None and abs(begin - last) <= _NEAR_S * self._rate:
            begin = last
        if begin > self.end + _LONGEST_AHEAD_S * self._rate and self.end > self.taken:
            self.lost_samples += samples.size  # a time this far ahead is wrong, and costs memory
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
        """Return the samples before ``until`` that are not taken yet, silence where none is."""
        size = max(0, until - self.taken)
        taken = np.zeros(size, dtype=np.float32)
        known = self._held[:size]
        taken[: known.size] = known
        self._held = self._held[size:].copy()
        self.taken += size
        return taken


class TimeMap:
    """Maps the seconds of a stream to seconds of the recording, where parts may be missing."""

    def __init__(self) -> None:
        self._runs: list[tuple[float, float, float]] = []
        """(position, time, length) of each run without a break, in the order of the stream."""

    def note(self, position_s: float, length_s: float, at_s: float) -> None:
        """Add ``length_s`` of the stream from ``position_s`` on, which are at ``at_s``."""
        if self._runs:
            position, at, length = self._runs[-1]
            if abs(at + length - at_s) < _NEAR_S and abs(position + length - position_s) < _NEAR_S:
                self._runs[-1] = (position, at, length + length_s)
                return
        self._runs.append((position_s, at_s, length_s))

    @property
    def end_s(self) -> float:
        """Position behind the last one noted; 0 for an empty stream."""
        return self._runs[-1][0] + self._runs[-1][2] if self._runs else 0.0

    def at(self, position_s: float) -> float | None:
        """Return the time of ``position_s``, None for an empty stream.

        Between two runs it is when the next one begins, after the last one when that ends.
        """
        for position, at, length in self._runs:
            if position_s <= position + length:
                return at + max(0.0, position_s - position)
        return self._runs[-1][1] + self._runs[-1][2] if self._runs else None


class StereoMix:
    """Mixes what was sent (left) and what was played (right) into one sound from ``start`` on.

    ``start`` and the times of `sent`, `played` and `take` are on one clock, in seconds. The time
    maps and ``speech`` count seconds from ``start``.
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
        """When the user spoke."""
        self.sent_places = TimeMap()
        """Of the sound sent, without the pauses in it."""
        self.turn_places: dict[int, TimeMap] = {}
        """Of the sound of each turn played."""

    def sent(self, pcm16: bytes, ends_at: float) -> None:
        """Add PCM16 at 16 kHz that was sent; its last sample passed the microphone ``ends_at``."""
        samples = float_from_pcm16(pcm16)
        length_s = samples.size / INPUT_SAMPLE_RATE
        at_s = self._microphone.place(samples, ends_at - length_s - self._start)
        self.sent_places.note(self._sent_s, length_s, at_s)
        self._sent_s += length_s
        self.speech.push(samples, at_s)

    def played(self, block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        """Add a block at 24 kHz that begins to sound ``at``, with the spans of turns in it."""
        self._played_clock.note(self._played_s, at)
        at_s = self._played_clock.at(self._played_s) - self._start
        self._played_s += block.size / OUTPUT_SAMPLE_RATE
        at_s = self._model.place(block, at_s)
        for span in spans:
            places = self.turn_places.setdefault(span.turn, TimeMap())
            sounds_at_s = at_s + span.offset / OUTPUT_SAMPLE_RATE
            position_s = span.position / OUTPUT_SAMPLE_RATE
            places.note(position_s, span.length / OUTPUT_SAMPLE_RATE, sounds_at_s)

    def take(self, until: float) -> npt.NDArray[np.float32]:
        """Return the sound before ``until`` that is not taken yet, shape (n, 2) at 24 kHz."""
        ticks = max(0, int((until - self._start) * 50))
        return self._take(ticks)

    def rest(self) -> npt.NDArray[np.float32]:
        """Return the sound that is left, to the end of the longer side, shape (n, 2)."""
        ends_s = (self._microphone.end / INPUT_SAMPLE_RATE, self._model.end / OUTPUT_SAMPLE_RATE)
        stereo = self._take(int(max(ends_s) * 50) + 1)
        self._left = np.concatenate((self._left, self._resampler.flush()))
        return np.concatenate((stereo, self._joined()))

    def _take(self, ticks: int) -> npt.NDArray[np.float32]:
        """Return the sound before ``ticks`` of 20 ms: whole samples at both rates."""
        left = self._resampler.process(self._microphone.take(ticks * (INPUT_SAMPLE_RATE // 50)))
        self._left = np.concatenate((self._left, left))
        right = self._model.take(ticks * (OUTPUT_SAMPLE_RATE // 50))
        self._right = np.concatenate((self._right, right))
        return self._joined()

    def _joined(self) -> npt.NDArray[np.float32]:
        size = min(self._left.size, self._right.size)
        stereo = np.stack((self._left[:size], self._right[:size]), axis=1)
        self._left, self._right = self._left[size:], self._right[size:]
        return stereo

    @property
    def lost_s(self) -> float:
        """Seconds of sound that came after their place had been taken."""
        lost_of_sent_s = self._microphone.lost_samples / INPUT_SAMPLE_RATE
        return lost_of_sent_s + self._model.lost_samples / OUTPUT_SAMPLE_RATE
