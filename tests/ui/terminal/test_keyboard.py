import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from live_cli.ui.terminal.keyboard import Keyboard

CHILD = """
import asyncio, sys
from live_cli.ui.terminal.keyboard import Keyboard
from live_cli.ui.live.live_view import LiveView

async def main():
    done = asyncio.Event()
    with LiveView() as view, Keyboard(lambda key: done.set() if key == "q" else view.note(key)):
        view.note("ready")
        await done.wait()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the descriptors of the test's end and of the terminal's."""
    ours, its = pty.openpty()
    yield ours, its
    os.close(ours)
    os.close(its)


async def pressed(fd: int, ours: int, *typed: bytes, count: int) -> list[str]:
    keys: list[str] = []
    enough = asyncio.Event()

    def on_key(key: str) -> None:
        keys.append(key)
        if len(keys) == count:
            enough.set()

    with Keyboard(on_key, fd=fd):
        for piece in typed:
            os.write(ours, piece)
        await asyncio.wait_for(enough.wait(), 10)
    return keys


async def test_keys_arrive_one_by_one_without_echo(terminal: tuple[int, int]) -> None:
    ours, its = terminal
    keys = await pressed(its, ours, b"m", b" \x1b[A", "é".encode(), b"\x1b", count=5)
    assert keys == ["m", " ", "up", "é", "escape"]
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 100)


async def test_the_terminal_is_as_it_was_after_stop(terminal: tuple[int, int]) -> None:
    _, its = terminal
    before = termios.tcgetattr(its)
    keyboard = Keyboard(lambda key: None, fd=its)
    keyboard.start()
    during = termios.tcgetattr(its)
    assert not during[3] & (termios.ECHO | termios.ICANON)
    assert during[3] & termios.ISIG
    keyboard.stop()
    keyboard.stop()
    assert termios.tcgetattr(its) == before


async def test_without_a_terminal_nothing_starts() -> None:
    read, write = os.pipe()
    keyboard = Keyboard(lambda key: None, fd=read)
    keyboard.start()
    assert not keyboard.active
    keyboard.stop()
    os.close(read)
    os.close(write)


async def test_a_terminal_that_goes_away_is_told_as_the_end() -> None:
    ours, its = pty.openpty()
    keys: list[str] = []
    gone = asyncio.Event()

    def on_key(key: str) -> None:
        keys.append(key)
        gone.set()

    with Keyboard(on_key, fd=its):
        os.close(ours)
        await asyncio.wait_for(gone.wait(), 10)
    assert keys == ["eof"]
    os.close(its)


def test_no_key_reaches_a_loop_that_is_closed(terminal: tuple[int, int]) -> None:
    ours, its = terminal
    keyboard = Keyboard(lambda key: None, fd=its)

    async def leave_running() -> None:
        keyboard.start()

    asyncio.run(leave_running())
    os.write(ours, b"q")
    keyboard.stop()
    assert not keyboard.active


KEYS_ALONE = """
import asyncio
from live_cli.ui.terminal.keyboard import Keyboard

async def main():
    with Keyboard(lambda key: None):
        print("plain")

asyncio.run(main())
"""


@pytest.mark.parametrize(("term", "escapes"), [("dumb", 0), ("xterm", 2)])
def test_a_terminal_without_escape_codes_gets_none(
    terminal: tuple[int, int], term: str, escapes: int
) -> None:
    ours, its = terminal
    env = {**os.environ, "TERM": term}
    subprocess.run([sys.executable, "-c", KEYS_ALONE], stdin=its, stdout=its, env=env, check=True)
    shown = os.read(ours, 4096)
    assert b"plain" in shown
    assert shown.count(b"\x1b") == escapes


AS_A_SHELL_STARTS_IT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run behind a "&"
"""


class Child:
    """A process with the view and the keyboard on a terminal of its own."""

    def __init__(self, *, job_control: bool = True, script: str = CHILD) -> None:
        self.ours, self.its = pty.openpty()
        self.before = termios.tcgetattr(self.its)
        self.output = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_A_SHELL_STARTS_IT + script],
            stdin=self.its,
            stdout=self.its,
            stderr=self.its,
            process_group=0 if job_control else None,
            start_new_session=not job_control,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        self.expect(b"ready")

    def expect(self, wanted: bytes) -> None:
        start = len(self.output)
        deadline = time.monotonic() + 20
        while wanted not in self.output[start:]:
            assert time.monotonic() < deadline, self.output
            if select.select([self.ours], [], [], 1)[0]:
                self.output += os.read(self.ours, 4096)

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def drain(self) -> None:
        """Read until the process ends."""
        while self.process.poll() is None:
            if select.select([self.ours], [], [], 0.05)[0]:
                self.output += os.read(self.ours, 4096)
        while select.select([self.ours], [], [], 0)[0]:
            self.output += os.read(self.ours, 4096)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.its)


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(lambda c: os.write(c.ours, b"q"), 0, id="q"),
        pytest.param(lambda c: c.process.terminate(), -signal.SIGTERM, id="SIGTERM"),
        pytest.param(lambda c: c.process.send_signal(signal.SIGHUP), -signal.SIGHUP, id="SIGHUP"),
        pytest.param(lambda c: c.process.send_signal(signal.SIGINT), 0, id="SIGINT"),
    ],
)
def test_whatever_ends_the_process_the_terminal_is_given_back(child, end, code) -> None:
    assert termios.tcgetattr(child.its) != child.before
    end(child)
    child.expect(b"\x1b[?25h")
    assert child.process.wait(20) == code
    assert termios.tcgetattr(child.its) == child.before


def test_a_stopped_process_leaves_the_terminal_and_takes_it_again(child: Child) -> None:
    child.process.send_signal(signal.SIGTSTP)
    child.expect(b"\x1b[?25h")
    os.waitid(os.P_PID, child.process.pid, os.WSTOPPED | os.WNOWAIT)
    assert termios.tcgetattr(child.its) == child.before
    child.process.send_signal(signal.SIGCONT)
    child.expect(b"connecting")
    os.write(child.ours, b"z")
    child.expect(b"z")
    assert termios.tcgetattr(child.its) != child.before
    os.write(child.ours, b"q")
    assert child.process.wait(20) == 0
    assert termios.tcgetattr(child.its) == child.before


def test_without_job_control_a_stop_changes_nothing() -> None:
    child = Child(job_control=False)
    try:
        during = termios.tcgetattr(child.its)
        child.process.send_signal(signal.SIGTSTP)
        child.expect(b"connecting")
        assert termios.tcgetattr(child.its) == during
        os.write(child.ours, b"q")
        assert child.process.wait(20) == 0
    finally:
        child.close()


# --- a terminal that tells when a key comes up, and others ---------------------------------------

RELEASES_CHILD = """
import asyncio
from live_cli.ui.terminal.keyboard import Keyboard

