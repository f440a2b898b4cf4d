"""Writes a FLAC file that is whole at any moment while it grows.

The encoder writes the number of samples into the header when it is closed; a recording that is cut
off by a kill or a full disk would have none, and some decoders refuse it. So that number is
brought up to date as the file grows, with what has certainly been written: all but the block
that the encoder works on. The encoder also writes nothing before the first sound; until then the
file has a header of ours, which says that the number is not known (0).
"""

import contextlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

_BLOCK_FRAMES = 4096
"""Samples in a block at libFLAC's middle compression levels."""
_COUNT_AT, _COUNT_BYTES = 18, 8
"""Place of rate, channels, bits and (36 bits) the count of samples: STREAMINFO, RFC 9639, 8.2."""
_COUNT_MASK = (1 << 36) - 1
_LAST_STREAMINFO, _STREAMINFO_BYTES = 0x80, 34
"""The head of a metadata block that no other follows, RFC 9639, 8.1."""
_BITS = 16


class FlacWriter:
    """Writes PCM16 into ``path``, an empty file whose permissions are kept.

    Raises OSError when the file cannot be written; what has been written stays playable.
    """

    def __init__(self, path: str | os.PathLike[str], sample_rate: int, channels: int) -> None:
        import soundfile

        self._path = Path(path)
        self._frames = 0
        self._failed = False
        try:
            self._file = soundfile.SoundFile(
                _native(path), "w", sample_rate, channels, "PCM_16", format="FLAC"
            )
        except soundfile.LibsndfileError as exc:
            raise OSError(_reason(exc)) from exc
        with self._path.open("r+b", buffering=0) as file:  # the encoder begins at 0 as well
            file.write(empty_header(sample_rate, channels))

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """Append ``samples``, float32 of shape (n, channels)."""
        import soundfile

        try:
            self._file.write(samples)
            self._file.flush()
        except (soundfile.LibsndfileError, AssertionError) as exc:
            self._failed = True
            raise OSError(_reason(exc)) from exc
        self._frames += samples.shape[0]
        self._write_count()

    def close(self) -> None:
        """Finish the file, also after a failure. Raises OSError when its end is lost."""
        import soundfile

        if self._file.closed:
            return
        try:
            self._file.close()
        except soundfile.LibsndfileError as exc:
            raise OSError(_reason(exc)) from exc
        finally:
            if self._failed:
                self._write_count()

    def _write_count(self) -> None:
        """Update the number of samples in the header in place, which a full disk allows."""
        blocks = max(0, self._frames - 1) // _BLOCK_FRAMES  # it looks one sample ahead
        if not blocks:
            return
        with contextlib.suppress(OSError), self._path.open("r+b", buffering=0) as file:
            # where the encoder keeps the file to itself, it alone writes the number
            file.seek(_COUNT_AT)
            facts = int.from_bytes(file.read(_COUNT_BYTES), "big")
            facts = facts & ~_COUNT_MASK | blocks * _BLOCK_FRAMES
            file.seek(_COUNT_AT)
            file.write(facts.to_bytes(_COUNT_BYTES, "big"))


def empty_header(sample_rate: int, channels: int) -> bytes:
    """Return a FLAC file of 16 bits that has no sound yet: its first metadata block alone."""
    facts = sample_rate << 44 | (channels - 1) << 41 | (_BITS - 1) << 36
    return b"".join(
        (
            b"fLaC",
            bytes((_LAST_STREAMINFO, *_STREAMINFO_BYTES.to_bytes(3, "big"))),
            _BLOCK_FRAMES.to_bytes(2, "big") * 2,  # the smallest block and the largest
            bytes(6),  # the sizes of frames are not known
            facts.to_bytes(_COUNT_BYTES, "big"),
            bytes(16),  # nor is the checksum
        )
    )


def _native(path: str | os.PathLike[str]) -> str | bytes:
    """Return ``path`` as libsndfile's Python package opens it: on POSIX a name may be any bytes."""
    return os.fsencode(path) if os.name == "posix" else os.fspath(path)


def _reason(exc: Exception) -> str:
    """Return libsndfile's short message, without a full stop."""
    return str(getattr(exc, "error_string", "") or exc or "the encoder failed").rstrip(". ")
