"""Tells what has been heard of a turn, from when its samples leave the device.

Each device callback notes when its block will sound (the DAC time PortAudio gives) and which
samples of which turn it carries; what was heard at any moment lies between two notes.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

from live_cli.audio.playback.playout import Span
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class HeardSpan:
    """``length`` samples of ``turn`` from sample ``position`` on, which sound from ``at`` (s)."""

    turn: int
    position: int
    length: int
    at: float

    @property
    def end_at(self) -> float:
        """When the last sample has sounded, in seconds."""
        return self.at + self.length / OUTPUT_SAMPLE_RATE


class HeardLog:
    """Keeps the last spans: one thread writes, others read the tuple that `published` returns."""

    def __init__(self, spans_kept: int = 128) -> None:
        self._spans: deque[HeardSpan] = deque(maxlen=spans_kept)

    def note(self, block_at: float, spans: list[Span]) -> None:
        """Add the spans of a block that begins to sound at ``block_at`` (s)."""
        for span in spans:
            at = block_at + span.offset / OUTPUT_SAMPLE_RATE
            self._spans.append(HeardSpan(span.turn, span.position, span.length, at))

    def settle(self) -> None:
        """Take all spans so far as heard: the times of those to come are on another clock."""
        settled = [replace(span, at=-math.inf) for span in self._spans]
        self._spans.clear()
        self._spans.extend(settled)

    def published(self) -> tuple[HeardSpan, ...]:
        """Return the spans kept, oldest first."""
        return tuple(self._spans)


def heard_at(spans: tuple[HeardSpan, ...], now: float) -> tuple[int, float, bool]:
    """Return the turn heard last at ``now``, how many ms of it, and whether it sounds just then.

    (0, 0.0, False) when nothing has been heard yet.
    """
    for span in reversed(spans):
        if span.at <= now:
            played = min(span.length, (now - span.at) * OUTPUT_SAMPLE_RATE)
            heard_ms = (span.position + played) * 1000.0 / OUTPUT_SAMPLE_RATE
            return span.turn, heard_ms, now < span.end_at
    return 0, 0.0, False
