"""The virtual sound card as a fixture: a daemon of its own for every test that asks for it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import soxr

from tests.harness.speech import QUESTION
from tests.harness.virtual_audio import PACKAGES, RATE, VirtualAudio


@pytest.fixture
def sound_folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="va", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def virtual_audio(sound_folder: Path) -> Iterator[VirtualAudio]:
    """A running sound card; apps find it by `VirtualAudio.full_env`."""
    missing = [tool for tool in ("pulseaudio", "pactl", "parec") if shutil.which(tool) is None]
    if missing:
        pytest.fail(f"no {', '.join(missing)}: apt-get install {PACKAGES}", pytrace=False)
    with VirtualAudio(sound_folder) as card:
        yield card


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """The question at the card's own rate."""
    speech, rate = soundfile.read(QUESTION, dtype="float32")
    path = tmp_path / "question.wav"
    soundfile.write(path, soxr.resample(speech, rate, RATE), RATE)
    return path
