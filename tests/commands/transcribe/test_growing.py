"""A transcript grows while it is made, and whatever ends the command leaves what is done."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from tests.harness.command import LIMIT_S, live_cli, processes_in, started
from tests.harness.speech import TWO_CITIES, moonshine_asset, words

CUE = {
    "srt": re.compile(r"\d+\n[\d:,]+ --> [\d:,]+\n(?:.+\n){1,2}\n"),
    "vtt": re.compile(r"(?:WEBVTT\n\n)?[\d:.]+ --> [\d:.]+\n(?:.+\n){1,2}\n"),
}
STOPPED = re.compile(r"Stopped at (\d+):(\d\d) of (\d+):(\d\d) of ")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve minutes of speech: it is transcribed for long."""
    speech, rate = soundfile.read(moonshine_asset("two_cities.wav"), dtype="float32")
    path = tmp_path_factory.mktemp("long") / "long.wav"
    with soundfile.SoundFile(path, "w", rate, 1) as file:
        for _ in range(16):
            file.write(speech)
    return path


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def interrupted(long: Path, out: Path, home: Path, number: int, *options: str) -> tuple[int, str]:
    """Transcribe, send the signal once there are some words; the exit code and stderr."""
    with started(
        "transcribe", long, "--output", out, *options, home=home, stderr=subprocess.PIPE
    ) as process:
        until(lambda: process.poll() is not None or (out.exists() and out.stat().st_size > 200))
        assert process.poll() is None  # the words came before the end
        process.send_signal(number)
        _, said = process.communicate(timeout=LIMIT_S)
    until(lambda: processes_in(home) == [])
    return process.returncode, said


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        ("SIGINT", "srt"),
        ("SIGTERM", "vtt"),
        ("SIGHUP", "srt"),
        ("SIGKILL", "srt"),
        ("SIGKILL", "vtt"),
    ],
)
def test_a_signal_leaves_whole_cues_and_the_place(
    long: Path, tmp_path: Path, name: str, file_format: str
) -> None:
    out = tmp_path / f"long.{file_format}"
    number = getattr(signal, name)
    code, said = interrupted(long, out, tmp_path, number)
    assert code == (130 if name == "SIGINT" else -number)
    text = out.read_text()
    assert "".join(CUE[file_format].findall(text)) == text
    assert len(CUE[file_format].findall(text)) >= 3
    if name != "SIGKILL":
        place = STOPPED.search(said)
        assert place is not None, said
        at_s, of_s = (60 * int(place[i]) + int(place[i + 1]) for i in (1, 3))
        assert 0 < at_s < of_s
        assert abs(of_s - soundfile.info(long).duration) <= 1
        assert str(out) in said


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_text_grows_by_whole_words(long: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "long.txt"
    interrupted(long, out, tmp_path, getattr(signal, name))
    assert out.read_text().endswith("\n") is (name == "SIGTERM")
    said, known = words(out.read_text()), set(words(TWO_CITIES))
    assert sum(word in known for word in said) > 0.9 * len(said)


def test_a_file_that_was_interrupted_is_not_skipped(long: Path, tmp_path: Path) -> None:
    out = tmp_path / "long.srt"
    interrupted(long, out, tmp_path, signal.SIGKILL)
    before = out.read_text()
    short = tmp_path / "short.wav"
    short.write_bytes(moonshine_asset("beckett.wav").read_bytes())
    again = live_cli("transcribe", short, "--output", out, "--skip-existing", home=tmp_path)
    assert again.returncode == 0, again.stderr
    assert out.read_text() != before
    whole = out.read_text()
    skipped = live_cli("transcribe", short, "--output", out, "--skip-existing", home=tmp_path)
    assert (skipped.returncode, out.read_text()) == (0, whole)
    assert not list(tmp_path.glob("*.unfinished"))


def test_an_engine_that_ends_leaves_what_is_done(long: Path, tmp_path: Path) -> None:
    out = tmp_path / "long.srt"
    with started(
        "transcribe", long, "--output", out, home=tmp_path, stderr=subprocess.PIPE
    ) as process:
        until(lambda: out.exists() and out.stat().st_size > 200)
        [engine] = [pid for pid in processes_in(tmp_path) if pid != process.pid]
        os.kill(engine, signal.SIGKILL)
        _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 6
    assert said.count("\n") == 1
    assert "SIGKILL" in said
    assert STOPPED.search(said)
    text = out.read_text()
    assert "".join(CUE["srt"].findall(text)) == text != ""


def test_a_pipe_gets_words_before_the_end(long: Path, tmp_path: Path) -> None:
    with started("transcribe", long, home=tmp_path, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        first = os.read(process.stdout.fileno(), 10)
        assert first
        assert process.poll() is None
        process.stdout.close()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_pipe_that_never_ends_holds_up_no_exit(tmp_path: Path, name: str) -> None:
    with started(
        "transcribe", "-", home=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until(lambda: len(processes_in(tmp_path)) > 1)
        time.sleep(2)
        process.send_signal(getattr(signal, name))
        end = time.monotonic() + LIMIT_S
        while process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert process.stderr is not None
        assert process.stdin is not None
        said = process.stderr.read()
        process.stderr.close()
        process.stdin.close()
    assert process.returncode == (130 if name == "SIGINT" else -signal.SIGTERM)
    assert said.count("\n") <= 1
    assert "Fatal" not in said
