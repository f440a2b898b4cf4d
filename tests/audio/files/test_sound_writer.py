"""A sound file has the format that its name says, and what was written survives a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.sound_formats import SOUND_FORMATS
from live_cli.audio.files.sound_writer import open_sound_writer
from live_cli.errors import InputFileError

RATE = 24_000
KINDS = {
    ".wav": "WAV",
    ".wave": "WAV",
    ".flac": "FLAC",
    ".mp3": "MP3",
    ".ogg": "OGG",
    ".oga": "OGG",
    ".opus": "OGG",
}

WRITE = """
import os, signal, sys
import numpy as np
from live_cli.audio.files.sound_writer import open_sound_writer
writer = open_sound_writer(sys.argv[1], 24_000)
tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(24_000 * 10) / 24_000)
for start in range(0, tone.size, 480):
    writer.write(tone[start : start + 480].astype(np.float32))
os.kill(os.getpid(), signal.SIGKILL)
"""


def tone(seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 440.0 * time)).astype(np.float32)


def test_every_format_is_tried_here() -> None:
    assert set(KINDS) == set(SOUND_FORMATS)


@pytest.mark.parametrize("suffix", [*KINDS, ".FLAC", ".Mp3", ""])
def test_a_name_says_the_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"answer{suffix}"
    with open_sound_writer(str(path), RATE) as writer:
        for start in range(0, RATE * 3, 480):
            writer.write(tone(3)[start : start + 480])
    info = soundfile.info(path)
    assert (info.format, info.samplerate, info.channels) == (
        KINDS.get(suffix.lower(), "WAV"),
        RATE,
        1,
    )
    assert info.duration == pytest.approx(3.0, abs=0.1)
    level = float(np.sqrt(np.mean(soundfile.read(path)[0] ** 2)))
    assert level == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus"])
def test_a_kill_costs_a_few_seconds_at_most(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"answer{suffix}"
    done = subprocess.run([sys.executable, "-c", WRITE, str(path)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    sound, rate = soundfile.read(path)
    assert len(sound) / rate > 6.0


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_a_name_that_cannot_be_written_is_one_line(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputFileError, match=r"cannot be written: No such file or directory\.$"):
        open_sound_writer(str(tmp_path / "none" / f"answer{suffix}"), RATE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg"])
def test_a_full_disk_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"answer{suffix}"
    path.symlink_to("/dev/full")

    def write() -> None:
        with open_sound_writer(str(path), RATE) as writer:
            for _ in range(10):
                writer.write(tone(1))

    with pytest.raises(InputFileError, match="cannot be written"):
        write()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX")
def test_a_name_may_be_any_bytes(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp3")
    with open_sound_writer(path, RATE) as writer:
        writer.write(tone(1))
    assert os.path.getsize(path) > 1000
