"""The bar counts what was heard, and our own `serve` is fed as fast as it takes the sound."""

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.command import LIMIT_S, PROGRAM, environment, live_cli
from tests.harness.serve_process import serving
from tests.harness.speech import TWO_CITIES, moonshine_asset, word_error_rate

_PERCENT = re.compile(rb"\x1b\[K[^\r\n]*?(\d+) %")


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reading three times over: two minutes and a quarter."""
    speech, rate = soundfile.read(moonshine_asset("two_cities.wav"), dtype="float32")
    path = tmp_path_factory.mktemp("cities") / "cities.wav"
    soundfile.write(path, np.tile(speech, 3), rate)
    return path


def on_terminal(home: Path, *args: str | Path) -> tuple[int, list[tuple[float, bytes]]]:
    """Run the command with stderr on a terminal; the exit code, and what came there when."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=its,
        env={**environment(home), "TERM": "xterm"},
    )
    os.close(its)
    came: list[tuple[float, bytes]] = []
    end = time.monotonic() + 2 * LIMIT_S
    try:
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    came.append((time.monotonic(), os.read(ours, 65_536)))
                except OSError:
                    break
            elif process.poll() is not None:
                break
        return process.wait(LIMIT_S), came
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_the_bar_counts_what_was_heard(cities: Path, tmp_path: Path) -> None:
    out = tmp_path / "cities.txt"
    code, came = on_terminal(tmp_path, "transcribe", cities, "--output", out)
    assert code == 0
    shown = [(at, int(percent)) for at, data in came for percent in _PERCENT.findall(data)]
    percents = [percent for _, percent in shown]
    assert percents == sorted(percents)
    assert len(set(percents)) > 8  # it moves with every sentence
    begun_at, ended_at = shown[0][0], came[-1][0]
    nearly_at = next(at for at, percent in shown if percent >= 80)
    assert nearly_at - begun_at > 0.5 * (ended_at - begun_at)
    said = b"".join(data for _, data in came)
    assert "× real time".encode() in said
    assert b" left" in said


def test_our_own_server_is_fed_faster_than_real_time(cities: Path, tmp_path: Path) -> None:
    with serving(tmp_path, {}) as server:
        began = time.monotonic()
        done = live_cli("transcribe", cities, "--server", server.address, home=tmp_path)
        took_s = time.monotonic() - began
    assert (done.returncode, done.stderr) == (0, b"")
    assert took_s < soundfile.info(cities).duration
    assert word_error_rate(" ".join([TWO_CITIES] * 3), done.stdout.decode()) < 0.05
