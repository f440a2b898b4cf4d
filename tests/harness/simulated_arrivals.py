"""Five ways in which sound arrives from a server, and what a playback buffer makes of each.

The real `Playout`, offline and from a seed: 60 turns of 2 to 8 seconds for each pattern, in chunks
of 80 ms; the patterns are those in which servers were seen to send. What counts is what is heard:
gaps, the silence in them, and how long the first sound waits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from live_cli.audio.playback.playout import Playout, PlayoutState
from live_cli.audio.playback.start_target import StartTarget
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

TURNS = 60
CHUNK_MS = 80.0
CLAUSE_CHUNKS = 5
BLOCK_MS = 10
PER_MS = OUTPUT_SAMPLE_RATE // 1000

Arrivals = list[float]
"""When each chunk of a turn arrives, in ms after the first could have."""
Pattern = Callable[[np.random.Generator, int], Arrivals]


class FixedTarget(StartTarget):
    """A buffer that learns nothing."""

    def __init__(self, ms: float) -> None:
        super().__init__()
        self.ms = ms

    def _set(self, ms: float) -> None:
        pass


def generated(rtf: float, stall_chance: float) -> Pattern:
    """Speech made at ``rtf``; before a clause the synthesizer may stall for 0.1 to 0.6 s."""

    def arrivals(rng: np.random.Generator, chunks: int) -> Arrivals:
        at, times = 0.0, []
        for k in range(chunks):
            clause_begins = k and k % CLAUSE_CHUNKS == 0
            stalls = clause_begins and rng.random() < stall_chance
            at += CHUNK_MS * rtf * rng.uniform(0.8, 1.2) + (rng.uniform(100, 600) if stalls else 0)
            times.append(at)
        return times

    return arrivals


def paced(late_ms: float, stall_chance: float, stall_ms: tuple[float, float]) -> Pattern:
    """Sent as it is spoken, each chunk up to ``late_ms`` late; a connection that stalls delivers
    all that it held back at once."""

    def arrivals(rng: np.random.Generator, chunks: int) -> Arrivals:
        free_at, times = 0.0, []
        for k in range(chunks):
            sent_at = k * CHUNK_MS + rng.uniform(0, late_ms)
            if rng.random() < stall_chance:
                free_at = max(free_at, sent_at + rng.uniform(*stall_ms))
            free_at = max(free_at, sent_at)
            times.append(free_at)
        return times

    return arrivals


PATTERNS: dict[str, Pattern] = {
    "clean rtf 0.3": generated(0.3, 0.0),
    "rtf 0.3, stalls": generated(0.3, 0.1),
    "rtf 0.85, stalls": generated(0.85, 0.1),
    "real-time paced": paced(120.0, 0.01, (50.0, 250.0)),
    "TCP stalls": paced(20.0, 0.03, (100.0, 500.0)),
}
HARD = ("rtf 0.85, stalls", "real-time paced", "TCP stalls")
BUFFERS: dict[str, Callable[[], StartTarget]] = {
    "none": lambda: FixedTarget(0.0),
    "fixed 120": lambda: FixedTarget(120.0),
    "fixed 300": lambda: FixedTarget(300.0),
    "adaptive": StartTarget,
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of all turns of a pattern: the mean start, and gaps and silence per minute of speech."""

    start_ms: float
    gaps: float
    dry_ms: float


def turns_of(pattern: Pattern, seed: int, count: int) -> list[Arrivals]:
    rng = np.random.default_rng(seed)
    return [pattern(rng, int(rng.uniform(2000, 8000) / CHUNK_MS)) for _ in range(count)]


def played(arrivals: list[Arrivals], target: StartTarget) -> Figures:
    """The turns through one playout, pulled as a device does it."""
    playout = Playout(target)
    chunk = np.ones(round(CHUNK_MS * PER_MS), dtype=np.float32)
    for turn, times in enumerate(arrivals, start=1):
        now, arrived = 0.0, 0
        while arrived < len(times) or playout.state is not PlayoutState.IDLE:
            while arrived < len(times) and times[arrived] <= now:
                playout.push(turn, chunk)
                arrived += 1
            if arrived == len(times):
                playout.end_turn(turn)
            playout.pull(BLOCK_MS * PER_MS)
            now += BLOCK_MS
    stats = playout.stats
    minutes = sum(len(times) for times in arrivals) * CHUNK_MS / 60_000
    return Figures(stats.mean_start_delay_ms, stats.underruns / minutes, stats.dry_ms / minutes)


def compared(seed: int, turns: int = TURNS) -> dict[str, dict[str, Figures]]:
    """Pattern -> buffer -> figures; every buffer gets the same turns."""
    return {
        name: {buffer: played(arrivals, target()) for buffer, target in BUFFERS.items()}
        for name, pattern in PATTERNS.items()
        if (arrivals := turns_of(pattern, seed, turns))
    }
