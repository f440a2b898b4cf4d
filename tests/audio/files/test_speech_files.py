"""Speech files: every format, every kind of broken, and what is written."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.files.wav_writer import WavWriter
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE


def tone(seconds: float, rate: int, channels: int = 1, frequency: float = 440.0) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    sound = (0.4 * np.sin(2 * np.pi * frequency * t)).astype(np.float32)
    return sound if channels == 1 else np.stack([sound] * channels, axis=1)


def write(path: Path, seconds: float = 2.0, rate: int = 16_000, channels: int = 1) -> Path:
    soundfile.write(path, tone(seconds, rate, channels), rate)
    return path


def dominant_hz(sound: np.ndarray, rate: int = INPUT_SAMPLE_RATE) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.fft.rfftfreq(sound.size, 1 / rate)[spectrum.argmax()])


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_reads_every_format_rate_and_width(
    tmp_path: Path, extension: str, rate: int, channels: int
) -> None:
    path = write(tmp_path / f"speech.{extension}", 2.0, rate, channels)
    with open_speech(path) as speech:
        blocks = list(speech)
        assert speech.duration_s == pytest.approx(2.0, abs=0.06)
        assert speech.source_rate == rate
        assert speech.warning is None
    sound = np.concatenate(blocks)
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    assert sound.size == pytest.approx(2 * INPUT_SAMPLE_RATE, abs=0.06 * INPUT_SAMPLE_RATE)
    assert dominant_hz(sound) == pytest.approx(440, abs=2)
    assert max(block.size for block in blocks) < 2 * INPUT_SAMPLE_RATE  # streamed, not whole


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"only words, no sound at all. " * 20, "is not audio"),
        (b"RIFF\x00\x00\x00\x00WAVE", "is not audio"),
        (None, "does not exist"),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=says) as caught:
        open_speech(path)
    assert "x.wav" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_a_folder_and_silence_of_no_length(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is a folder"):
        open_speech(tmp_path)
    with pytest.raises(InputFileError, match="no sound in it"):
        open_speech(write(tmp_path / "none.wav", 0.0))


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_cut_off_file_gives_what_is_there_and_says_so(tmp_path: Path, extension: str) -> None:
    whole = write(tmp_path / f"whole.{extension}", 20.0).read_bytes()
    path = tmp_path / f"cut.{extension}"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with open_speech(path) as speech:
        seconds = sum(block.size for block in speech) / INPUT_SAMPLE_RATE
        assert 1.0 < seconds < 14.0
        assert speech.warning is not None
        assert "cut off" in speech.warning


def test_wav_of_a_recorder_that_did_not_know_its_end_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "streamed.wav", 1.0)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with open_speech(path) as speech:
        assert sum(block.size for block in speech) == INPUT_SAMPLE_RATE
        assert speech.warning is None


def test_reads_a_file_object_and_leaves_it_open(tmp_path: Path) -> None:
    stream = io.BytesIO(write(tmp_path / "a.flac", 0.5).read_bytes())
    with open_speech(stream) as speech:
        assert sum(block.size for block in speech) == INPUT_SAMPLE_RATE // 2
    assert not stream.closed


@pytest.mark.parametrize("piped", [True, False])
def test_reads_standard_input(tmp_path: Path, piped: bool) -> None:
    path = write(tmp_path / "a.flac", 1.5, 44_100, 2)
    count = (
        "from live_cli.audio.files.speech_files import open_speech\n"
        "print(sum(block.size for block in open_speech('-')))"
    )
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", count],
            **({"input": file.read()} if piped else {"stdin": file}),
            capture_output=True,
            check=True,
        )
    assert int(done.stdout) == pytest.approx(1.5 * INPUT_SAMPLE_RATE, abs=2)


def test_writes_a_wav_that_is_right_before_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "reply.wav"
    writer = WavWriter(path)
    for _ in range(3):
        writer.write(tone(1.0, 24_000))
    assert soundfile.info(path).frames == 72_000  # nobody has closed it
    writer.write(tone(0.25, 24_000))
    writer.close()
    writer.close()
    sound, rate = soundfile.read(path, dtype="float32")
    assert (rate, sound.size) == (24_000, 78_000)
    np.testing.assert_allclose(sound[:24_000], tone(1.0, 24_000), atol=1 / 32768)


def test_writes_bare_pcm_into_a_pipe() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "wb") as pipe:
        with WavWriter(pipe) as writer:
            writer.write_pcm16(b"\x01\x00\x02\x00")
        assert not pipe.closed
        pipe.close()
        assert reader.read() == b"\x01\x00\x02\x00"


def test_names_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be written"):
        WavWriter(tmp_path / "no" / "such" / "folder.wav")
