"""Decodes what libsndfile does not (m4a, mp4, webm, mkv, amr, wma, Speex, AC-3, …) by FFmpeg's
libraries, which come inside the wheel of the package ``av`` (extra ``media``), loaded late.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from live_cli.audio.files.window import Window

_HEADERLESS = {
    ".al": "alaw", ".alaw": "alaw", ".g722": "g722", ".g729": "g729", ".gsm": "gsm",
    ".mulaw": "mulaw", ".sbc": "sbc", ".ul": "mulaw", ".ulaw": "mulaw",
}  # fmt: skip
"""Formats with no beginning of their own, as telephone systems write them: the suffix decides."""
_NOTHING_ELSE = {"protocol_whitelist": "none"}
"""A playlist or a session description leads FFmpeg to other files and to the network: not here."""
_SAMPLE_BYTES = 16
"""As much of a headerless file shows that it is no text."""
_KNOWS_DURATION = ("mov", "matroska", "asf", "avi", "flv")
"""Containers whose header holds the duration; of others it is a guess by the bit rate."""
_NOTHING_LOST_S = 1.0
"""Less than this is no loss: the picture may last longer than the sound."""
_SHORTEST_GAP_S = 0.1
_LONGEST_GAP_S = 3600.0
"""A gap in the time stamps between these is kept as silence, so that captions fit the picture."""


def media_is_installed() -> bool:
    """Whether the package ``av`` is there."""
    return find_spec("av") is not None


class MediaDecoder:
    """Decodes the sound of a media file; where it has several tracks, the one FFmpeg finds best.

    Pieces that are damaged are left out, and counted in ``damaged``. ``cut_off``, known at the end:
    the file's header promised more.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        import av

        self._av = av
        self._container = container
        self._track = stream
        self._resampler: Any = None
        self._source_format: tuple[Any, ...] = ()
        self._blocks = self._decoded()
        self._frames_read = 0
        self.damaged = 0
        self.cut_off = False
        self.sample_rate = 0
        self.channels = 0
        first = next(self._blocks, None)  # only decoded sound tells rate and width for sure
        self._kept = np.zeros((0, self.channels), np.float32) if first is None else first
        self.frames = self._told_frames()

    @classmethod
    def opened(cls, stream: Window, suffix: str) -> "MediaDecoder | None":
        """Return a decoder of ``stream``; None where it holds no sound that FFmpeg decodes."""
        import av

        names: list[str | None] = [None]
        if suffix in _HEADERLESS and not stream.read(_SAMPLE_BYTES).isascii():
            names.append(_HEADERLESS[suffix])
        for name in names:
            stream.seek(0)
            if (decoder := cls._opened(av, stream, name)) is not None:
                return decoder
        return None

    @classmethod
    def _opened(cls, av: Any, stream: Window, name: str | None) -> "MediaDecoder | None":
        try:
            container = av.open(
                stream, format=name, options=_NOTHING_ELSE, metadata_errors="replace"
            )
        except (av.FFmpegError, OSError, ValueError):
            return None
        try:
            track = container.streams.best("audio")
            decoder = cls(container, track) if track is not None else None
        except (av.FFmpegError, OSError, ValueError):
            decoder = None
        if decoder is None or not decoder.sample_rate:
            container.close()
            return None
        return decoder

    def _told_frames(self) -> int | None:
        duration = self._container.duration
        if not duration or not self._container.format.name.startswith(_KNOWS_DURATION):
            return None
        return int(duration / self._av.time_base * self.sample_rate)

    def read(self, frames: int) -> npt.NDArray[np.float32]:
        """Return up to ``frames`` frames; none at the end."""
        pieces, count = [self._kept], len(self._kept)
        while count < frames and (piece := next(self._blocks, None)) is not None:
            pieces.append(piece)
            count += len(piece)
        read = np.concatenate(pieces)
        read, self._kept = read[:frames], read[frames:]
        self._frames_read += len(read)
        if not len(read):
            missing = (self.frames or 0) - self._frames_read
            self.cut_off = self.cut_off or missing > _NOTHING_LOST_S * self.sample_rate
        return read

    def _decoded(self) -> Iterator[npt.NDArray[np.float32]]:
        at = 0
        for frame in self._frames():
            block = self._converted(frame)
            gap = self._gap_before(frame, at)
            if gap:
                yield from self._silence(gap)
            yield block
            at += gap + len(block)

    def _frames(self) -> Iterator[Any]:
        """Yield decoded frames; a packet that cannot be decoded is counted and left out."""
        packets = self._container.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
            except (self._av.FFmpegError, OSError):
                self.cut_off = True
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except (self._av.FFmpegError, ValueError):
                self.damaged += 1

    def _converted(self, frame: Any) -> npt.NDArray[np.float32]:
        """Return ``frame`` as floats, shape (n, channels), in the first frame's rate and width."""
        made = (frame.format.name, frame.layout.name, frame.sample_rate)
        if made != self._source_format:
            if not self.sample_rate:
                self.sample_rate = frame.sample_rate
                self.channels = len(frame.layout.channels)
                self._layout = frame.layout.name
            self._resampler = self._av.AudioResampler(
                format="fltp", layout=self._layout, rate=self.sample_rate
            )
            self._source_format = made
        stamped, frame.pts = frame.pts, None
        pieces = [piece.to_ndarray() for piece in self._resampler.resample(frame)]
        frame.pts = stamped
        if not pieces:
            return np.zeros((0, self.channels), np.float32)
        return np.ascontiguousarray(np.concatenate(pieces, axis=1).T)

    def _gap_before(self, frame: Any, at: int) -> int:
        """Return how many samples of silence the time stamp of ``frame`` leaves after ``at``."""
        if frame.pts is None or frame.time_base is None:
            return 0
        begin_s = (self._container.start_time or 0) / self._av.time_base
        gap_s = float(frame.pts * frame.time_base) - begin_s - at / self.sample_rate
        if not _SHORTEST_GAP_S < gap_s < _LONGEST_GAP_S:
            return 0
        return int(gap_s * self.sample_rate)

    def _silence(self, samples: int) -> Iterator[npt.NDArray[np.float32]]:
        for start in range(0, samples, self.sample_rate):
            size = min(self.sample_rate, samples - start)
            yield np.zeros((size, self.channels), np.float32)

    def close(self) -> None:
        self._container.close()
