"""Holds the sound of one model turn that is still to be played, and the state of its playback."""

from collections import deque

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.audio.playback.fades import rising_gain


class TurnAudio:
    """A first-in first-out store of a turn's samples. Positions and durations are in samples.

    ``ended``: no more will come. ``playing``: samples go out now. ``waiting_since``, ``head_since``
    and ``dry_since`` are on the playout's sample count: since when the turn buffers, is at the head
    of the queue, is dry (None unless it is dry, or buffers again after that). ``lowest``: the least
    that was in store while more was to come.
    """

    def __init__(self, turn: int, first_chunk_at: int) -> None:
        self.turn = turn
        self.buffered = 0
        self.ended = False
        self.playing = False
        self.started = False
        self.underran = False
        self.waiting_since: int | None = first_chunk_at
        self.head_since = first_chunk_at
        self.dry_since: int | None = None
        self.lowest: int | None = None
        self._chunks: deque[Samples] = deque()
        self._offset = 0
        self._fade_in: Samples = np.zeros(0, dtype=np.float32)

    def append(self, samples: Samples) -> None:
        """Add ``samples`` at the end."""
        self._chunks.append(samples)
        self.buffered += samples.size

    def fade_in(self, samples: int) -> None:
        """Apply a fade-in to the next ``samples`` that are taken."""
        self._fade_in = rising_gain(samples)

    def take(self, samples: int) -> Samples:
        """Remove and return the next ``samples``, or all there are if fewer."""
        wanted = min(samples, self.buffered)
        pieces: list[Samples] = []
        missing = wanted
        while missing:
            chunk = self._chunks[0]
            piece = chunk[self._offset : self._offset + missing]
            pieces.append(piece)
            missing -= piece.size
            self._offset += piece.size
            if self._offset == chunk.size:
                self._chunks.popleft()
                self._offset = 0
        self.buffered -= wanted
        taken = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
        faded = min(taken.size, self._fade_in.size)
        if faded:
            taken[:faded] *= self._fade_in[:faded]
            self._fade_in = self._fade_in[faded:]
        return taken

    def note_level(self) -> None:
        """Update ``lowest``."""
        if not self.ended:
            self.lowest = self.buffered if self.lowest is None else min(self.lowest, self.buffered)
