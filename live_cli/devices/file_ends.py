"""Puts a file or a pipe in place of the microphone or the speaker, paced in real time.

The methods are those of `Microphone` and `Speaker`: what works with these works on a machine
without sound. Pacing: frame k is due k times 20 ms after the first, on the monotonic clock, so
lateness of one frame is made up by the next and nothing drifts.
"""

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from live_cli.audio.files.sound_writer import SoundWriter, open_sound_writer
from live_cli.audio.files.speech_files import SpeechReader, open_speech, standard_input
from live_cli.audio.framer import Framer
from live_cli.audio.levels import level_dbfs
from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.devices.capture_denoiser import CaptureDenoiser
from live_cli.devices.microphone import FrameCallback
from live_cli.devices.piped_speech import DescriptorSource, PipedSpeech
from live_cli.devices.playback import Playback, PlayedCallback, SpeakerSnapshot, silent
from live_cli.devices.stream_watch import LostCallback
from live_cli.errors import InputFileError
from live_cli.sample_rates import FRAME_SAMPLES, OUTPUT_SAMPLE_RATE
from live_cli.streams import leave_stdout

_BLOCK_S = 0.02
_BLOCK_SAMPLES = OUTPUT_SAMPLE_RATE // 50
_JOIN_S = 1.0


class FileMicrophone:
    """Gives the frames of a file ("-": standard input) in real time, then calls ``on_end`` once.

    The file has any format, rate and channels that `open_speech` reads. Standard input may also be
    a live pipe: WAV, or bare PCM16 mono at 16 kHz. ``on_frame`` and ``on_end`` are called from a
    thread of the microphone's own. ``error`` and ``warning``, known at ``on_end``, say what was
    wrong with the input.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        on_frame: FrameCallback,
        on_end: Callable[[], None],
        denoiser: CaptureDenoiser | None = None,
    ) -> None:
        self.dropped = self.missed_frames = 0
        self.overflows = 0
        self.lost: str | None = None
        self.error: InputFileError | None = None
        self.warning: str | None = None
        self._path = os.fspath(path)
        self._on_frame = on_frame
        self._on_end = on_end
        self._denoiser = denoiser
        self._file: SpeechReader | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file microphone", daemon=True)

    def start(self) -> None:
        """Open the file. Raises InputFileError; a pipe's errors are in ``error`` at ``on_end``."""
        if not self._is_pipe():
            self._file = open_speech(self._path)
        self._thread.start()

    def stop(self) -> None:
        """Give no more frames, nor call ``on_end``. A read that blocks is not waited for."""
        self._stopping.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)

    def _is_pipe(self) -> bool:
        return self._path == "-" and not standard_input().seekable()

    def _run(self) -> None:
        try:
            if self._file is None:
                piped = PipedSpeech(DescriptorSource(sys.stdin.fileno()))
                self._give_frames(piped)
                self.warning = piped.warning
            else:
                with self._file as speech:
                    self._give_frames(speech)
                    self.warning = speech.warning
        except InputFileError as exc:
            self.error = exc
        except OSError as exc:
            self.error = InputFileError(f"{self._path} cannot be read: {exc.strerror or exc}.")
        if not self._stopping.is_set():
            self._on_end()

    def _give_frames(self, blocks: Iterable[Samples]) -> None:
        first_at: float | None = None
        for given, frame in enumerate(_frames(blocks, self._denoiser), start=1):
            if first_at is None:
                first_at = time.monotonic()
            # a frame is due when its last sample has been captured
            due = first_at + given * _BLOCK_S
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            self._on_frame(pcm16_from_float(frame), level_dbfs(frame), due)


def _frames(blocks: Iterable[Samples], denoiser: CaptureDenoiser | None) -> Iterator[Samples]:
    framer = Framer(FRAME_SAMPLES)
    for block in blocks:
        yield from framer.push(block if denoiser is None else denoiser.clean(block))
    if denoiser is not None:
        yield from framer.push(denoiser.finish())
    last = framer.flush()
    if last is not None:
        yield last


