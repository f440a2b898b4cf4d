"""The terminal is whole after each signal, for each verb, at several moments.

A terminal is whole when its modes are those from before, the cursor is shown, and every private
mode that was turned on is off; and nobody sees a traceback.
"""

import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import soundfile

from tests.harness.command import LIMIT_S, PROGRAM, environment
from tests.harness.speech import QUESTION

SCRIPTED = {"LIVE_CLI_ENGINE_CHAT": "scripted:The answer is yes.", "TERM": "xterm-256color"}
HIDDEN = b"\x1b[?25l"
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGALRM")
_OURS = re.compile(rb"live_cli/[a-z_/]+\.py")
_SET = re.compile(rb"\x1b\[\?(\d+)([hl])")
_KEYBOARD = re.compile(rb"\x1b\[([<>])[\d;]*u")


class OnTerminal:
    """A command whose three streams are one terminal of its own."""

    def __init__(self, home: Path, *args: str | Path) -> None:
        self._ours, self._its = pty.openpty()
        self.before = termios.tcgetattr(self._its)
        self.output = b""
        self.process = subprocess.Popen(
            ["env", "--default-signal", *PROGRAM, *map(str, args)],
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            process_group=0,
            env=environment(home, **SCRIPTED),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        )

    def until(self, wanted: bytes) -> None:
        end = time.monotonic() + LIMIT_S
        while wanted not in self.output:
            assert time.monotonic() < end, self.output
            assert self.process.poll() is None, self.output
            self._read(0.05)

    def during(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left_s := end - time.monotonic()) > 0:
            self._read(left_s)

    def ended_by(self, name: str) -> int:
        """Send the signal, to be ended by it; the exit code."""
        self.process.send_signal(getattr(signal, name))
        end = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < end, self.output
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._ours], [], [], wait_s)[0]:
            return False
        self.output += os.read(self._ours, 65_536)
        return True

    def assert_whole(self) -> None:
        modes = {int(number): way == b"h" for number, way in _SET.findall(self.output)}
        assert modes.pop(25, True), "the cursor is hidden"
        assert modes.pop(7, True), "lines are cut at the edge"
        assert not [number for number, on in modes.items() if on], self.output
        pushes = list(_KEYBOARD.findall(self.output))
        assert pushes.count(b">") == pushes.count(b"<")
        assert termios.tcgetattr(self._its) == self.before
        if not self.interpreter_was_starting():
            assert b"Traceback" not in self.output
            assert b"Error" not in self.output

    def interpreter_was_starting(self) -> bool:
        """Whether the signal met Python itself, before it ran any of our code."""
        starting = (b"init_import_site", b"Could not import runpy module", b"<frozen runpy>")
        return any(mark in self.output for mark in starting) and not _OURS.search(self.output)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._its)


@dataclass(frozen=True)
class Verb:
    """A command line, and what the terminal shows once it is in the middle of its work."""

    args: tuple[str, ...]
    at_work: bytes


VERBS = {
    "talk": Verb(("talk", "--input", "LONG", "--output", "ANSWER"), b"listening"),
    "transcribe": Verb(("transcribe", "LONG"), HIDDEN),
    "pull": Verb(("models", "pull", "URL", "--sha256", "0" * 64), HIDDEN),
    "text": Verb(("text",), b""),
    "serve": Verb(("serve", "--port", "0"), b"Ready."),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("places")
    speech, rate = soundfile.read(QUESTION, dtype="float32")
    long = folder / "long.wav"
    soundfile.write(long, np.concatenate([np.tile(speech, 40), np.zeros(rate * 60)]), rate)
    with slow_file_server() as url:
        yield {"LONG": str(long), "ANSWER": os.devnull, "URL": f"{url}/model.gguf"}


@contextmanager
def slow_file_server() -> Iterator[str]:
    """A server whose file comes a little at a time."""

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 20))
            self.end_headers()
            try:
                for _ in range(10_000):
                    self.wfile.write(bytes(64))
                    time.sleep(0.05)
            except OSError:
                return

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def start(verb: Verb, home: Path, places: dict[str, str]) -> OnTerminal:
    return OnTerminal(home, *(places.get(arg, arg) for arg in verb.args))


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("verb", VERBS)
def test_at_work(verb: str, name: str, tmp_path: Path, places: dict[str, str]) -> None:
    command = start(VERBS[verb], tmp_path, places)
    try:
        command.until(VERBS[verb].at_work)
        if not VERBS[verb].at_work:
            command.during(1.0)
        code = command.ended_by(name)
        command.assert_whole()
    finally:
        command.close()
    in_order = {"talk": ("SIGINT", "SIGTERM", "SIGHUP"), "serve": ("SIGINT", "SIGTERM", "SIGHUP")}
    if name in in_order.get(verb, ()):
        assert code == 0
    else:
        assert code in ({130} if name == "SIGINT" else {-getattr(signal, name)})


@pytest.mark.parametrize("after_s", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("name", SIGNALS[:4])
@pytest.mark.parametrize("verb", ["talk", "transcribe"])
def test_while_it_starts(
    verb: str, name: str, after_s: float, tmp_path: Path, places: dict[str, str]
) -> None:
    command = start(VERBS[verb], tmp_path, places)
    try:
        command.during(after_s)
        command.ended_by(name)
        command.assert_whole()
    finally:
        command.close()


@pytest.mark.parametrize("again", SIGNALS[:4])
@pytest.mark.parametrize("after_s", [0.0, 0.1])
def test_a_second_signal_while_a_talk_ends(
    again: str, after_s: float, tmp_path: Path, places: dict[str, str]
) -> None:
    """Behind the conversation, where its own handlers are gone and the view is still there."""
    command = start(VERBS["talk"], tmp_path, places)
    try:
        command.until(b"listening")
        command.process.send_signal(signal.SIGTERM)
        command.during(after_s)
        command.ended_by(again)
        command.assert_whole()
    finally:
        command.close()


INTERRUPTED = """
import os, signal, sys
wanted, number = sys.argv[1], getattr(signal, sys.argv[2])
sys.argv = ["live-cli", "voices"]
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == wanted:
            os.kill(os.getpid(), number)

sys.modules.pop("signal")
sys.meta_path.insert(0, Interrupt())
from live_cli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "module", ["signal", "live_cli.streams", "live_cli.cli", "live_cli.cli.main", "typer"]
)
@pytest.mark.parametrize("name", SIGNALS[:4])
def test_before_the_command_is_there(module: str, name: str, tmp_path: Path) -> None:
    """While the program is imported: it ends as any process does, without a word."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module, name],
        capture_output=True,
        text=True,
        check=False,
        env=environment(tmp_path),
        timeout=LIMIT_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    )
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stderr) == (-getattr(signal, name), "")
