"""The playout: an adaptive jitter buffer between a model that speaks in bursts and a device.

Theory. Sound arrives over TCP: nothing is lost or reordered, but it comes in bursts, mostly faster
than it is played, sometimes late. So nothing is ever stretched or thrown away, only delayed: a turn
starts to play when enough is in store to bridge the next hole. How much is enough is learned
(`start_target.py`). Time is the count of samples pulled; no clock is asked. The head of the queue
of turns is in one of these states:

    IDLE       no turn.                             a chunk of a new turn      -> BUFFERING
    BUFFERING  sound in store, not enough.          the target is reached, or the turn has ended,
                                                    or 400 ms after the chunk  -> PLAYING
    PLAYING    samples go out; the last 5 ms        all but the tail is out    -> the tail goes out
               (the tail) are held back.               in a 5 ms fade             -> DRY
                                                    the turn is ended          -> DRAINING
    DRY        silence in mid-turn.                 a chunk: an underrun, the target is raised;
                                                    then with a 5 ms fade-in   -> BUFFERING
                                                    the turn is ended: it was no underrun,
                                                    only its end came late     -> next turn or IDLE
    DRAINING   samples go out, the tail too.        all is out                 -> next turn or IDLE

A flush in any state: what is playing fades out over 10 ms at the start of the next pull, the rest
is dropped, and whatever still comes for that turn or an earlier one is refused. A reply shorter
than the target plays as soon as it has ended. Ending a turn is a promise: a chunk after it is
refused, so end it at ``generationComplete``, not at ``turnComplete``, which comes after the
assumed play time. A chunk of a later turn ends the earlier ones.

Bounded: six minutes are held, 35 MB (the longest reply of the Live API is 8,192 tokens at 25
a second, 5.5 minutes, and a model generates faster than it speaks). A turn that would overfill
the store is cut there: it plays to the cut and ends; what is lost is counted as overflow.

Read before: the Buffering/Emitting states of pion's jitterbuffer, the growing cushion of moshi's
audio worklet, the lateness quantile of NetEq.
"""

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.audio.playback.fades import falling_gain
from live_cli.audio.playback.start_target import StartTarget
from live_cli.audio.playback.turn_audio import TurnAudio
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

_PER_MS = OUTPUT_SAMPLE_RATE // 1000
_TAIL = 5 * _PER_MS
_FADE_IN = 5 * _PER_MS
_FLUSH_FADE = 10 * _PER_MS
_MAX_WAIT = 400 * _PER_MS
_MAX_HELD = 360 * OUTPUT_SAMPLE_RATE
_TURNS_REMEMBERED = 64


class PlayoutState(Enum):
    """State of the turn at the head of the queue; see the theory above."""

    IDLE = "idle"
    BUFFERING = "buffering"
    PLAYING = "playing"
    DRY = "dry"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of one turn's samples inside a pulled block; the rest of the block is silence."""

    turn: int
    offset: int
    """Index of the first sample in the block."""
    position: int
    """Index of the first sample in the turn."""
    length: int


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """Delay and gaps in the playback of a turn so far.

    ``start_delay_ms``: first chunk to first sample. ``dry_ms``: silence in mid-turn.
    """

    start_delay_ms: float = 0.0
    underruns: int = 0
    dry_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class PlayoutStats:
    """Counts since the start, all turns together; ``start_delay_ms`` is the latest turn's."""

    turns_started: int = 0
    start_delay_ms: float = 0.0
    mean_start_delay_ms: float = 0.0
    underruns: int = 0
    dry_ms: float = 0.0
    refused_chunks: int = 0
    overflow_ms: float = 0.0
    target_ms: float = StartTarget.FIRST_MS