async def main():
    done = asyncio.Event()
    def on_key(key):
        print(f"<{key}>", flush=True)
        if key == "q":
            done.set()
    with Keyboard(on_key, releases=True):
        print("<ready>", flush=True)
        await done.wait()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("<interrupted>", flush=True)
"""
ASK, PUSH, POP = b"\x1b[?u", b"\x1b[>27u", b"\x1b[<u"


@pytest.fixture
def asking() -> Iterator[Child]:
    child = Child(script=RELEASES_CHILD)
    yield child
    child.close()


def agree(child: Child) -> None:
    assert ASK in child.output
    child.type(b"\x1b[?0u")
    child.expect(PUSH)
    child.type(b"\x1b[?27u")
    child.expect(b"<releases-told>")


def end(child: Child, code: int = 0) -> None:
    """Return the rest of the output, and the exit status."""
    child.drain()
    assert child.process.wait(20) == code
    assert termios.tcgetattr(child.its) == child.before


def test_a_terminal_that_tells_releases_is_asked_and_left_as_it_was(asking: Child) -> None:
    agree(asking)
    asking.type(b"\x1b[32u\x1b[32;1:2u\x1b[32;1:3u")
    asking.expect(b"<release: >")
    assert b"< >\r\n<repeat: >\r\n<release: >" in asking.output
    asking.type(b"\x1b[113;;113u")
    end(asking)
    assert (asking.output.count(PUSH), asking.output.count(POP)) == (1, 1)


def test_a_terminal_that_does_not_answer_is_left_alone(asking: Child) -> None:
    asking.type(b" ")
    asking.expect(b"< >")
    asking.type(b"q")
    end(asking)
    assert asking.output.count(ASK) == 1
    assert PUSH not in asking.output
    assert POP not in asking.output


def test_a_terminal_that_tells_only_a_part_is_used_as_ever(asking: Child) -> None:
    asking.type(b"\x1b[?0u")
    asking.expect(PUSH)
    asking.type(b"\x1b[?1u")
    asking.expect(POP)
    asking.type(b" q")
    end(asking)
    assert b"releases-told" not in asking.output
    assert (asking.output.count(PUSH), asking.output.count(POP)) == (1, 1)


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        pytest.param(lambda c: c.type(b"\x1b[99;5u"), 0, id="Ctrl-C as a key"),
        pytest.param(lambda c: c.process.terminate(), -signal.SIGTERM, id="SIGTERM"),
    ],
)
def test_whatever_ends_it_the_protocol_is_left(asking: Child, stop, code) -> None:
    agree(asking)
    stop(asking)
    asking.expect(POP)
    end(asking, code)
    assert asking.output.count(POP) == 1


SIGNALS_TO_THE_READER = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # the main thread
import threading
run = threading.Thread.run
def unblocked(self):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    run(self)
threading.Thread.run = unblocked
"""


def test_a_signal_that_does_not_end_the_wait_of_the_loop_is_acted_on() -> None:
    child = Child(script=SIGNALS_TO_THE_READER + RELEASES_CHILD)
    try:
        agree(child)
        child.type(b"\x1b[99;5u")
        child.expect(POP)
        end(child)
    finally:
        child.close()


def test_ctrl_z_as_a_key_leaves_the_protocol_and_coming_back_takes_it_again(asking: Child) -> None:
    agree(asking)
    asking.type(b"\x1b[122;5u")
    asking.expect(POP)
    os.waitid(os.P_PID, asking.process.pid, os.WSTOPPED | os.WNOWAIT)
    assert termios.tcgetattr(asking.its) == asking.before
    asking.process.send_signal(signal.SIGCONT)
    asking.expect(PUSH)
    asking.type(b"\x1b[113;;113u")
    end(asking)
    assert (asking.output.count(PUSH), asking.output.count(POP)) == (2, 2)
