"""Between two devices: the speaker's callback on one side, the capture thread on the other.

The two threads share a deque (append on one side, popleft on the other: atomic) and a reference to
an immutable value, so neither ever waits for the other.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from live_cli.audio.echo.canceller import EchoStats
from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Span

_MAX_BLOCKS = 200
"""Two to four seconds; when nobody captures, the oldest go."""


class EchoControl(Protocol):
    """What keeps the speaker out of the microphone; see `EchoCanceller` and `HalfDuplex`."""

    @property
    def stats(self) -> EchoStats: ...
    def play(self, samples: Samples, /) -> None: ...
    def process(self, microphone: Samples, /) -> Samples: ...


class EchoBridge:
    """Carries what is played to whoever captures, and keeps it out of what is captured."""

    def __init__(self, begin: Callable[[], EchoControl]) -> None:
        self._begin = begin
        self._control = begin()
        self._played: deque[Samples] = deque(maxlen=_MAX_BLOCKS)
        self._stats = self._control.stats

    def note_played(self, block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        """The speaker's thread: this was written to the device; see `PlayedCallback`."""
        self._played.append(block)

    def restart(self) -> None:
        """The capture thread: another microphone, another way to it."""
        self._control = self._begin()

    def clean(self, microphone: Samples) -> Samples:
        """The capture thread: 16 kHz in, what is to be sent of it out."""
        while self._played:
            self._control.play(self._played.popleft())
        cleaned = self._control.process(microphone)
        self._stats = self._control.stats
        return cleaned

    @property
    def stats(self) -> EchoStats:
        """As of the last block captured; from any thread."""
        return self._stats
