"""From speech probabilities to segments of speech. Pure; counts samples, never asks the time.

A window is what the detector judges at a time: 512 samples at 16 kHz, 32 ms.

Theory of operation
-------------------
Two states, QUIET and OPEN, with hysteresis (as in Silero's VADIterator):

    QUIET ── enough windows at or above the start threshold ─> OPEN     SpeechStarted
    OPEN  ── pause_ms of silence ──> (still OPEN, paused)               SpeechPaused
    OPEN  ── every 300 ms more, if wanted ──> (still OPEN, paused)      PauseLasts
    OPEN  ── speech again while paused ──> OPEN                         SpeechResumed
    OPEN  ── silence_ms of silence ──> QUIET                            SpeechEnded
    OPEN  ── 15 s long ──> OPEN, the part before the quietest point     SpeechCut

Silence starts with a window below the end threshold and lasts until a window reaches the start
threshold; what lies between the two does not change its mind. A segment begins 300 ms before the
speech that opened it (onsets are quiet) and ends ``pause_ms`` after the last speech in it. The
bounds of SpeechPaused are those the segment will have if it ends there, so that what was
transcribed at the pause is what would be transcribed at the end.

Who has reason to believe that the turn is over, or is not, says in a pause how much silence is to
end it (`wait`); that holds for this pause alone.

Noise opens a segment now and then. One with less than 200 ms of windows that are really speech is
closed as ``worth_transcribing=False`` and never announced as paused: transcribers make words of
noise.
"""

from dataclasses import dataclass

LOOK_BACK_MS = 300
PAUSE_MS = 200
EARLY_PAUSE_MS = 64
"""Two windows. The detector goes on for about a tenth of a second after the last sound, so that
this is silence of a sixth of a second."""
ASK_AGAIN_MS = 300
REAL_SPEECH_MS = 200
LONGEST_MS = 15_000
_QUIET_WINDOWS = 5  # 160 ms: a pause between words, not the closure of a consonant


@dataclass(frozen=True, slots=True)
class EndpointingRules:
    """The four options of a client, two sensitivities as thresholds and two times; who is told."""

    start_threshold: float = 0.5
    end_threshold: float = 0.35
    prefix_padding_ms: int = 96
    """Speech needed before a start is believed."""
    silence_ms: int = 500
    """Silence needed before an end is believed; the local default (reference: 500 to 800)."""
    pause_ms: int = PAUSE_MS
    """Silence that is told as a pause: where somebody waits for an answer, `EARLY_PAUSE_MS`."""
    retells_pauses: bool = False
    """Somebody judges pauses, and is told again while one lasts."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user began to speak. ``sample``: the onset, without look-back."""

    sample: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The open segment may end here: the bounds that it would have, ``end`` exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PauseLasts:
    """The pause told with these bounds goes on; ``sample``: the position of the stream."""

    start: int
    end: int
    sample: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """Speech goes on after a pause: the bounds told with the pause do not hold."""


@dataclass(frozen=True, slots=True)
class SpeechCut:
    """The first part of a long segment, which goes on at ``end``."""

    start: int
    end: int
    worth_transcribing: bool


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A whole segment, or the last part of a cut one. ``end`` is exclusive.

    ``sample``: the position of the stream when the end was decided on, after the silence.
    """

    start: int
    end: int
    worth_transcribing: bool
    sample: int


SpeechEvent = SpeechStarted | SpeechPaused | PauseLasts | SpeechResumed | SpeechCut | SpeechEnded
"""What the endpointer tells of a stream; positions count samples from the start of the stream.

