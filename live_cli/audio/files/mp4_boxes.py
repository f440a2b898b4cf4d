"""The boxes of an MP4 file, one after another (ISO 14496-12, 4.2)."""

from collections.abc import Iterator
from typing import BinaryIO

from live_cli.audio.files.window import Window

_SMALLEST = 8
_OF_64_BITS = 16


def mp4_boxes(stream: BinaryIO | Window, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the place and the name of each box of the outermost level."""
    at = start
    while at < end:
        stream.seek(at)
        head = stream.read(_OF_64_BITS)
        yield at, head[4:8]
        size = int.from_bytes(head[:4], "big")
        if size == 1 and len(head) == _OF_64_BITS:
            size = int.from_bytes(head[8:], "big")
        if size < _SMALLEST:
            return  # 0: to the end of the file
        at += size
