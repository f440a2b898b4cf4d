"""Reads speech files in a stream, never whole in memory.

Whatever libsndfile decodes (WAV, FLAC, Ogg, MP3, …), and with the extra ``media`` whatever FFmpeg
does, at any rate, with any number of channels, gives blocks of mono at 16 kHz. What is in a file
counts, not what it is called. A file that is cut off gives what is there; `SpeechReader.warning`
says so.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from live_cli.audio.downmix import SIDES_CANCEL, Downmix
from live_cli.audio.files.decoders import Decoder, no_sound, open_decoder
from live_cli.audio.files.joined import first_file, size_of
from live_cli.audio.files.wav_decoder import WavDecoder
from live_cli.audio.files.window import Window
from live_cli.audio.pcm import Samples
from live_cli.audio.quiet_speech import QuietSpeechGain
from live_cli.audio.resampler import Resampler
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_SPOOL_IN_MEMORY_BYTES = 4 << 20
_LARGEST_SPOOL_BYTES = 1 << 32
"""The largest WAV file, 4 GiB: what has no end must not fill the disk."""
_LARGEST_BLOCK = 1 << 20
"""Samples of all channels that are decoded at once, where a second is more."""
_MOST_JOINED = 1000
"""Files in one that are read; each is opened anew, and takes longer than the sound of a tiny one.
"""
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000
"""Rates in Hz between which a header is believed."""


class SpeechReader:
    """An open speech file: iterate for blocks of mono float32 at 16 kHz, about a second each.

    Quiet speech is brought up; where a recording's sides cancel, the louder one is taken. Several
    files joined into one are read one after another. ``duration_s`` is what the headers and the
    size say, None where they say nothing. ``warning``, known once the iteration has ended, is one
    line about what is wrong with the file, else None. Iterating raises InputFileError where nothing
    can be decoded.
    """

    def __init__(
        self, stream: BinaryIO, name: str, owned: BinaryIO | None = None, *, untrusted: bool = False
    ) -> None:
        self._stream = stream
        self._owned = owned
        self._untrusted = untrusted
        self._suffix = os.path.splitext(name)[1].lower()
        self._end = size_of(stream)
        self._next: int | None = None
        self._read_s = 0.0
        self._cut_off = self._cancelled = False
        self._damaged = 0
        self.name = name
        self.warning: str | None = None
        self._decoder = self._opened(0)
        self.source_rate = self._decoder.sample_rate
        self.channels = self._decoder.channels
        self.duration_s = self._expected_s()

    def _opened(self, start: int) -> Decoder:
        """Open the file that begins at ``start``. Raises InputFileError."""
        self._start = start
        window = Window(self._stream, start, self._end)
        self._next = None
        if not self._untrusted:
            window, self._next = first_file(self._stream, start, self._end)
        decoder = open_decoder(window, self.name, self._suffix, media=not self._untrusted)
        if not _LOWEST_RATE <= decoder.sample_rate <= _HIGHEST_RATE:
            decoder.close()
            raise InputFileError(
                f"{self.name} has a sample rate of {decoder.sample_rate} Hz, which no sound has."
            )
        if decoder.frames == 0:
            decoder.close()
            raise no_sound(self.name)
        return decoder

    def _expected_s(self) -> float | None:
        if self._decoder.frames is None:
            return None
        first_s = self._decoder.frames / self._decoder.sample_rate
        return first_s if self._next is None else first_s * self._end / self._next

    def __iter__(self) -> Iterator[Samples]:
        gain = QuietSpeechGain()
        try:
            for block in self._blocks():
                yield from gain.process(block)
        except OSError as exc:
            raise InputFileError(f"{self.name} cannot be read: {exc.strerror or exc}.") from exc
        yield from gain.flush()
        if not self._read_s:
            raise no_sound(self.name)
        self.warning = self._judged()

    def _blocks(self) -> Iterator[Samples]:
        """Yield the sound of all files that are joined in this one, mono at 16 kHz."""
        yield from self._blocks_of_one()
        files = 1
        while (start := self._following()) is not None:
            self._decoder.close()
            files += 1
            if files > _MOST_JOINED:
                self._cut_off = True
                return
            try:
                self._decoder = self._opened(start)
            except InputFileError:
                self._cut_off = True  # something follows that cannot be read
                return
            yield from self._blocks_of_one()

    def _following(self) -> int | None:
        """Return where the next file begins, after the one that has been read."""
        if isinstance(self._decoder, WavDecoder) and self._decoder.goes_on:
            return self._start + self._decoder.source.position
        return self._next

    def _blocks_of_one(self) -> Iterator[Samples]:
        decoder, downmix = self._decoder, Downmix()
        resampler = Resampler(decoder.sample_rate, INPUT_SAMPLE_RATE)
        size = max(1, min(decoder.sample_rate, _LARGEST_BLOCK // decoder.channels))
        while (frames := decoder.read(size)).size:
            self._read_s += frames.shape[0] / decoder.sample_rate
            block = resampler.process(downmix.process(frames))
            if block.size:
                yield block
        rest = resampler.flush()
        if rest.size:
            yield rest
        self._cut_off = self._cut_off or decoder.cut_off
        self._cancelled = self._cancelled or downmix.cancelled
        self._damaged += decoder.damaged

    def _judged(self) -> str | None:
        """Return in a line what is wrong with the file."""
        faults = []
        if self._cut_off:
            faults.append(f"is cut off: only its first {self._read_s:.1f} s could be read")
        if self._damaged:
            faults.append(f"is damaged: {self._damaged} pieces could not be decoded")
        if self._cancelled:
            faults.append(SIDES_CANCEL)
        return f"{self.name} {', and '.join(faults)}." if faults else None

    def close(self) -> None:
        """Close the file, and the stream it is read from."""
        self._decoder.close()
        if self._owned is not None:
            self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_speech(
    source: str | os.PathLike[str] | BinaryIO, *, untrusted: bool = False
) -> SpeechReader:
    """Open a speech file by its path, "-" for stdin, or a binary file object.

    ``untrusted``: a stranger sent it: FFmpeg's hundreds of decoders are not put to the test, and
    nothing is searched for files that were joined. Otherwise a person named it on this machine.
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
    owned = stream if stream is not source else None
    return _open(stream, name, owned, untrusted=untrusted)


def _open_path(path: Path) -> SpeechReader:
    name = str(path)
    try:
        if path.is_dir():
            raise InputFileError(f"{name} is a folder, not a speech file.")
        stream: BinaryIO = path.open("rb")
    except FileNotFoundError as exc:
        raise InputFileError(f"{name} does not exist.") from exc
    except OSError as exc:
        raise InputFileError(f"{name} cannot be read: {exc.strerror or exc}.") from exc
    if not stream.seekable():
        with stream:
            stream = _spooled(stream)
    return _open(stream, name, owned=stream)


def _open(
    stream: BinaryIO, name: str, owned: BinaryIO | None, *, untrusted: bool = False
) -> SpeechReader:
    try:
        if not size_of(stream):
            raise InputFileError(f"{name} is empty.")
        return SpeechReader(stream, name, owned, untrusted=untrusted)
    except OSError as exc:
        error = InputFileError(f"{name} cannot be read: {exc.strerror or exc}.")
    except BaseException:
        if owned is not None:
            owned.close()
        raise
    if owned is not None:
        owned.close()
    raise error


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
