"""The virtual sound card as a fixture: a daemon of its own for every test that asks for it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.virtual_audio import PACKAGES, VirtualAudio


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
