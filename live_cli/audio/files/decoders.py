"""Decodes a sound file by its content, whatever it is called: by libsndfile, or another."""

import contextlib
import os
import re
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from live_cli.audio.files.kinds import KIND_BYTES, kind_of
from live_cli.audio.files.media_decoder import MediaDecoder, media_is_installed
from live_cli.audio.files.mp4_boxes import mp4_boxes
from live_cli.audio.files.wav_decoder import PeekedSource, WavDecoder
from live_cli.audio.files.window import Window
from live_cli.errors import InputFileError

Frames = npt.NDArray[np.float32]
"""Sound of several channels: shape (n, channels), float32, full scale is [-1, 1]."""

_NEEDS_MEDIA = (
    "WAV, FLAC, Ogg, Opus and MP3 can be; m4a, mp4, webm, amr, wma and others need: "
    "pip install 'live-cli[media]'"
)
# libsndfile's log: a chunk that promises more than the file holds, an Ogg stream without its end
_WAV_SHORTFALL = re.compile(r"^\s*data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_OGG_SHORTFALL = re.compile(
    r"File ended unexpectedly|lacks an end-of-stream|Junk after the last page"
)
_NOT_KNOWN_BYTES = 0x7FFF0000
_NOT_KNOWN_FRAMES = 1 << 48
_NOTHING_LOST_S = 0.1
"""Less than this is no loss: what an encoder adds before and behind the sound."""


class Decoder(Protocol):
    """Decodes one sound file from its beginning to its end.

    ``frames``: how many are expected, None where that is not known. Known at the end: ``cut_off``,
    the file promised more than it holds; ``damaged``, pieces that could not be decoded.
    """

    sample_rate: int
    channels: int
    frames: int | None
    cut_off: bool
    damaged: int

    def read(self, frames: int) -> Frames:
        """Return up to ``frames`` frames; none at the end."""

    def close(self) -> None:
        """Let go of what is held, but for the stream."""


def no_sound(name: str) -> InputFileError:
    """Return the error of a file that can be read, and holds nothing."""
    return InputFileError(f"{name} has no sound in it that can be read.")


def open_decoder(window: Window, name: str, suffix: str, *, media: bool = True) -> Decoder:
    """Return the decoder of the file ``window``.

    ``suffix``, such as ".g722", counts only for formats that have no beginning of their own.
    ``media``: FFmpeg's decoders are among those that may be taken. Raises InputFileError, with one
    line for the user.
    """
    head = window.read(KIND_BYTES)
    window.seek(0)
    kind = kind_of(head)
    if kind == "wav":
        size = window.seek(0, os.SEEK_END)
        window.seek(0)
        with contextlib.suppress(InputFileError):  # compressed, or broken: for the others
            return WavDecoder(PeekedSource(window), size)
        window.seek(0)
    decoder: Decoder | None = SndfileDecoder.opened(window)
    if decoder is not None and decoder.frames != 0:
        return decoder
    window.seek(0)
    is_there = media and media_is_installed()
    if is_there and (other := MediaDecoder.opened(window, suffix)) is not None:
        return other
    if decoder is not None:
        raise no_sound(name)
    if is_there and kind == "mp4" and not _has_index(window):
        raise InputFileError(
            f"{name} cannot be read: it has no index, which stands at the end of an m4a or mp4. "
            "Recording or copying it was not finished."
        )
    what_can = "" if is_there else f" {_NEEDS_MEDIA}"
    raise InputFileError(f"{name} is not audio that can be read.{what_can}")


def _has_index(window: Window) -> bool:
    end = window.seek(0, os.SEEK_END)
    return any(name == b"moov" for _, name in mp4_boxes(window, 0, end))


class SndfileDecoder:
    """What libsndfile decodes: FLAC, Ogg, Opus, MP3, AIFF, CAF, AU and its other formats."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._read_frames = 0
        self.sample_rate: int = file.samplerate
        self.channels: int = file.channels
        told = int(file.frames)
        self.frames = told if 0 <= told < _NOT_KNOWN_FRAMES else None
        self.cut_off = False
        self.damaged = 0

    @classmethod
    def opened(cls, stream: Window) -> "SndfileDecoder | None":
        """Return a decoder of ``stream``; None where libsndfile knows no such format."""
        import soundfile

        try:
            return cls(soundfile.SoundFile(stream))
        except (soundfile.SoundFileError, TypeError):
            return None

    def read(self, frames: int) -> Frames:
        """Return up to ``frames`` frames; none at the end, or where the decoder gives up."""
        import soundfile

        try:
            read: Frames = self._file.read(frames, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            self.cut_off = True  # what came before it has been handed on
            return np.zeros((0, self.channels), np.float32)
        self._read_frames += read.shape[0]
        if not read.size:
            missing = (self.frames or 0) - self._read_frames
            lost = missing > _NOTHING_LOST_S * self.sample_rate
            self.cut_off = self.cut_off or lost or _is_short(str(self._file.extra_info))
        return read

    def close(self) -> None:
        self._file.close()


def _is_short(log: str) -> bool:
    """Return whether libsndfile's log says that the file holds less than its header promises."""
    shortfall = _WAV_SHORTFALL.search(log)
    if shortfall:
        return int(shortfall[2]) < int(shortfall[1]) < _NOT_KNOWN_BYTES
    return _OGG_SHORTFALL.search(log) is not None