class Playout:
    """An adaptive jitter buffer of mono float32 at 24 kHz. One thread makes all the calls.

    ``target`` is how much a turn holds before it starts to play; by default it is learned.
    """

    def __init__(self, target: StartTarget | None = None) -> None:
        self._turns: deque[TurnAudio] = deque()
        self._fade: Samples = np.zeros(0, dtype=np.float32)
        self._fade_turn = 0
        self._clock = 0
        self._closed_through = 0
        self._heard: dict[int, int] = {}
        self._target = StartTarget() if target is None else target
        self._turns_started = self._start_delay = self._start_delays = 0
        self._underruns = self._dry = self._refused = self._overflow = 0
        self.outcomes: dict[int, TurnOutcome] = {}
        """Outcomes of the last turns that have begun to play; replaced, never changed."""
        self.spans: list[Span] = []
        """Runs of turns in the block that was pulled last."""

    # --- what arrives ----------------------------------------------------------------------

    def push(self, turn: int, samples: Samples) -> bool:
        """Append a chunk to ``turn`` (>= 1, never falling); False: refused, the turn has ended."""
        if turn <= self._closed_through:
            self._refused += 1
            return False
        if not samples.size:
            return True
        audio = self._open_turn(turn)
        room = _MAX_HELD - self._buffered
        self._note_arrival(audio)
        audio.append(samples[:room].astype(np.float32))
        if samples.size > room:
            self._overflow += samples.size - room
            self.end_turn(turn)
        return True

    def end_turn(self, turn: int) -> None:
        """End ``turn``, and all before it: no more will come; play to the last sample."""
        self._closed_through = max(self._closed_through, turn)
        for audio in self._turns:
            if audio.turn <= turn:
                audio.ended = True

    def flush(self, turn: int) -> None:
        """Stop ``turn`` and all before it: 10 ms fade out in the next pull, the rest is dropped."""
        self._closed_through = max(self._closed_through, turn)
        while self._turns and self._turns[0].turn <= turn:
            audio = self._turns.popleft()
            if audio.playing:
                cut = audio.take(_FLUSH_FADE)
                self._fade, self._fade_turn = cut * falling_gain(cut.size), audio.turn
            self._learn_from(audio)
        self._promote_head()

    def drop(self) -> float:
        """Drop all that is in store, refuse the rest of those turns; returns the ms dropped."""
        dropped_ms = self.buffered_ms
        if self._turns:
            self.flush(self._turns[-1].turn)
        self._fade = self._fade[:0]
        return dropped_ms

    def fade_in(self) -> None:
        """Fade in what plays next: after a break of the device it begins without a click."""
        if self._turns and self._turns[0].playing:
            self._turns[0].fade_in(_FADE_IN)

    def _open_turn(self, turn: int) -> TurnAudio:
        if self._turns and self._turns[-1].turn == turn:
            return self._turns[-1]
        self.end_turn(turn - 1)
        audio = TurnAudio(turn, first_chunk_at=self._clock)
        self._turns.append(audio)
        return audio

    def _note_arrival(self, audio: TurnAudio) -> None:
        if audio.playing or audio.waiting_since is not None:
            return
        audio.waiting_since = self._clock
        if audio.dry_since is not None:
            self._underruns += 1
            audio.underran = True
            outcome = self.outcomes[audio.turn]
            self._set_outcome(audio.turn, replace(outcome, underruns=outcome.underruns + 1))
            self._target.raise_for((self._clock - audio.dry_since) / _PER_MS)

    # --- what goes out ---------------------------------------------------------------------

    def pull(self, samples: int) -> Samples:
        """Return the next block, shape (samples,): sound, and silence where there is none."""
        block = np.zeros(samples, dtype=np.float32)
        self.spans = []
        filled = 0
        while filled < samples:
            turn, piece = self._next_piece(samples - filled)
            if not piece.size:
                break
            position = self._heard.get(turn, 0)
            block[filled : filled + piece.size] = piece
            self.spans.append(Span(turn, filled, position, piece.size))
            self._remember_heard(turn, position + piece.size)
            filled += piece.size
            self._clock += piece.size
        self._clock += samples - filled
        if self._turns and self._turns[0].playing:
            self._turns[0].note_level()
        return block

    def _next_piece(self, room: int) -> tuple[int, Samples]:
        """Return a turn and up to ``room`` samples of it; no samples when silence is due."""
        while not self._fade.size and self._turns:
            head = self._turns[0]
            if head.ended and not head.buffered:
                self._finish_head()
                continue
            if not head.playing and not self._start(head):
                break
            playable = head.buffered if head.ended else head.buffered - _TAIL
            if playable > 0:
                return head.turn, head.take(min(room, playable))
            self._run_dry(head)
        if not self._fade.size:
            return 0, self._fade
        piece, self._fade = self._fade[:room], self._fade[room:]
        return self._fade_turn, piece

    def _start(self, head: TurnAudio) -> bool:
        """Start the turn at the head if it may play now; False: it goes on waiting."""
        if not head.ended:
            if head.waiting_since is None or head.buffered <= _TAIL:
                return False
            waited = self._clock - head.waiting_since
            if head.buffered < self._target.ms * _PER_MS and waited < _MAX_WAIT:
                return False
        head.playing = True
        head.waiting_since = None
        if head.dry_since is not None:
            dry = self._clock - head.dry_since
            self._dry += dry
            outcome = self.outcomes[head.turn]
            self._set_outcome(head.turn, replace(outcome, dry_ms=outcome.dry_ms + dry / _PER_MS))
            head.dry_since = None
            head.fade_in(_FADE_IN)
        if not head.started:
            head.started = True
            self._turns_started += 1
            self._start_delay = self._clock - head.head_since
            self._start_delays += self._start_delay
            self._set_outcome(head.turn, TurnOutcome(self._start_delay / _PER_MS))
        return True

    def _set_outcome(self, turn: int, outcome: TurnOutcome) -> None:
        recent = list(self.outcomes.items())[-_TURNS_REMEMBERED:]
        self.outcomes = {**dict(recent), turn: outcome}

    def _run_dry(self, head: TurnAudio) -> None:
        tail = head.take(_TAIL)
        self._fade, self._fade_turn = tail * falling_gain(tail.size), head.turn
        head.playing = False
        head.dry_since = self._clock + tail.size

    def _finish_head(self) -> None:
        self._learn_from(self._turns.popleft())
        self._promote_head()

    def _promote_head(self) -> None:
        if self._turns and not self._turns[0].started:
            self._turns[0].head_since = max(self._turns[0].head_since, self._clock)

    def _learn_from(self, audio: TurnAudio) -> None:
        if not audio.underran and audio.dry_since is None and audio.lowest is not None:
            self._target.lower_for(audio.lowest / _PER_MS)

    def _remember_heard(self, turn: int, samples: int) -> None:
        self._heard[turn] = samples
        if len(self._heard) > _TURNS_REMEMBERED:
            del self._heard[next(iter(self._heard))]

    # --- what can be seen ------------------------------------------------------------------

    def heard_ms(self, turn: int) -> float:
        """Return how much of ``turn`` has been pulled; 0 for one unknown or long past."""
        return self._heard.get(turn, 0) / _PER_MS

    @property
    def _buffered(self) -> int:
        return sum(audio.buffered for audio in self._turns)

    @property
    def buffered_ms(self) -> float:
        """Sound in store, all turns together."""
        return (self._buffered + self._fade.size) / _PER_MS

    @property
    def state(self) -> PlayoutState:
        """State of the turn at the head of the queue."""
        if not self._turns:
            return PlayoutState.DRAINING if self._fade.size else PlayoutState.IDLE
        head = self._turns[0]
        if head.playing:
            return PlayoutState.DRAINING if head.ended else PlayoutState.PLAYING
        return PlayoutState.BUFFERING if head.buffered or head.ended else PlayoutState.DRY

    @property
    def stats(self) -> PlayoutStats:
        """Counts since the start."""
        return PlayoutStats(
            turns_started=self._turns_started,
            start_delay_ms=self._start_delay / _PER_MS,
            mean_start_delay_ms=self._start_delays / max(1, self._turns_started) / _PER_MS,
            underruns=self._underruns,
            dry_ms=self._dry / _PER_MS,
            refused_chunks=self._refused,
            overflow_ms=self._overflow / _PER_MS,
            target_ms=self._target.ms,
        )
