"""Reads speech from a pipe that may never end: a recorder's WAV, or bare PCM16 at 16 kHz.

A pipe cannot be rewound, so its first bytes decide. Compressed formats cannot be decoded while
they come; they are read to their end first, and are then a file like any other.
"""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.files.wav_header import RAW_SPEECH, ByteSource, PcmFormat, read_wav_header
from live_cli.audio.pcm import Samples
from live_cli.audio.resampler import Resampler
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_MAGIC_BYTES = 4
_READS_PER_S = 50
_WHOLE_FILE_MAGICS = (b"fLaC", b"OggS", b"ID3", b"FORM", b"caff", b"RF64", b"\xff\xfb", b"\xff\xf3")


class DescriptorSource:
    """Reads a file descriptor without Python's buffer, whose lock a blocked read would hold."""

    name = "standard input"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, as soon as there are any; b"" at the end."""
        return os.read(self._descriptor, size if size >= 0 else 1 << 16)


class _Rejoined:
    """A pipe, with the bytes that were already read from it put back in front."""

    def __init__(self, first: bytes, source: ByteSource, name: str) -> None:
        self._first = first
        self._source = source
        self.name = name

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1, /) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._source.read(size)


def piped_speech(source: ByteSource) -> Iterator[Samples]:
    """Yield blocks of mono float32 at 16 kHz, as they come. Raises InputFileError."""
    name = str(getattr(source, "name", "the input"))
    magic = _up_to(source, _MAGIC_BYTES)
    if not magic:
        raise InputFileError(f"{name} is empty.")
    if magic == b"RIFF":
        layout, data_bytes = read_wav_header(source)
        yield from _uncompressed(source, layout, data_bytes)
    elif magic.startswith(_WHOLE_FILE_MAGICS):
        rejoined: Any = _Rejoined(magic, source, name)
        with open_speech(cast(BinaryIO, rejoined)) as speech:
            yield from speech
    else:
        yield from _uncompressed(_Rejoined(magic, source, name), RAW_SPEECH, None)


def _uncompressed(
    source: ByteSource, layout: PcmFormat, data_bytes: int | None
) -> Iterator[Samples]:
    resampler = Resampler(layout.sample_rate, INPUT_SAMPLE_RATE)
    block_bytes = max(1, layout.sample_rate // _READS_PER_S) * layout.frame_bytes
    left = data_bytes
    while left is None or left > 0:
        data = _up_to(source, block_bytes if left is None else min(block_bytes, left))
        if not data:
            break
        left = None if left is None else left - len(data)
        yield resampler.process(layout.samples(data))
    yield resampler.flush()


def _up_to(source: ByteSource, size: int) -> bytes:
    """Return ``size`` bytes, fewer only at the end of the stream."""
    data = b""
    while len(data) < size:
        piece = source.read(size - len(data))
        if not piece:
            break
        data += piece
    return data
