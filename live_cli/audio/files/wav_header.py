"""Writes the header of a WAV file, and reads one from a pipe that cannot be rewound."""

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import Samples, float_from_pcm16, mono
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

HEADER_BYTES = 44
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_LARGEST_SIZE = 0xFFFFFFFF


class ByteSource(Protocol):
    """A stream of bytes that can be read, but not rewound."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Sample rate in Hz, channels and encoding of an uncompressed stream."""

    sample_rate: int
    channels: int
    sample_bytes: int
    is_float: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.sample_bytes * self.channels

    def samples(self, data: bytes) -> Samples:
        """Return the mono samples of ``data``; an incomplete one at its end is left out."""
        data = data[: len(data) - len(data) % self.frame_bytes]
        return mono(self._interleaved(data).reshape(-1, self.channels))

    def _interleaved(self, data: bytes) -> npt.NDArray[np.float32]:
        if self.is_float:
            with np.errstate(over="ignore", invalid="ignore"):  # what is broken clips later
                return np.frombuffer(data, dtype=f"<f{self.sample_bytes}").astype(np.float32)
        if self.sample_bytes == 1:
            return (np.frombuffer(data, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
        if self.sample_bytes == 2:
            return float_from_pcm16(data)
        # 24 and 32 bits: keep the upper three bytes, more than float32 can hold
        octets = np.frombuffer(data, dtype=np.uint8).reshape(-1, self.sample_bytes)[:, -3:]
        wide = np.zeros((octets.shape[0], 4), dtype=np.uint8)
        wide[:, 1:] = octets
        return (wide.view("<i4")[:, 0] / 2147483648.0).astype(np.float32)


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


def read_wav_header(source: ByteSource) -> tuple[PcmFormat, int | None]:
    """Read a WAV header up to the first sample; its first four bytes "RIFF" are already read.

    Returns the format, and how many bytes of sound follow: None where the header does not know, as
    a recorder writes that has not ended. Raises InputFileError.
    """
    layout: PcmFormat | None = None
    if _exactly(source, 8)[4:] != b"WAVE":
        raise InputFileError("The piped input begins like a WAV file but is none.")
    while True:
        name, size = struct.unpack("<4sI", _exactly(source, 8))
        if name == b"data":
            if layout is None:
                raise InputFileError("The piped WAV input has no format chunk before its sound.")
            return layout, size if 0 < size < 0x7FFF0000 else None
        body = _exactly(source, size + size % 2)
        if name == b"fmt ":
            layout = _pcm_format(body)


def _pcm_format(body: bytes) -> PcmFormat:
    if len(body) < 16:
        raise InputFileError("The piped WAV input has a broken format chunk.")
    tag, channels, sample_rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack("<H", body[24:26])[0]
    allowed_bits = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}.get(tag, ())
    if bits not in allowed_bits or not 1 <= channels <= 64 or not 1000 <= sample_rate <= 768_000:
        raise InputFileError(
            f"The piped WAV input has an encoding that cannot be streamed (format {tag}, "
            f"{bits} bits, {channels} channels, {sample_rate} Hz): give it as a file instead."
        )
    return PcmFormat(sample_rate, channels, bits // 8, is_float=tag == _FLOAT)


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
