"""A part of a file, as a file of its own: what one decoder gets of several files joined in one."""

import io
import os
from typing import BinaryIO


class Window(io.RawIOBase):
    """The bytes of ``stream`` from ``start`` to ``end``, behind ``prefix``; read only.

    It moves the position of ``stream``, which it does not close, and has no name: a decoder that is
    given one would trust its suffix.
    """

    def __init__(self, stream: BinaryIO, start: int, end: int, prefix: bytes = b"") -> None:
        self._stream = stream
        self._start = start
        self._prefix = prefix
        self._size = len(prefix) + max(0, end - start)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self._prefix[self._at : self._at + wanted]
        if len(data) < wanted:
            self._stream.seek(self._start + self._at + len(data) - len(self._prefix))
            data += self._stream.read(wanted - len(data))
        self._at += len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
