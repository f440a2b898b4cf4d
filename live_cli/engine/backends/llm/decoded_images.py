"""The images that llama.cpp decodes in this process: which of them it is given. Pure.

llama.cpp reads an image whole before it scales it, by stb_image, which knows JPEG and PNG and no
WebP. A PNG of some kilobytes can hold pixels for gigabytes: the size that its header tells is
looked at before.
"""

import struct
import zlib
from collections.abc import Iterable

from live_cli.engine.stages import ChatMessage, Image
from live_cli.errors import UnsupportedError

MOST_PIXELS = 40_000_000
"""Of one image, more than an 8K screen has: 120 MB once it is decoded."""
CANNOT_DECODE = (
    "An image cannot be decoded: it is damaged, or of a kind of JPEG or PNG not known here."
)
_BLANK_SIDE = 768
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""JPEG markers without a segment: TEM, RST0 to RST7, and SOI."""
_SIZE_IN = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers whose segment tells the size: SOF0 to SOF15, without DHT, JPG and DAC."""


def check_decodable(messages: Iterable[ChatMessage]) -> None:
    """Refuse the images that llama.cpp cannot decode, or that are too large for this process.

    Raises UnsupportedError (1007).
    """
    for message in messages:
        for image in message.images:
            _check(image)


def _check(image: Image) -> None:
    if image.mime_type not in ("image/jpeg", "image/png"):
        kind = image.mime_type.removeprefix("image/").upper()
        raise UnsupportedError(f"The chat model reads no {kind} images: send JPEG or PNG.")
    size = _size_of(image.data)
    if size is None:
        raise UnsupportedError(CANNOT_DECODE)
    width, height = size
    if width * height > MOST_PIXELS:
        raise UnsupportedError(
            f"An image has {width:,} x {height:,} pixels, more than "
            f"{MOST_PIXELS // 1_000_000} million: make it smaller first."
        )


def _size_of(data: bytes) -> tuple[int, int] | None:
    """Return the width and height in the header of a JPEG or PNG file; None where it has none."""
    try:
        if data.startswith(b"\x89PNG"):
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        return _jpeg_size(data)
    except (struct.error, IndexError):
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk over the segments of a JPEG file up to the one that tells its size."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a byte that only fills
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker in _SIZE_IN:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
    return None


def blank_image() -> Image:
    """Return a grey image as large as a client sends them, to count its tokens by."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", _BLANK_SIDE, _BLANK_SIDE, 8, 0, 0, 0, 0)  # 8 bits of grey
    rows = zlib.compress((b"\0" + b"\x80" * _BLANK_SIDE) * _BLANK_SIDE)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return Image(b"\x89PNG\r\n\x1a\n" + chunks, "image/png")
