"""Queues commands to a playout, renders its sound, and publishes snapshots of it.

Two threads use it. The owner's thread calls play, end_turn, interrupt, duck and snapshot; the
speaker's thread calls render. They share a deque (append on one side, popleft on the other: atomic)
and a reference to an immutable snapshot, so neither ever waits for the other.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from live_cli.audio.levels import SILENCE_DBFS, level_dbfs
from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.audio.playback.fades import rising_gain
from live_cli.audio.playback.first_sounds import FirstSounds
from live_cli.audio.playback.heard import HeardLog, HeardSpan, heard_at
from live_cli.audio.playback.playout import Playout, PlayoutState, PlayoutStats, Span, TurnOutcome
from live_cli.audio.resampler import Resampler
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

PlayedCallback = Callable[[Samples, float, tuple[Span, ...]], None]
"""Gets every block as it goes out, silence included: mono float32 at 24 kHz, when it begins to
sound (on ``time.monotonic``), and the spans of turns in it. The device's callback waits for the
return, so the block may be put into a queue and no more."""

_MAX_COMMANDS = 8192
_LOW_GAIN = 10 ** (-15 / 20)


@dataclass(frozen=True, slots=True)
class SpeakerSnapshot:
    """State and counts of a speaker at one moment.

    ``turn`` and ``heard_ms`` say what has left the device: the turn heard last and how much of it.
    ``playing``: that turn sounds at this moment. ``idle``: nothing sounds and nothing is held back.
    The counts are those of `PlayoutStats`.
    """

    level_dbfs: float = SILENCE_DBFS
    playing: bool = False
    idle: bool = True
    turn: int = 0
    heard_ms: float = 0.0
    buffered_ms: float = 0.0
    underruns: int = 0
    dry_ms: float = 0.0
    refused_chunks: int = 0
    mean_start_delay_ms: float = 0.0
    turns_started: int = 0
    outcomes: Mapping[int, TurnOutcome] = field(default_factory=dict)
    """Outcomes of the last turns that have begun to play."""
    sounded_at: Mapping[int, float] = field(default_factory=dict)
    """When each of the last turns is first heard, on ``time.monotonic``."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """State of the playout as the speaker's thread published it last."""

    level_dbfs: float
    state: PlayoutState
    buffered_ms: float
    stats: PlayoutStats
    outcomes: Mapping[int, TurnOutcome]
    spans: tuple[HeardSpan, ...]
    sounded_at: Mapping[int, float]
    samples_taken: int


@dataclass(frozen=True, slots=True)
class _Converter:
    """The resampler of a turn that does not come at 24 kHz."""

    turn: int
    sample_rate: int
    resampler: Resampler


