"""What has really been heard: the pulled samples, seen at the time they leave the device.

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
    """``length`` samples of ``turn`` from ``position`` on, sounding from ``at`` (seconds)."""

    turn: int
    position: int
    length: int
    at: float

    @property
    def end_at(self) -> float:
        return self.at + self.length / OUTPUT_SAMPLE_RATE


class HeardLog:
    """The last spans; written by one thread, read from the tuple that `published` gives."""

    def __init__(self, spans_kept: int = 128) -> None:
        self._spans: deque[HeardSpan] = deque(maxlen=spans_kept)

    def note(self, block_at: float, spans: list[Span]) -> None:
        """A block of ``spans`` that begins to sound at ``block_at``."""
        for span in spans:
            at = block_at + span.offset / OUTPUT_SAMPLE_RATE
            self._spans.append(HeardSpan(span.turn, span.position, span.length, at))

    def settle(self) -> None:
        """All that was noted has sounded; what is noted from now on goes by another clock."""
        settled = [replace(span, at=-math.inf) for span in self._spans]
        self._spans.clear()
        self._spans.extend(settled)

    def published(self) -> tuple[HeardSpan, ...]:
        return tuple(self._spans)


def heard_at(spans: tuple[HeardSpan, ...], now: float) -> tuple[int, float, bool]:
    """The turn heard last at ``now``, how many ms of it, and whether it sounds at this moment.

    (0, 0.0, False) when nothing has been heard yet.
    """
    for span in reversed(spans):
        if span.at <= now:
            played = min(span.length, (now - span.at) * OUTPUT_SAMPLE_RATE)
            heard_ms = (span.position + played) * 1000.0 / OUTPUT_SAMPLE_RATE
            return span.turn, heard_ms, now < span.end_at
    return 0, 0.0, False
