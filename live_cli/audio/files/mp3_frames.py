"""The frames of an MP3 file, walked by their headers (ISO 11172-3, 2.4.1.3).

An MP3 file says how long it is only where its encoder could go back and write so, in a first frame
without sound ("Xing" or "Info", and VBRI, which decoders leave alone). A stream has none, one that
was joined of several files has the first one's. Here the frames are counted.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20
_MOST_TRIES = 1 << 14
"""How many places of a file that are no frame are tried: some megabytes of a broken download."""
_RATES = (44_100, 48_000, 32_000)
_KBPS_1 = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBPS_2 = {
    1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HAS_FRAMES, _HAS_BYTES = 1, 2
"""The flags of a Xing frame that holds the number of frames, and of bytes."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One frame's header: ``size`` in bytes with the header, ``samples`` of each channel."""

    sample_rate: int
    channels: int
    samples: int
    size: int
    side_bytes: int
    layer: int


@dataclass(frozen=True, slots=True)
class Mp3Run:
    """Frames from ``start`` to ``end`` of a stream, of one rate and width.

    ``frames``: those with sound; ``first_header``: the four bytes of the first one's header.
    ``told_frames`` and ``told_bytes``: what a Xing frame, at ``start``, says, 0 where it does not;
    None where there is none.
    """

    start: int
    end: int
    frames: int
    first_header: bytes
    told_frames: int | None
    told_bytes: int

    @property
    def needs_length(self) -> bool:
        """Whether the number of frames is not told, or wrong; too large without all bytes: cut off.

        Only of layer III: the others have one bit rate, by which decoders know the length.
        """
        header = frame_header(self.first_header)
        if header is None or header.layer != 3:
            return False
        if self.told_frames is None or self.told_frames < self.frames - 1:
            return True
        is_whole = 0 < self.told_bytes <= self.end - self.start
        return is_whole and self.told_frames > self.frames + 1

    @property
    def sound_start(self) -> int:
        """Where the first frame with sound begins."""
        header = frame_header(self.first_header)
        return self.start + (header.size if header and self.told_frames is not None else 0)

    def xing_frame(self) -> bytes:
        """Return a first frame that tells the number of frames."""
        # the largest bit rate of the kind, without a checksum: room enough in any frame
        first, second, third, fourth = self.first_header
        header = bytes((first, second | 1, third & 0x0F | 0xE0, fourth))
        parsed = frame_header(header)
        assert parsed is not None  # noqa: S101 - the first frame was one, with another bit rate
        told = b"Xing" + _HAS_FRAMES.to_bytes(4, "big") + self.frames.to_bytes(4, "big")
        return (header + bytes(parsed.side_bytes) + told).ljust(parsed.size, b"\0")


@lru_cache(maxsize=256)  # a file has a few different ones, a million times
def frame_header(head: bytes) -> FrameHeader | None:
    """Return what the four bytes ``head`` say; None where they are no header of a frame."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bit_rate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bit_rate in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    sample_rate = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    bits_per_s = 1000 * (_KBPS_1 if is_first else _KBPS_2)[layer][bit_rate - 1]
    channels = 1 if head[3] >> 6 == 3 else 2
    if layer == 1:
        size = (12 * bits_per_s // sample_rate + padding) * 4
        samples = 384
    else:
        samples = 576 if layer == 3 and not is_first else 1152
        size = samples // 8 * bits_per_s // sample_rate + padding
    side = {(True, 1): 17, (True, 2): 32, (False, 1): 9, (False, 2): 17}[is_first, channels]
    return FrameHeader(sample_rate, channels, samples, size, side, layer)


def first_run(stream: BinaryIO, start: int, end: int) -> Mp3Run | None:
    """Return the first run of frames between ``start`` and ``end``; None where none is found.

    A run ends where a Xing frame or another rate or width begins: there another file was joined.
    """
    return _Walk(stream, start, end).run()


class _Walk:
    """Walks from frame to frame. Reads in pieces of a megabyte."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        self._stream = stream
        self._start, self._end = start, end
        self._base, self._data = start, b""
        self._tries = 0

    def run(self) -> Mp3Run | None:
        at = self._next_frame(self._start)
        if at is None or (first := frame_header(self._bytes(at, 4))) is None:
            return None
        begins, head = at, self._bytes(at, 4)
        told, told_bytes = self._told(at, first)
        frames = 0
        if told is not None:
            at += first.size
        while (found := self._next_frame(at)) is not None:
            header = frame_header(self._bytes(found, 4))
            if header is None or _differs(header, first) or self._is_xing(found, header):
                return Mp3Run(begins, found, frames, head, told, told_bytes)
            at = found + header.size
            if at > self._end:
                break  # cut off within a frame
            frames += 1
        if self._tries == _MOST_TRIES:
            return None  # who gave up has not counted
        return Mp3Run(begins, self._end, frames, head, told, told_bytes)

    def _next_frame(self, at: int) -> int | None:
        """Return where the frame at or behind ``at`` begins; tags and junk are passed over."""
        if frame_header(self._bytes(at, 4)):
            return at
        at = self._behind_tags(at)
        while at < self._end and self._tries < _MOST_TRIES:
            data = self._bytes(at, 4096)
            offset = data.find(b"\xff")
            if offset < 0:
                at += max(1, len(data))
                continue
            self._tries += 1
            if self._is_frame(at + offset):
                return at + offset
            at += offset + 1
        return None

    def _behind_tags(self, at: int) -> int:
        while True:
            head = self._bytes(at, 32)
            if head[:3] == b"ID3" and len(head) >= 10:
                size = 0
                for byte in head[6:10]:
                    size = size << 7 | byte & 0x7F
                at += 10 + size + (10 if head[5] & 0x10 else 0)
            elif head[:3] == b"TAG":
                at += 128
            elif head[:8] == b"APETAGEX" and len(head) >= 16:
                at += 32 + int.from_bytes(head[12:16], "little")
            else:
                return at

    def _is_frame(self, at: int) -> bool:
        """Whether a frame begins at ``at``, and another of its kind where that one ends."""
        header = frame_header(self._bytes(at, 4))
        if header is None:
            return False
        following = frame_header(self._bytes(at + header.size, 4))
        return following is not None and not _differs(header, following)

    def _is_xing(self, at: int, header: FrameHeader) -> bool:
        return self._bytes(at + 4 + header.side_bytes, 4) in (b"Xing", b"Info")

    def _told(self, at: int, header: FrameHeader) -> tuple[int | None, int]:
        """Return how many frames and bytes a Xing frame at ``at`` tells."""
        if not self._is_xing(at, header):
            return None, 0
        tag = self._bytes(at + 4 + header.side_bytes, 16).ljust(16, b"\0")
        flags, numbers = int.from_bytes(tag[4:8], "big"), [tag[8:12], tag[12:16]]
        frames = int.from_bytes(numbers.pop(0), "big") if flags & _HAS_FRAMES else 0
        return frames, int.from_bytes(numbers[0], "big") if flags & _HAS_BYTES else 0

    def _bytes(self, at: int, size: int) -> bytes:
        """Return up to ``size`` bytes at ``at``; fewer at the end."""
        offset = at - self._base
        if offset < 0 or offset + size > len(self._data):
            self._stream.seek(at)
            self._base, offset = at, 0
            self._data = self._stream.read(max(0, min(_CHUNK_BYTES, self._end - at)))
        return self._data[offset : offset + size]


def _differs(header: FrameHeader, other: FrameHeader) -> bool:
    return (header.sample_rate, header.channels) != (other.sample_rate, other.channels)
