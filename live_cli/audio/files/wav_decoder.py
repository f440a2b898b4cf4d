"""Decodes uncompressed WAV from a stream of bytes that is read forwards only, a file or a pipe.

The length in a WAV header is right only where its writer lived to correct it: 0 or the largest
number stand for "not known", a recorder that was killed leaves an old one. So what follows the
sound decides whether it has ended: chunks, a tag, another file; anything else is more sound.
"""

import struct

import numpy as np
import numpy.typing as npt

from live_cli.audio.files.kinds import KIND_BYTES, kind_of
from live_cli.audio.files.wav_header import ByteSource, read_wav_header

_NOT_KNOWN = 0x7FFF0000
"""A length from here on is a recorder's way to say that it did not know."""
_FOLLOWING = ("wav", "flac", "ogg", "mp4", "matroska", "aiff", "asf", "caf")
"""Files that may be joined to a WAV: their beginnings are long enough to be no sound."""
_CHUNK_HEAD = 8
_MOST_CHUNKS = 1000
"""Behind the sound; a file has a handful. More are no file of a recorder's, and are left unread."""
_NOTHING_LOST_S = 0.05
"""Less than this is no loss: a header that counts itself, a last sample cut in two."""
_SKIP_BYTES = 1 << 16


class PeekedSource:
    """A stream of bytes of which the next can be seen before they are read; it counts them."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._peeked = b""
        self.position = 0

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes, which stay; fewer at the end of the stream."""
        while len(self._peeked) < size and (data := self._source.read(size - len(self._peeked))):
            self._peeked += data
        return self._peeked[:size]

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, as soon as there are any."""
        if self._peeked:
            cut = len(self._peeked) if size < 0 else size
            data, self._peeked = self._peeked[:cut], self._peeked[cut:]
        else:
            data = self._source.read(size)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        """Read ``size`` bytes and forget them."""
        while size > 0 and (data := self.read(min(size, _SKIP_BYTES))):
            size -= len(data)


class WavDecoder:
    """Reads one WAV file from its beginning. Raises InputFileError for what is none, or compressed.

    ``size``: of the stream in bytes, where known. ``frames``: how many are expected, None where
    that is not known. Known at the end: ``goes_on``, another file begins where this one ends, and
    ``source`` stands there; ``cut_off``, the header promised more.
    """

    def __init__(self, source: PeekedSource, size: int | None = None) -> None:
        self.source = source
        self._begins = source.position
        self._size = size
        source.skip(4)  # "RIFF"
        self._header = read_wav_header(source)
        self.format = self._header.format
        self._told = self._left = self._header.data_bytes
        self._partial = b""
        self._chunks = 0
        self._ended = False
        self.goes_on = False
        self.cut_off = False
        self.damaged = 0
        self.sample_rate = self.format.sample_rate
        self.channels = self.format.channels
        self.frames = self._expected_frames()

    def _expected_frames(self) -> int | None:
        """Return how many frames there will be, by the header or by the size; None: not known."""
        if self._size is None:
            return self._told // self.format.frame_bytes if self._is_told else None
        there = max(0, self._size - self.source.position)
        # chunks behind the sound are short; much of anything else is sound that was not counted
        if self._is_told and there - self._told < max(self._nothing_bytes, there // 4):
            return self._told // self.format.frame_bytes
        return there // self.format.frame_bytes

    @property
    def _is_told(self) -> bool:
        return 0 < self._told < _NOT_KNOWN

    @property
    def _nothing_bytes(self) -> int:
        return int(_NOTHING_LOST_S * self.sample_rate) * self.format.frame_bytes

    def read(self, frames: int) -> npt.NDArray[np.float32]:
        """Return up to ``frames`` frames, float32 of shape (n, channels); none at the end."""
        wanted = frames * self.format.frame_bytes
        data = self._partial
        while len(data) < wanted and (piece := self._next_bytes(wanted - len(data))):
            data += piece
        whole = len(data) - len(data) % self.format.frame_bytes
        self._partial = data[whole:]
        return self.format.frames(data[:whole])

    def _next_bytes(self, size: int) -> bytes:
        """Return up to ``size`` bytes of sound; none at its end."""
        while not self._ended:
            if self._left == 0 and not self._finds_more_sound():
                break
            data = self.source.read(min(size, self._left))
            if data:
                self._left -= len(data)
                return data
            self._ended = True
            self.cut_off = self._is_cut_off()
        return b""

    def _is_cut_off(self) -> bool:
        """Whether both lengths in the header say that more was written than has come."""
        file_bytes = self._header.riff_bytes
        is_finished = 0 < file_bytes < _NOT_KNOWN and self._is_told
        come = self.source.position - self._begins
        missing = min(self._left, file_bytes + _CHUNK_HEAD - come)
        return is_finished and missing > self._nothing_bytes

    def _finds_more_sound(self) -> bool:
        """Look at what follows the sound that the header counted. Returns whether it is sound."""
        while self._chunks < _MOST_CHUNKS:
            self._chunks += 1
            head = self.source.peek(KIND_BYTES)
            if self._told % 2 and head[:1] == b"\0" and self._is_chunk(head[1:], 1):
                self.source.skip(1)
                head = self.source.peek(KIND_BYTES)
            self.goes_on = kind_of(head) in _FOLLOWING
            if self.goes_on or not self._is_chunk(head, 0):
                break
            name, size = struct.unpack("<4sI", head[:_CHUNK_HEAD])
            self.source.skip(_CHUNK_HEAD)
            if name == b"data" and size:
                self._left = self._told = size
                return True
            self.source.skip(size + size % 2)
        self._ended = True
        head = self.source.peek(KIND_BYTES)
        is_tag = head[:3] in (b"TAG", b"ID3") or head[:8] == b"APETAGEX"
        if not head or is_tag or self.goes_on or self._chunks == _MOST_CHUNKS:
            return False
        if self._told and not self.source.peek(self._nothing_bytes)[self._nothing_bytes - 1 :]:
            return False
        self._ended, self._told = False, 0
        self._left = _NOT_KNOWN << 32  # all that comes
        return True

    def _is_chunk(self, head: bytes, offset: int) -> bool:
        """Whether ``head``, ``offset`` bytes on, begins a chunk: a name, a size that fits."""
        name = head[:4]
        if len(head) < _CHUNK_HEAD or not name.isascii() or not name.decode().isprintable():
            return False
        if name == b"RIFF" or not any(65 <= byte <= 122 for byte in name):
            return False
        size = int.from_bytes(head[4:8], "little")
        if self._size is None:
            return size <= 1 << 20
        return self.source.position + offset + _CHUNK_HEAD + size <= self._size

    def close(self) -> None:
        """Nothing is held."""
