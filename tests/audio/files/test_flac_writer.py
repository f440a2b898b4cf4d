"""A FLAC file is playable while it grows, after a full disk, and bit for bit what was written."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.flac_writer import FlacWriter

RATE = 24_000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.4, 0.4, (int(seconds * RATE), 2)).astype(np.float32)


@pytest.mark.parametrize("piece", [480, 4096, 4097, 12_000])
def test_a_copy_at_any_moment_holds_what_was_written(tmp_path: Path, piece: int) -> None:
    path = tmp_path / "a.flac"
    path.touch()
    sound = noise(2)
    writer = FlacWriter(path, RATE, 2)
    copies = 0
    for start in range(0, sound.shape[0], piece):
        writer.write(sound[start : start + piece])
        written = min(start + piece, sound.shape[0])
        if written > 4096:
            copy = shutil.copy(path, tmp_path / "copy.flac")
            found, _ = soundfile.read(copy, dtype="float32")
            assert 0 <= written - found.shape[0] <= 4096
            np.testing.assert_allclose(found, sound[: found.shape[0]], atol=1 / 32768)
            copies += 1
    writer.close()
    assert copies > 2
    assert soundfile.info(path).frames == sound.shape[0]


FILL = """
import resource, sys, numpy as np, soundfile
from live_cli.audio.files.flac_writer import FlacWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
writer, rng = FlacWriter(sys.argv[1], 24_000, 2), np.random.default_rng(0)
for second in range(10):
    try:
        writer.write(rng.uniform(-0.4, 0.4, (12_000, 2)).astype(np.float32))
    except OSError:
        break
writer.close()
print(second)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit to a file's size")
def test_a_full_disk_is_an_error_and_what_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.touch()
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, check=True
    )
    halves = int(done.stdout)
    assert 1 <= halves < 9
    sound, _ = soundfile.read(path)
    assert (halves - 1) * 12_000 < sound.shape[0] <= halves * 12_000
    assert done.stderr == ""


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"\w"):
        FlacWriter(tmp_path / "none" / "a.flac", RATE, 2)
