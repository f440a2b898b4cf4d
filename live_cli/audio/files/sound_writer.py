"""Writes mono sound into a file of the format that its name says, in a stream."""

import os
from pathlib import Path
from typing import Any, Protocol, Self

from live_cli.audio.files.flac_writer import FlacWriter
from live_cli.audio.files.sound_formats import SOUND_FORMATS
from live_cli.audio.files.wav_writer import WavWriter
from live_cli.audio.pcm import Samples, float_from_pcm16, pcm16_from_float
from live_cli.errors import InputFileError


class SoundWriter(Protocol):
    """An open sound file. Raises InputFileError where it cannot be written."""

    def write(self, samples: Samples) -> None:
        """Append ``samples``, float32 at the writer's rate."""

    def write_pcm16(self, data: bytes) -> None:
        """Append little-endian PCM16."""

    def close(self) -> None:
        """Finish the file."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_sound_writer(target: str, sample_rate: int) -> SoundWriter:
    """Open ``target``, "-" for bare PCM16 on stdout, in the format of its suffix; without: WAV.

    Raises InputFileError where it cannot be written.
    """
    coding = None if target == "-" else SOUND_FORMATS.get(Path(target).suffix.lower())
    if coding is None:
        return WavWriter(target, sample_rate)
    return EncodedWriter(target, sample_rate, *coding)


class EncodedWriter:
    """Writes mono FLAC, MP3, Ogg Vorbis or Opus.

    What is written is in the file within a second of sound. A FLAC file is whole at any moment; the
    others lack their last second after a kill, and an MP3's header then names too short a time,
    which players that count frames do not mind.
    """

    def __init__(self, target: str, sample_rate: int, container: str, coding: str) -> None:
        import soundfile

        self.name = target
        self._sample_rate = sample_rate
        self._unflushed = 0
        self._flac: FlacWriter | None = None
        self._file: Any = None
        try:
            with open(target, "wb"):  # a name that cannot be written is told in the system's words
                pass
            if container == "FLAC":
                self._flac = FlacWriter(target, sample_rate, channels=1)
                return
            path = os.fsencode(target) if os.name == "posix" else target
            self._file = soundfile.SoundFile(path, "w", sample_rate, 1, coding, format=container)
        except (OSError, soundfile.LibsndfileError) as exc:
            raise self._unwritable(exc) from exc

    def write(self, samples: Samples) -> None:
        """Append ``samples``, float32 at the writer's rate."""
        self.write_pcm16(pcm16_from_float(samples))

    def write_pcm16(self, data: bytes) -> None:
        """Append little-endian PCM16."""
        import soundfile

        try:
            samples = float_from_pcm16(data)
            if self._flac is not None:
                self._flac.write(samples.reshape(-1, 1))
                return
            self._file.write(samples)
            self._unflushed += samples.size
            if self._unflushed >= self._sample_rate:
                self._file.flush()
                self._unflushed = 0
        except (OSError, soundfile.LibsndfileError, AssertionError) as exc:
            raise self._unwritable(exc) from exc

    def close(self) -> None:
        """Finish the file."""
        import soundfile

        try:
            (self._flac or self._file).close()
        except (OSError, soundfile.LibsndfileError) as exc:
            raise self._unwritable(exc) from exc

    def _unwritable(self, exc: Exception) -> InputFileError:
        why = getattr(exc, "strerror", None) or str(exc).rstrip(".") or "the disk may be full"
        return InputFileError(f"{self.name} cannot be written: {why}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
