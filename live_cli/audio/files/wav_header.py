"""Writes the header of a WAV file, and reads one, from a pipe that cannot be rewound as well."""

import struct
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import float_from_pcm16
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

HEADER_BYTES = 44
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SKIP_BYTES = 1 << 16
_MOST_CHUNKS = 1000
"""Before the sound; a file has a handful."""
_LARGEST_SIZE = 0xFFFFFFFF


class ByteSource(Protocol):
    """A stream of bytes that can be read, but not rewound."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Sample rate in Hz, channels and encoding of a stream that is not compressed.

    ``tag``: the encoding's number in WAV: integers, floats, A-law or mu-law.
    """

    sample_rate: int
    channels: int
    sample_bytes: int
    tag: int = _PCM

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.sample_bytes * self.channels

    def frames(self, data: bytes) -> npt.NDArray[np.float32]:
        """Return the whole frames of ``data``, float32 of shape (n, channels)."""
        data = data[: len(data) - len(data) % self.frame_bytes]
        return self._interleaved(data).reshape(-1, self.channels)

    def _interleaved(self, data: bytes) -> npt.NDArray[np.float32]:
        if self.tag == _FLOAT:
            with np.errstate(over="ignore", invalid="ignore"):  # what is broken clips later
                return np.frombuffer(data, dtype=f"<f{self.sample_bytes}").astype(np.float32)
        if self.tag in (_A_LAW, _MU_LAW):
            return _telephone_samples(self.tag)[np.frombuffer(data, dtype=np.uint8)]
        if self.sample_bytes == 1:
            return (np.frombuffer(data, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
        if self.sample_bytes == 2:
            return float_from_pcm16(data)
        # 24 and 32 bits: keep the upper three bytes, more than float32 can hold
        octets = np.frombuffer(data, dtype=np.uint8).reshape(-1, self.sample_bytes)[:, -3:]
        wide = np.zeros((octets.shape[0], 4), dtype=np.uint8)
        wide[:, 1:] = octets
        return (wide.view("<i4")[:, 0] / 2147483648.0).astype(np.float32)


@cache
def _telephone_samples(tag: int) -> npt.NDArray[np.float32]:
    """Return the sample that each of 256 bytes stands for (ITU-T G.711)."""
    code = np.arange(256) ^ (0x55 if tag == _A_LAW else 0xFF)
    exponent, mantissa = code >> 4 & 7, code & 15
    if tag == _A_LAW:
        level = np.where(exponent, (2 * mantissa + 33) << exponent >> 1, 2 * mantissa + 1) << 3
        sign = np.where(code & 0x80, 1, -1)
    else:
        level = ((2 * mantissa + 33 << exponent) - 33) << 2
        sign = np.where(code & 0x80, -1, 1)
    samples: npt.NDArray[np.float32] = (sign * level / 32768.0).astype(np.float32)
    return samples


RAW_SPEECH = PcmFormat(sample_rate=INPUT_SAMPLE_RATE, channels=1, sample_bytes=2)
"""The format of a pipe without a header: PCM16 mono at 16 kHz."""


def wav_header(data_bytes: int, sample_rate: int) -> bytes:
    """Return the 44 bytes of the header before ``data_bytes`` of mono PCM16."""
    data_bytes = min(data_bytes, _LARGEST_SIZE - 36)
    riff = struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE")
    format_chunk = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, _PCM, 1, sample_rate, sample_rate * 2, 2, 16
    )
    return riff + format_chunk + struct.pack("<4sI", b"data", data_bytes)


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What a WAV header says: the encoding, and the bytes of sound and of the file behind RIFF.

    The numbers are as they are written, right or not.
    """

    format: PcmFormat
    data_bytes: int
    riff_bytes: int


def read_wav_header(source: ByteSource) -> WavHeader:
    """Read a WAV header up to the first sample; its first four bytes "RIFF" are already read.

    Raises InputFileError for what is no WAV, or compressed.
    """
    layout: PcmFormat | None = None
    riff_bytes, wave = struct.unpack("<I4s", _exactly(source, 8))
    if wave != b"WAVE":
        raise InputFileError("The piped input begins like a WAV file but is none.")
    for _ in range(_MOST_CHUNKS):
        name, size = struct.unpack("<4sI", _exactly(source, 8))
        if name == b"data":
            if layout is None:
                raise InputFileError("The piped WAV input has no format chunk before its sound.")
            return WavHeader(layout, size, riff_bytes)
        if name == b"fmt ":
            layout = _pcm_format(_exactly(source, size + size % 2))
        else:
            _skip(source, size + size % 2)
    raise InputFileError("The piped WAV input has no sound behind its first chunks.")


def _pcm_format(body: bytes) -> PcmFormat:
    if len(body) < 16:
        raise InputFileError("The piped WAV input has a broken format chunk.")
    tag, channels, sample_rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack("<H", body[24:26])[0]
    allowed_bits = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _A_LAW: (8,), _MU_LAW: (8,)}
    is_read = bits in allowed_bits.get(tag, ())
    if not is_read or not 1 <= channels <= 64 or not 1000 <= sample_rate <= 768_000:
        raise InputFileError(
            f"The piped WAV input has an encoding that cannot be streamed (format {tag}, "
            f"{bits} bits, {channels} channels, {sample_rate} Hz): give it as a file instead."
        )
    return PcmFormat(sample_rate, channels, bits // 8, tag)


def _skip(source: ByteSource, size: int) -> None:
    while size:
        size -= len(_exactly(source, min(size, _SKIP_BYTES)))


def _exactly(source: ByteSource, size: int) -> bytes:
    if size > 1 << 20:
        raise InputFileError("The piped WAV input has a broken header.")
    data = b""
    while len(data) < size:
        piece = source.read(size - len(data))
        if not piece:
            raise InputFileError("The piped WAV input ends inside its header.")
        data += piece
    return data
