"""Reads speech from a pipe that may never end: a recorder's WAV, or bare PCM16 at 16 kHz.

A pipe cannot be rewound, so its first bytes decide. Compressed formats cannot be decoded while
they come; they are read to their end first, and are then a file like any other.
"""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from live_cli.audio.downmix import SIDES_CANCEL, Downmix
from live_cli.audio.files.kinds import KIND_BYTES, kind_of
from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.files.wav_decoder import PeekedSource, WavDecoder
from live_cli.audio.files.wav_header import RAW_SPEECH, ByteSource
from live_cli.audio.pcm import Samples, mono
from live_cli.audio.resampler import Resampler
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_READS_PER_S = 50


class DescriptorSource:
    """Reads a file descriptor without Python's buffer, whose lock a blocked read would hold."""

    name = "standard input"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, as soon as there are any; b"" at the end."""
        return os.read(self._descriptor, size if size >= 0 else 1 << 16)


class _Unseekable:
    """A pipe as a file that `open_speech` reads to its end first."""

    def __init__(self, source: ByteSource, name: str) -> None:
        self._source = source
        self.name = name

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1, /) -> bytes:
        return self._source.read(size)


class PipedSpeech:
    """Speech from a pipe: iterate for blocks of mono float32 at 16 kHz, as they come.

    Iterating raises InputFileError. ``warning``, known at the end, is one line about what was wrong
    with the input, else None.
    """

    def __init__(self, source: ByteSource) -> None:
        self._name = str(getattr(source, "name", "the input"))
        self._source = PeekedSource(source)
        self.warning: str | None = None

    def __iter__(self) -> Iterator[Samples]:
        if not self._source.peek(1):
            raise InputFileError(f"{self._name} is empty.")
        kind = self._kind()
        while kind == "wav":
            decoder = WavDecoder(self._source)
            yield from self._uncompressed(decoder)
            if not decoder.goes_on:
                return
            kind = self._kind()
        if kind is None:
            yield from self._bare()
            return
        file: Any = _Unseekable(self._source, self._name)
        with open_speech(cast(BinaryIO, file)) as speech:
            yield from speech
            self.warning = speech.warning

    def _kind(self) -> str | None:
        return kind_of(self._source.peek(KIND_BYTES))

    def _uncompressed(self, decoder: WavDecoder) -> Iterator[Samples]:
        resampler, downmix = Resampler(decoder.sample_rate, INPUT_SAMPLE_RATE), Downmix()
        size = max(1, decoder.sample_rate // _READS_PER_S)
        while (frames := decoder.read(size)).size:
            yield resampler.process(downmix.process(frames))
        yield resampler.flush()
        if downmix.cancelled:
            self.warning = f"{self._name} {SIDES_CANCEL}."

    def _bare(self) -> Iterator[Samples]:
        size = RAW_SPEECH.sample_rate // _READS_PER_S * RAW_SPEECH.frame_bytes
        while len(data := self._source.peek(size)) >= RAW_SPEECH.frame_bytes:
            self._source.skip(len(data))
            yield mono(RAW_SPEECH.frames(data))
