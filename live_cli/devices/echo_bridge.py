"""Carries what the speaker plays to the capture thread, where its echo is cancelled.

The speaker's callback and the capture thread share a deque (append on one side, popleft on the
other: atomic) and a reference to an immutable value, so neither ever waits for the other.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from live_cli.audio.echo.canceller import EchoStats
from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Span

_MAX_BLOCKS = 200
"""Two to four seconds of blocks; while nobody captures the oldest are dropped."""


class EchoControl(Protocol):
    """Keeps the speaker out of the microphone: an `EchoCanceller` or a `HalfDuplex`."""

    @property
    def stats(self) -> EchoStats: ...
    def play(self, samples: Samples, /) -> None: ...
    def process(self, microphone: Samples, /) -> Samples: ...


class EchoBridge:
    """Cleans what is captured of what is played; ``begin`` makes an echo control for a device."""

    def __init__(self, begin: Callable[[], EchoControl]) -> None:
        self._begin = begin
        self._control = begin()
        self._played: deque[Samples] = deque(maxlen=_MAX_BLOCKS)
        self._stats = self._control.stats

    def note_played(self, block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        """Queue a block written to the speaker, 24 kHz; called by its thread, as PlayedCallback."""
        self._played.append(block)

    def restart(self) -> None:
        """Forget the echo path, as the microphone is another one; called by the capture thread."""
        self._control = self._begin()

    def clean(self, microphone: Samples) -> Samples:
        """Return what is to be sent of ``microphone``, 16 kHz; called by the capture thread."""
        while self._played:
            self._control.play(self._played.popleft())
        cleaned = self._control.process(microphone)
        self._stats = self._control.stats
        return cleaned

    @property
    def stats(self) -> EchoStats:
        """Figures as of the last block captured; for any thread."""
        return self._stats
