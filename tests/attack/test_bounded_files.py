"""A file that a person names is read within a size and a time, wherever its name leads."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from live_cli import bounded_read
from live_cli.audio.files import speech_files
from live_cli.bounded_read import read_bounded
from live_cli.errors import LiveError
from live_cli.plan.history_file import read_history
from live_cli.settings.credentials import server_key
from live_cli.settings.sources import read_system
from live_cli.settings.toml_file import read_config
from live_cli.ui.line_reader import MOST_CHARACTERS, LineReader

pytestmark = pytest.mark.skipif(os.name != "posix", reason="devices and pipes by name")

READERS: dict[str, Callable[[Path], object]] = {
    "key": lambda path: server_key({}, str(path)),
    "system": lambda path: read_system(f"@{path}"),
    "config": read_config,
    "history": read_history,
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    return READERS[request.param]


@pytest.mark.parametrize("endless", ["/dev/zero", "/dev/urandom", "/dev/full"])
def test_what_has_no_end_is_a_sentence(reader: Callable[[Path], object], endless: str) -> None:
    with pytest.raises(LiveError, match=r"cannot be read.*larger than [\d,]+ bytes"):
        reader(Path(endless))


def test_a_large_file_is_a_sentence_and_not_read(
    reader: Callable[[Path], object], tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no place
    with pytest.raises(LiveError, match="larger than"):
        reader(large)


def test_a_pipe_that_nobody_writes_to_is_a_sentence(
    reader: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_read, "WAIT_S", 0.2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(LiveError, match=r"within 0\.2 s"):
        reader(pipe)


def test_a_writer_that_never_ends_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then does not begin the time anew."""
    monkeypatch.setattr(bounded_read, "WAIT_S", 0.5)
    ours, theirs = os.pipe()
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            os.write(theirs, b"x")

    writer = threading.Thread(target=drip)
    writer.start()
    try:
        with pytest.raises(TimeoutError):
            read_bounded(Path(f"/dev/fd/{ours}"), 1 << 20)
    finally:
        stop.set()
        writer.join()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("made", ["folder", "socket", "none"])
def test_what_is_no_file_is_a_sentence(
    reader: Callable[[Path], object], made: str, tmp_path: Path
) -> None:
    import socket

    path = tmp_path / "x"
    listener = socket.socket(socket.AF_UNIX)
    if made == "folder":
        path.mkdir()
    elif made == "socket":
        listener.bind(str(path))
    with listener, pytest.raises(LiveError, match="cannot be read"):
        reader(path)


def test_a_command_in_place_of_a_file_is_waited_for() -> None:
    """``@<(command)``: a pipe, whose writer is slower than the reader."""
    program = "from live_cli.settings.sources import read_system\nprint(read_system('@/dev/stdin'))"
    writer = "import time; time.sleep(1); print('Be brief.')"
    with subprocess.Popen([sys.executable, "-c", writer], stdout=subprocess.PIPE) as slow:
        done = subprocess.run(
            [sys.executable, "-c", program], stdin=slow.stdout, capture_output=True, text=True,
            check=True, timeout=60,
        )  # fmt: skip
    assert done.stdout.strip() == "Be brief."


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_what_fits_is_whole(size: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(os.urandom(size))
    assert read_bounded(path, size) == path.read_bytes()
    if size:
        with pytest.raises(OSError, match="larger"):
            read_bounded(path, size - 1)


@pytest.mark.parametrize("endless", ["/dev/zero", "/dev/full"])
async def test_a_line_without_end_is_a_sentence(endless: str) -> None:
    descriptor = os.open(endless, os.O_RDONLY)
    try:
        with pytest.raises(LiveError, match="line of standard input is longer"):
            await LineReader(descriptor).next()
    finally:
        os.close(descriptor)


async def test_a_long_line_among_others_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("a\n" + "b" * MOST_CHARACTERS + "\n" + "c" * (MOST_CHARACTERS + 1) + "\n")
    with path.open("rb") as file:
        reader = LineReader(file.fileno())
        assert await reader.next() == "a"
        assert await reader.next() == "b" * MOST_CHARACTERS
        with pytest.raises(LiveError, match="break it into several"):
            await reader.next()


def test_sound_without_end_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_files, "_LARGEST_SPOOL_BYTES", 1 << 20)

    ours, theirs = os.pipe()
    stop = threading.Event()

    def pour() -> None:
        with open(theirs, "wb", buffering=0) as pipe, contextlib.suppress(BrokenPipeError):
            while not stop.is_set():
                pipe.write(bytes(1 << 16))

    writer = threading.Thread(target=pour)
    writer.start()
    try:
        with open(ours, "rb") as pipe, pytest.raises(LiveError, match="than 1,048,576 bytes"):
            speech_files.open_speech(pipe)
    finally:
        stop.set()
        writer.join()