class Playback:
    """A playout behind a queue of commands, with a log of what has been heard."""

    def __init__(self) -> None:
        self._playout = Playout()
        self._heard = HeardLog()
        self._first_sounds = FirstSounds()
        self._commands: deque[Callable[[], object]] = deque()
        self._samples_given = 0
        self._samples_taken = 0
        self._chunks_refused = 0
        self._converter: _Converter | None = None
        self._gain = self._wanted_gain = 1.0
        self._rendered = self._publish(SILENCE_DBFS)

    # --- the owner's thread ------------------------------------------------------------------

    def play(self, turn: int, pcm16: bytes, sample_rate: int = OUTPUT_SAMPLE_RATE) -> None:
        """Queue a chunk, PCM16 mono; refused and counted while a dead device takes none."""
        if len(self._commands) >= _MAX_COMMANDS:
            self._chunks_refused += 1
            return
        samples = float_from_pcm16(pcm16)
        if sample_rate != OUTPUT_SAMPLE_RATE:
            samples = self._converter_for(turn, sample_rate).resampler.process(samples)
        self._give(turn, samples)

    def end_turn(self, turn: int) -> None:
        """Queue the end of ``turn``, of which no more will come."""
        if self._converter is not None and self._converter.turn == turn:
            self._give(turn, self._converter.resampler.flush())
            self._converter = None
        self._commands.append(lambda: self._playout.end_turn(turn))

    def interrupt(self, turn: int) -> None:
        """Queue the silencing of ``turn`` and all before it, in the next block."""
        self._commands.append(lambda: self._playout.flush(turn))

    def duck(self, low: bool) -> None:
        """Queue a gain of -15 dB, or of 0 dB again, reached over the next block."""
        self._commands.append(lambda: self._want_gain(_LOW_GAIN if low else 1.0))

    def _want_gain(self, gain: float) -> None:
        self._wanted_gain = gain

    def _converter_for(self, turn: int, sample_rate: int) -> _Converter:
        kept = self._converter
        if kept is None or (kept.turn, kept.sample_rate) != (turn, sample_rate):
            kept = _Converter(turn, sample_rate, Resampler(sample_rate, OUTPUT_SAMPLE_RATE))
            self._converter = kept
        return kept

    def _give(self, turn: int, samples: Samples) -> None:
        self._samples_given += samples.size
        self._commands.append(lambda: self._push(turn, samples))

    def snapshot(self, now: float) -> SpeakerSnapshot:
        """Return the state as of ``now``, on the clock of the times given to `render`."""
        queued = self._samples_given  # before the other side's count: never below it
        rendered = self._rendered
        waiting_ms = (queued - rendered.samples_taken) * 1000 / OUTPUT_SAMPLE_RATE
        turn, heard_ms, playing = heard_at(rendered.spans, now)
        sound_to_come = bool(rendered.spans) and rendered.spans[-1].end_at > now
        stats = rendered.stats
        return SpeakerSnapshot(
            level_dbfs=rendered.level_dbfs,
            playing=playing,
            idle=not (self._commands or waiting_ms > 0 or sound_to_come)
            and rendered.state is PlayoutState.IDLE,
            turn=turn,
            heard_ms=heard_ms,
            buffered_ms=rendered.buffered_ms + max(0.0, waiting_ms),
            underruns=stats.underruns,
            dry_ms=stats.dry_ms,
            refused_chunks=stats.refused_chunks + self._chunks_refused,
            mean_start_delay_ms=stats.mean_start_delay_ms,
            turns_started=stats.turns_started,
            outcomes=rendered.outcomes,
            sounded_at=rendered.sounded_at,
        )

    # --- between two devices: while nobody renders ---------------------------------------------

    def restart(self, *, drop: bool) -> float:
        """Prepare for another device, with another clock; ``drop`` what is in store.

        Returns the ms dropped.
        """
        while self._commands:
            self._commands.popleft()()
        dropped_ms = self._playout.drop() if drop else 0.0
        self._playout.fade_in()
        self._heard.settle()
        self._rendered = self._publish(SILENCE_DBFS)
        return dropped_ms

    # --- the speaker's thread ----------------------------------------------------------------

    def render(self, samples: int, at: float, monotonic_at: float | None = None) -> Samples:
        """Carry out the commands so far, return the next block, which begins to sound ``at``.

        That is on the device's clock; ``monotonic_at`` is the same on ``time.monotonic``, where
        those two differ.
        """
        while self._commands:
            self._commands.popleft()()
        block = self._with_gain(self._playout.pull(samples))
        spans = self._playout.spans
        self._heard.note(at, spans)
        self._first_sounds.note(block, spans, at if monotonic_at is None else monotonic_at)
        self._rendered = self._publish(level_dbfs(block) if spans else SILENCE_DBFS)
        return block

    @property
    def spans(self) -> tuple[Span, ...]:
        """Runs of turns in the last block."""
        return tuple(self._playout.spans)

    @property
    def sounded(self) -> bool:
        """Whether the last block had any sound of a turn in it."""
        return bool(self._playout.spans)

    @property
    def first_turn(self) -> int:
        """The turn of the last block's first sound; 0 when it was silent."""
        return self._playout.spans[0].turn if self._playout.spans else 0

    @property
    def last_turn(self) -> int:
        """The turn of the last block's last sound; 0 when it was silent."""
        return self._playout.spans[-1].turn if self._playout.spans else 0

    def _with_gain(self, block: Samples) -> Samples:
        if self._gain == self._wanted_gain == 1.0 or not block.size:
            return block
        change = (self._wanted_gain - self._gain) * rising_gain(block.size)
        gain, self._gain = self._gain + change, self._wanted_gain
        turned: Samples = (block * gain).astype(np.float32)
        return turned

    def _push(self, turn: int, samples: Samples) -> None:
        self._playout.push(turn, samples)
        self._samples_taken += samples.size

    def _publish(self, dbfs: float) -> _Rendered:
        return _Rendered(
            level_dbfs=dbfs,
            state=self._playout.state,
            buffered_ms=self._playout.buffered_ms,
            stats=self._playout.stats,
            outcomes=self._playout.outcomes,
            spans=self._heard.published(),
            sounded_at=self._first_sounds.times,
            samples_taken=self._samples_taken,
        )


def silent(snapshot: SpeakerSnapshot) -> SpeakerSnapshot:
    """Return ``snapshot`` as of a speaker that no longer runs: nothing sounds, nothing will."""
    return replace(snapshot, level_dbfs=SILENCE_DBFS, playing=False, idle=True, buffered_ms=0.0)
