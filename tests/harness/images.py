"""Small images: real files of one colour each, and JPEG beginnings that carry a number."""

import struct
import zlib


def png(red: int, green: int, blue: int, side: int = 8) -> bytes:
    """Return a PNG file of one colour, ``side`` pixels square, that any decoder reads."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg(number: int) -> bytes:
    """Return data that begins as a JPEG does, followed by ``number`` in four bytes."""
    return b"\xff\xd8\xff" + number.to_bytes(4, "big")


PNG = png(255, 0, 0)
JPEG = jpeg(0)
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\0\0\0\0\0\0"
