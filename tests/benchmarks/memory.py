"""Memory of the client process in a conversation."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from tests.benchmarks.row import Row

SECONDS, LOOK_S = 60, 1.0
SMALL_SECONDS, SMALL_LOOK_S = 2, 0.1


def rows(small: bool = False) -> list[Row]:
    seconds, look_s = (SMALL_SECONDS, SMALL_LOOK_S) if small else (SECONDS, LOOK_S)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "noise.wav"
        noise = np.random.default_rng(0).normal(0, 0.001, 16_000 * seconds)
        soundfile.write(file, noise, 16_000)
        sizes = _watch(file, look_s)
    early, late = sizes[len(sizes) // 4], max(sizes)
    return [
        Row("memory of talk, client process", late / 1e6, "MB", 80.0),
        Row("memory of talk, end of a minute", late / 1e6, "MB", 1.05, early / 1e6, "15 s"),
    ]


def _watch(file: Path, look_s: float) -> list[float]:
    """Resident bytes of the client, every ``look_s`` while it talks."""
    command = [sys.executable, "-m", "live_cli", "talk", "--server", "local", "--json"]
    command += ["--input", str(file), "--output", "/dev/null"]
    sizes = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while True:
            try:
                process.wait(look_s)
                return sizes
            except subprocess.TimeoutExpired:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                sizes.append(float(pages * 4096))
