"""Files and pipes in place of the microphone and the speaker."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.wav_header import wav_header
from live_cli.audio.pcm import pcm16_from_float
from live_cli.audio.playback.playout import Span
from live_cli.devices.file_ends import FileMicrophone, FileSpeaker
from live_cli.devices.piped_speech import PipedSpeech
from live_cli.errors import InputFileError


def tone(seconds: float, rate: int, frequency: float = 440.0) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return (0.4 * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def wait_until(happened: Callable[[], bool], limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def speak(path: Path) -> tuple[list[bytes], list[float], int, FileMicrophone]:
    """The frames, when each came after the start, how often the end was told."""
    frames: list[bytes] = []
    at: list[float] = []
    due: list[float] = []
    ends: list[float] = []
    ended = threading.Event()

    def on_frame(frame: bytes, dbfs: float, ends_at: float) -> None:
        frames.append(frame)
        at.append(time.monotonic() - started_at)
        due.append(ends_at)

    def on_end() -> None:
        ends.append(time.monotonic())
        ended.set()

    microphone = FileMicrophone(path, on_frame, on_end)
    started_at = time.monotonic()
    microphone.start()
    assert ended.wait(20)
    microphone.stop()
    assert np.diff(due) == pytest.approx(0.02)  # each says when it was spoken
    assert due[0] - started_at >= 0.02
    return frames, at, len(ends), microphone


def test_file_microphone_speaks_all_of_the_file_in_real_time(tmp_path: Path) -> None:
    path = tmp_path / "question.flac"
    soundfile.write(path, np.stack([tone(1.51, 44_100)] * 2, axis=1), 44_100)
    frames, at, ends, microphone = speak(path)
    assert ends == 1
    assert microphone.error is microphone.warning is None
    assert {len(frame) for frame in frames} == {640}
    assert len(frames) == 76  # 1.51 s and a rest that silence fills up
    # never early: no frame comes before its last sample could have been spoken
    assert all(after_s >= k * 0.02 for k, after_s in enumerate(at, start=1))
    sound = np.frombuffer(b"".join(frames), dtype="<i2")
    spectrum = np.abs(np.fft.rfft(sound[:16_000]))
    assert spectrum.argmax() == 440


def test_file_microphone_stops_when_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", tone(30, 16_000), 16_000)
    frames: list[bytes] = []
    ends: list[int] = []
    microphone = FileMicrophone(
        tmp_path / "long.wav", lambda frame, *_: frames.append(frame), lambda: ends.append(1)
    )
    microphone.start()
    wait_until(lambda: len(frames) > 3)
    microphone.stop()
    count = len(frames)
    time.sleep(0.1)
    assert len(frames) == count < 500
    assert not ends


def test_file_microphone_names_bad_input_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="does not exist"):
        FileMicrophone(tmp_path / "none.wav", lambda *_: None, lambda: None).start()


def test_file_microphone_warns_of_a_file_cut_off(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", tone(1, 16_000), 16_000)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:10_000])
    frames, _, ends, microphone = speak(tmp_path / "cut.wav")
    assert (len(frames), ends) == (16, 1)
    assert microphone.warning is not None


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    name = "the pipe"

    def __init__(self, data: bytes, step: int = 7) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(min(self._step, size) if size >= 0 else self._step)


def encoded(container: str, rate: int, **options: str) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, tone(0.5, rate), rate, format=container, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pcm16_from_float(tone(0.5, 16_000)),
        encoded("WAV", 16_000),
        encoded("WAV", 48_000, subtype="FLOAT"),
        wav_header(0, 24_000) + pcm16_from_float(tone(0.5, 24_000)),
        encoded("WAV", 8_000) + b"LIST\x04\x00\x00\x00junk" * 100,
        encoded("FLAC", 44_100),
        encoded("OGG", 16_000),
        encoded("MP3", 16_000),
    ],
    ids=["raw", "wav", "float wav", "endless wav", "wav with a tail", "flac", "ogg", "mp3"],
)
@pytest.mark.parametrize("step", [7, 100_000])
def test_a_pipe_tells_by_its_first_bytes_what_it_carries(data: bytes, step: int) -> None:
    sound = np.concatenate(list(PipedSpeech(Trickle(data, step))))
    assert sound.size == pytest.approx(8000, abs=10)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    assert spectrum.argmax() / sound.size * 16_000 == pytest.approx(440, abs=4)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF1234WAVEfmt ", b"RIFF1234JUNK", b"fLaC123"])
def test_a_broken_pipe_is_named(data: bytes) -> None:
    with pytest.raises(InputFileError) as caught:
        list(PipedSpeech(Trickle(data)))
    assert "\n" not in str(caught.value)


LISTEN = """
import sys, threading
from live_cli.devices.file_ends import FileMicrophone
frames, ended = [], threading.Event()
microphone = FileMicrophone("-", lambda frame, *_: frames.append(frame), ended.set)
microphone.start()
ended.wait(20)
print(len(frames), microphone.error)
"""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pcm16_from_float(tone(0.4, 16_000)), "20 None"),
        (encoded("WAV", 16_000), "25 None"),
        (b"", "0 standard input is empty."),
    ],
)
def test_standard_input_as_a_microphone(data: bytes, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTEN], input=data, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == says
    assert done.stderr == b""


def test_a_live_pipe_that_never_ends_does_not_hold_up_the_exit() -> None:
    leave = LISTEN.replace("ended.wait(20)", "ended.wait(0.5); microphone.stop()")
    read_end, write_end = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", leave], stdin=read_end, capture_output=True, timeout=30
        )
    finally:
        os.close(read_end)
        os.close(write_end)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0 None\n", b"")


def test_file_speaker_writes_what_is_heard_without_the_silence_between(tmp_path: Path) -> None:
    path = tmp_path / "reply.wav"
    played: list[tuple[np.ndarray, float, tuple[Span, ...]]] = []
    speaker = FileSpeaker(path, on_played=lambda *block: played.append(block))
    speaker.start()
    time.sleep(0.3)  # silence before the first turn
    for turn, frequency in ((1, 440.0), (2, 880.0)):
        speaker.play(turn, pcm16_from_float(tone(0.5, 24_000, frequency)))
        speaker.end_turn(turn)
        assert not speaker.snapshot().idle
        wait_until(lambda: speaker.snapshot().idle)
        assert speaker.snapshot().turn == turn
        assert speaker.snapshot().heard_ms == pytest.approx(500)
        time.sleep(0.2)
    speaker.stop()
    sound, rate = soundfile.read(path, dtype="float32")
    assert rate == 24_000
    assert sound.size == pytest.approx(24_000, abs=3 * 480)
    np.testing.assert_allclose(sound[:12_000], tone(0.5, 24_000), atol=1e-4)
    # what is told of it has the silence too, and when each block sounds
    assert np.diff([at for _, at, _ in played]) == pytest.approx(0.02)
    assert sum(span.length for *_, spans in played for span in spans) == 24_000
    assert not np.concatenate([block for block, *_ in played])[:4800].any()
    assert np.abs(np.fft.rfft(sound[-12_000:])).argmax() * 2 == 880


def test_file_speaker_plays_in_real_time_and_is_interrupted(tmp_path: Path) -> None:
    speaker = FileSpeaker(tmp_path / "cut.wav")
    speaker.start()
    speaker.play(1, pcm16_from_float(tone(20, 24_000)))
    wait_until(lambda: speaker.snapshot().heard_ms > 300)
    assert speaker.snapshot().playing
    speaker.interrupt(1)
    wait_until(lambda: speaker.snapshot().idle)
    heard_ms = speaker.snapshot().heard_ms
    speaker.stop()
    assert speaker.snapshot().heard_ms == heard_ms
    assert 300 < heard_ms < 5000
    assert soundfile.info(tmp_path / "cut.wav").duration * 1000 == pytest.approx(heard_ms, abs=21)


def test_a_gap_in_mid_turn_is_kept(tmp_path: Path) -> None:
    speaker = FileSpeaker(tmp_path / "gap.wav")
    speaker.start()
    chunk = pcm16_from_float(tone(0.3, 24_000))
    speaker.play(1, chunk)
    wait_until(lambda: speaker.snapshot().heard_ms >= 300)
    time.sleep(0.3)
    speaker.play(1, chunk)
    speaker.end_turn(1)
    wait_until(lambda: speaker.snapshot().idle)
    dry_ms = speaker.snapshot().dry_ms
    speaker.stop()
    assert speaker.snapshot().underruns == 1
    assert dry_ms >= 250
    seconds = soundfile.info(tmp_path / "gap.wav").duration
    assert seconds * 1000 == pytest.approx(600 + dry_ms, abs=41)


TALK = """
import sys, time
from live_cli.devices.file_ends import FileSpeaker
told = []
speaker = FileSpeaker("-", told.append)
speaker.start()
speaker.play(1, bytes([1, 2]) * 24_000)
speaker.end_turn(1)
while not speaker.snapshot().idle:
    time.sleep(0.02)
speaker.stop()
print(speaker.pipe_closed, len(told), file=sys.stderr)
"""


def test_standard_output_as_a_speaker_carries_bare_pcm() -> None:
    done = subprocess.run([sys.executable, "-c", TALK], capture_output=True, check=True)
    assert done.stdout[:48_000] == bytes([1, 2]) * 24_000
    assert not any(done.stdout[48_000:])
    assert done.stderr == b"False 0\n"


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TALK], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        stderr = process.stderr.read()
        assert process.wait() == 0
    assert stderr == b"True 1\n"


def test_file_speaker_names_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is a folder"):
        FileSpeaker(tmp_path).start()
    with pytest.raises(InputFileError, match="cannot be written"):
        FileSpeaker(tmp_path / "no" / "folder.wav").start()


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("FileMicrophone('-', lambda *_: None, lambda: None).start()", "is the keyboard"),
        ("FileSpeaker('-').start()", "is the screen"),
    ],
)
def test_a_terminal_is_no_pipe(program: str, says: str) -> None:
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    program = f"""
from live_cli.devices.file_ends import FileMicrophone, FileSpeaker
from live_cli.errors import InputFileError
import sys
try:
    {program}
except InputFileError as error:
    print(error, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(ours)
    os.close(theirs)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
