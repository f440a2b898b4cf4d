"""Reads and writes speech files in a stream, never whole in memory.

Reading takes whatever libsndfile decodes (WAV, FLAC, Ogg, MP3, …), at any rate, with any number of
channels, and gives blocks of mono at 16 kHz. A file that is cut off gives what is there;
`SpeechReader.warning` says so. Writing makes mono PCM16: WAV into a file, bare into a pipe.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

from live_cli.audio.files.wav_header import HEADER_BYTES, wav_header
from live_cli.audio.pcm import Samples, mono, pcm16_from_float
from live_cli.audio.resampler import Resampler
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE

_KNOWN_FORMATS = "WAV, FLAC, Ogg, Opus and MP3 can be read; convert others first, e.g. with ffmpeg."
_SPOOL_IN_MEMORY_BYTES = 4 << 20
_LARGEST_SPOOL_BYTES = 1 << 32
"""The largest WAV file, 4 GiB: what has no end must not fill the disk."""
# libsndfile's log: a chunk that promises more than the file holds, an Ogg stream without its end
_WAV_SHORTFALL = re.compile(r"^\s*data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_OGG_SHORTFALL = re.compile(
    r"File ended unexpectedly|lacks an end-of-stream|Junk after the last page"
)
_UNKNOWN_SIZE = 0x7FFF0000


class SpeechReader:
    """An open speech file: iterate for blocks of mono float32 at 16 kHz, about a second each.

    ``duration_s`` is what the header says, None where it says nothing. ``warning``, known once the
    iteration has ended, is one line about a file that is cut off, else None. Iterating raises
    InputFileError where nothing can be decoded.
    """

    def __init__(self, file: Any, name: str, source: BinaryIO | None = None) -> None:
        self._file = file
        self._source = source
        self._resampler = Resampler(file.samplerate, INPUT_SAMPLE_RATE)
        self._read_frames = 0
        self.name = name
        self.source_rate: int = file.samplerate
        self.channels: int = file.channels
        promised = int(file.frames)
        self._promised_frames = promised if 0 < promised < 1 << 48 else None
        self.duration_s = promised / file.samplerate if self._promised_frames else None
        self.warning: str | None = None

    def __iter__(self) -> Iterator[Samples]:
        while (frames := self._read()).size:
            self._read_frames += frames.shape[0]
            block = self._resampler.process(mono(frames))
            if block.size:
                yield block
        rest = self._resampler.flush()
        if rest.size:
            yield rest
        self._judge_length()

    def _read(self) -> Samples:
        import soundfile

        try:
            frames: Samples = self._file.read(self.source_rate, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            # the decoder gave up in mid-stream: what came before it has been handed on
            self._warn_cut_off()
            return mono(_empty())
        return frames

    def _judge_length(self) -> None:
        promised = self._promised_frames
        if (promised and self._read_frames < promised) or _is_short(str(self._file.extra_info)):
            self._warn_cut_off()
        if not self._read_frames:
            raise InputFileError(f"{self.name} has no sound in it that can be read.")

    def _warn_cut_off(self) -> None:
        seconds = self._read_frames / self.source_rate
        self.warning = f"{self.name} is cut off: only its first {seconds:.1f} s could be read."

    def close(self) -> None:
        """Close the file, and the stream it is read from."""
        self._file.close()
        if self._source is not None:
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_speech(source: str | os.PathLike[str] | BinaryIO) -> SpeechReader:
    """Open a speech file by its path, "-" for stdin, or a binary file object.

    A stream that cannot be rewound is first read to its end, through a temporary file when it is
    long. Raises InputFileError, with one line for the user: no such file, a folder, empty, not
    audio, no sound.
    """
    if isinstance(source, str | os.PathLike) and os.fspath(source) != "-":
        return _open_path(Path(source))
    if isinstance(source, str | os.PathLike):
        stream, name = standard_input(), "standard input"
    else:
        stream, name = source, str(getattr(source, "name", "the input"))
    if not stream.seekable():
        # without its buffer, whose lock a read that waits would hold at exit, which Python calls
        # a fatal error
        stream = _spooled(getattr(stream, "raw", stream))
    return _open(stream, name, close=stream if stream is not source else None)


def _open_path(path: Path) -> SpeechReader:
    name = str(path)
    try:
        if path.is_dir():
            raise InputFileError(f"{name} is a folder, not a speech file.")
        stream = path.open("rb")
    except FileNotFoundError as exc:
        raise InputFileError(f"{name} does not exist.") from exc
    except OSError as exc:
        raise InputFileError(f"{name} cannot be read: {exc.strerror or exc}.") from exc
    if not stream.seekable():
        with stream:
            spooled = _spooled(stream)
        return _open(spooled, name, close=spooled)
    return _open(stream, name, close=stream, path=path)


def _is_short(log: str) -> bool:
    """Return whether libsndfile's log says that the file holds less than its header promises."""
    shortfall = _WAV_SHORTFALL.search(log)
    if shortfall:
        return int(shortfall[2]) < int(shortfall[1]) < _UNKNOWN_SIZE
    return _OGG_SHORTFALL.search(log) is not None


def _open(
    stream: BinaryIO, name: str, close: BinaryIO | None, path: Path | None = None
) -> SpeechReader:
    """Open ``stream``; by ``path``, where there is one, libsndfile reads without callbacks."""
    import soundfile

    try:
        start = stream.tell()
        if not stream.read(1):
            raise InputFileError(f"{name} is empty.")
        stream.seek(start)
        try:
            file = soundfile.SoundFile(stream if path is None else str(path))
        except (soundfile.LibsndfileError, TypeError) as exc:
            raise InputFileError(f"{name} is not audio that can be read. {_KNOWN_FORMATS}") from exc
        if not file.frames:
            file.close()
            raise InputFileError(f"{name} has no sound in it that can be read.")
        return SpeechReader(file, name, close)
    except BaseException:
        if close is not None:
            close.close()
        raise


def standard_input() -> BinaryIO:
    """Return stdin as a binary stream. Raises InputFileError when nothing is piped in."""
    if sys.stdin is None or sys.stdin.closed:
        raise InputFileError("Standard input is closed: give a file, or pipe one in.")
    if sys.stdin.isatty():
        raise InputFileError("Standard input is the keyboard: give a file, or pipe one in.")
    return sys.stdin.buffer


def _spooled(stream: BinaryIO) -> BinaryIO:
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY_BYTES)  # noqa: SIM115
    while piece := stream.read(1 << 16):
        if spool.tell() + len(piece) > _LARGEST_SPOOL_BYTES:
            spool.close()
            raise InputFileError(
                f"What comes through the pipe is longer than {_LARGEST_SPOOL_BYTES:,} bytes: "
                "give a file."
            )
        spool.write(piece)
    spool.seek(0)
    return spool  # type: ignore[return-value]  # has what BinaryIO has; typeshed keeps it apart


def _empty() -> Samples:
    import numpy as np

    return np.zeros(0, dtype=np.float32)


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
