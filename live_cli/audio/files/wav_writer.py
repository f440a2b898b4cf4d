"""Writes mono PCM16 in a stream: WAV into a file, bare into a pipe."""

import os
import sys
from typing import BinaryIO, Self

from live_cli.audio.files.wav_header import HEADER_BYTES, wav_header
from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.errors import InputFileError
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE


class WavWriter:
    """Writes mono PCM16 into a WAV file, or bare into a pipe ("-" is stdout).

    The header is brought up to date once a second of sound and at the end, so that a recording
    that is stopped early, even by a kill, is a playable file. Raises InputFileError when the file
    cannot be written; BrokenPipeError when nobody reads the pipe any more, for the caller to end.
    """

    _HEADER_EVERY_S = 1.0

    def __init__(
        self, target: str | os.PathLike[str] | BinaryIO, sample_rate: int = OUTPUT_SAMPLE_RATE
    ) -> None:
        self._sample_rate = sample_rate
        self._data_bytes = 0
        self._header_at_bytes = 0
        self._owns_file = False
        if isinstance(target, str | os.PathLike):
            self._file, self.name = self._open(os.fspath(target))
        else:
            self._file, self.name = target, str(getattr(target, "name", "the output"))
        self._is_pipe = not self._file.seekable() or self._file is getattr(
            sys.stdout, "buffer", None
        )
        if not self._is_pipe:
            self._file.write(wav_header(0, sample_rate))

    def _open(self, path: str) -> tuple[BinaryIO, str]:
        if path == "-":
            if sys.stdout is None or sys.stdout.closed:
                raise InputFileError("Standard output is closed: name a file for the sound.")
            if sys.stdout.isatty():
                raise InputFileError("Standard output is the screen: pipe it, or name a file.")
            return sys.stdout.buffer, "standard output"
        try:
            file = open(path, "wb")  # noqa: SIM115  closed by close()
        except OSError as exc:
            raise InputFileError(f"{path} cannot be written: {exc.strerror or exc}.") from exc
        self._owns_file = True
        return file, path

    def write(self, samples: Samples) -> None:
        """Append ``samples``, float32 at the writer's rate."""
        self.write_pcm16(pcm16_from_float(samples))

    def write_pcm16(self, data: bytes) -> None:
        """Append little-endian PCM16."""
        try:
            self._file.write(data)
            self._data_bytes += len(data)
            if self._is_pipe:
                self._file.flush()
            elif (
                self._data_bytes - self._header_at_bytes
                >= 2 * self._sample_rate * self._HEADER_EVERY_S
            ):
                self._update_header()
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise InputFileError(f"{self.name} cannot be written: {exc.strerror or exc}.") from exc

    def _update_header(self) -> None:
        end = HEADER_BYTES + self._data_bytes
        self._file.seek(0)
        self._file.write(wav_header(self._data_bytes, self._sample_rate))
        self._file.seek(end)
        self._file.flush()
        self._header_at_bytes = self._data_bytes

    def close(self) -> None:
        """Finish the header; close the file if the writer opened it."""
        if self._file.closed:
            return
        try:
            if not self._is_pipe:
                self._update_header()
        finally:
            if self._owns_file:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