The segmenter tells the same events with the sound of their segments beside them, the listener with
the transcriptions of these.
"""


@dataclass(frozen=True, slots=True)
class _Window:
    voiced: bool
    level: float


class Endpointer:
    """Endpointing of one stream: windows of ``window_samples`` at ``sample_rate`` Hz."""

    def __init__(self, rules: EndpointingRules, window_samples: int, sample_rate: int) -> None:
        self._rules = rules
        self._window_samples = window_samples
        self._rate = sample_rate
        self._open = False
        self.position = 0
        """Samples taken so far."""
        self._floor = 0  # no segment reaches back before this: it belongs to the last one
        self._start = 0
        self._onset = 0
        self._candidate: int | None = None
        self._candidate_samples = 0
        self._voice_end = 0
        self._silence_from: int | None = None
        self._paused = False
        self._silence_ms = rules.silence_ms  # that ends the pause which is open
        self._ask_at = 0
        self._windows: list[_Window] = []  # of the open segment, from self._windows_from on
        self._windows_from = 0

    @property
    def keep_from(self) -> int:
        """The first sample that a coming segment may still include."""
        if self._open:
            return self._start
        reached = self.position if self._candidate is None else self._candidate
        return max(self._floor, reached - self._samples(LOOK_BACK_MS))

    @property
    def is_open(self) -> bool:
        return self._open

    @property
    def speaking_from(self) -> int | None:
        """The first sample of the open segment; None in a pause, and while it may be noise."""
        return self._start if self._open and not self._paused and self._is_real() else None

    @property
    def voiced_samples(self) -> int:
        """Samples from the onset of the speech that is open to the last voice in it."""
        return self._voice_end - self._onset if self._open else 0

    def wait(self, pause_end: int, silence_ms: int) -> None:
        """End the pause told with the bound ``pause_end`` after ``silence_ms`` of silence in all.

        A pause that is over, or another one, is left as it is.
        """
        if self._paused and self._tail() == pause_end:
            self._silence_ms = silence_ms

    def push(self, probability: float, level: float) -> list[SpeechEvent]:
        """Take the next window: how likely it is speech, and how loud (any monotonous scale)."""
        at = self.position
        self.position += self._window_samples
        if not self._open:
            return self._wait_for_speech(at, probability, level)
        voiced = probability >= self._rules.start_threshold
        self._windows.append(_Window(voiced, level))
        events = self._voice() if voiced else self._silence(at, probability)
        if self._open and self.position - self._start >= self._samples(LONGEST_MS):
            events += self._cut()
        return events

    def flush(self) -> list[SpeechEvent]:
        """The stream stops here: an open segment ends."""
        self._candidate = None
        events: list[SpeechEvent] = [self._end()] if self._open else []
        self._floor = self.position  # what comes next is another stream
        return events

    def _samples(self, ms: int) -> int:
        return ms * self._rate // 1000

    def _wait_for_speech(self, at: int, probability: float, level: float) -> list[SpeechEvent]:
        if probability >= self._rules.start_threshold:
            if self._candidate is None:
                self._candidate, self._candidate_samples, self._windows = at, 0, []
            self._candidate_samples += self._window_samples
            self._windows.append(_Window(True, level))
        elif self._candidate is not None:
            if probability < self._rules.end_threshold:
                self._candidate = None
                return []
            self._windows.append(_Window(False, level))
        if self._candidate is None or self._candidate_samples < self._samples(
            self._rules.prefix_padding_ms
        ):
            return []
        return [self._opened(self._candidate)]

    def _opened(self, candidate: int) -> SpeechStarted:
        self._open, self._paused, self._silence_from = True, False, None
        self._onset = candidate
        self._start = max(self._floor, candidate - self._samples(LOOK_BACK_MS))
        self._windows_from = candidate
        self._voice_end = self.position
        self._candidate = None
        return SpeechStarted(candidate)

    def _voice(self) -> list[SpeechEvent]:
        self._voice_end = self.position
        self._silence_from = None
        self._silence_ms = self._rules.silence_ms
        if self._paused:
            self._paused = False
            return [SpeechResumed()]
        return []

    def _silence(self, at: int, probability: float) -> list[SpeechEvent]:
        if self._silence_from is None:
            if probability >= self._rules.end_threshold:
                return []
            self._silence_from = at
        silence = self.position - self._silence_from
        if silence >= self._samples(self._silence_ms):
            return [self._end()]
        if not self._paused and silence >= self._samples(self._rules.pause_ms) and self._is_real():
            self._paused = True
            self._ask_at = self.position + self._samples(ASK_AGAIN_MS)
            return [SpeechPaused(self._start, self._tail())]
        if self._rules.retells_pauses and self._paused and self.position >= self._ask_at:
            self._ask_at += self._samples(ASK_AGAIN_MS)
            return [PauseLasts(self._start, self._tail(), self.position)]
        return []

    def _tail(self) -> int:
        return min(self.position, self._voice_end + self._samples(self._rules.pause_ms))

    def _is_real(self) -> bool:
        return self._voiced(self._windows) >= self._samples(REAL_SPEECH_MS)

    def _voiced(self, windows: list[_Window]) -> int:
        return self._window_samples * sum(window.voiced for window in windows)

    def _end(self) -> SpeechEnded:
        ended = SpeechEnded(self._start, self._tail(), self._is_real(), self.position)
        self._open = self._paused = False
        self._silence_from = None
        self._silence_ms = self._rules.silence_ms
        self._windows = []
        self._floor = ended.end
        return ended

    def _cut(self) -> list[SpeechEvent]:
        """End a part at the quietest moment of the segment's second half; the rest goes on."""
        events: list[SpeechEvent] = [SpeechResumed()] if self._paused else []
        self._paused = False
        self._silence_ms = self._rules.silence_ms
        levels = [window.level for window in self._windows]
        first = len(levels) // 2
        quietest = min(
            range(first, len(levels) - _QUIET_WINDOWS),
            key=lambda i: sum(levels[i : i + _QUIET_WINDOWS]),
        )
        window = quietest + _QUIET_WINDOWS // 2
        sample = self._windows_from + window * self._window_samples
        before, self._windows = self._windows[:window], self._windows[window:]
        worth = self._voiced(before) >= self._samples(REAL_SPEECH_MS)
        events.append(SpeechCut(self._start, sample, worth))
        self._start = self._windows_from = self._floor = sample
        self._voice_end = max(self._voice_end, sample)
        return events