class FileSpeaker:
    """Plays into a sound file of the format that its name says, or bare into standard output ("-").

    Bare sound is PCM16, mono at 24 kHz.

    What is written is what would have been heard, interruptions and underruns included, without the
    silence before the first turn and between turns. The file is playable at any moment. When it
    can no longer be written, playing goes on unheard and ``on_lost`` gets the reason. A reader of
    the pipe that leaves is no error: ``pipe_closed`` is True then, too.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        on_lost: LostCallback | None = None,
        on_played: PlayedCallback | None = None,
    ) -> None:
        self.underflows = 0
        self.lost: str | None = None
        self.pipe_closed = False
        self._path = os.fspath(path)
        self._on_lost = on_lost
        self._on_played = on_played
        self._playback = Playback()
        self._writer: SoundWriter | None = None
        self._gap_turn = 0
        self._gap_samples = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file speaker", daemon=True)

    def start(self) -> None:
        """Create the file. Raises InputFileError."""
        if self._path != "-" and Path(self._path).is_dir():
            raise InputFileError(f"{self._path} is a folder: name a file for the sound.")
        self._writer = open_sound_writer(self._path, OUTPUT_SAMPLE_RATE)
        self._thread.start()

    def stop(self) -> None:
        """Finish the file at once; what has not been played is not written."""
        self._stopping.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        if self._writer is not None and not self.lost:
            # a full disk: its last second is lost
            with contextlib.suppress(OSError, InputFileError):
                self._writer.close()

    def play(self, turn: int, pcm16: bytes, sample_rate: int = OUTPUT_SAMPLE_RATE) -> None:
        """Append a chunk, PCM16 mono, to ``turn``."""
        self._playback.play(turn, pcm16, sample_rate)

    def end_turn(self, turn: int) -> None:
        """End ``turn``, of which no more will come: due at ``generationComplete``."""
        self._playback.end_turn(turn)

    def interrupt(self, turn: int) -> None:
        """Silence ``turn`` and all before it, in the next 20 ms block."""
        self._playback.interrupt(turn)

    def duck(self, low: bool) -> None:
        """Turn all down by 15 dB, or back up."""
        self._playback.duck(low)

    def snapshot(self) -> SpeakerSnapshot:
        """Return what is played now; once stopped, what has been played."""
        if not self._thread.is_alive():
            return silent(self._playback.snapshot(math.inf))
        return self._playback.snapshot(time.monotonic())

    def _run(self) -> None:
        started_at = time.monotonic()
        blocks = 0
        while True:
            due = started_at + blocks * _BLOCK_S
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            block = self._playback.render(_BLOCK_SAMPLES, due)
            if self._on_played is not None:
                self._on_played(block, due, self._playback.spans)
            self._write(block)
            blocks += 1

    def _write(self, block: Samples) -> None:
        """Write a block that has sound in it, after the gap before it if that was in mid-turn."""
        if self.lost or self._writer is None:
            return
        if not self._playback.sounded:
            self._gap_samples += block.size
            return
        try:
            if self._gap_samples and self._playback.first_turn == self._gap_turn:
                self._write_silence(self._gap_samples)
            self._writer.write(block)
        except BrokenPipeError:
            self.pipe_closed = True
            leave_stdout()
            self._lose("Nobody reads the sound from standard output any more.")
        except InputFileError as exc:
            self._lose(str(exc))
        self._gap_turn, self._gap_samples = self._playback.last_turn, 0

    def _write_silence(self, samples: int) -> None:
        for start in range(0, samples, OUTPUT_SAMPLE_RATE):
            size = min(OUTPUT_SAMPLE_RATE, samples - start)
            if self._writer is not None:
                self._writer.write(np.zeros(size, dtype=np.float32))

    def _lose(self, reason: str) -> None:
        self.lost = reason
        if self._on_lost is not None:
            self._on_lost(reason)
