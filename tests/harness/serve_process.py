"""A running `live-cli serve`, as a person starts it: a process, its address and what it logs."""

import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from tests.harness.command import LIMIT_S, PROGRAM, started


class Serve:
    """A running `live-cli serve`; what it logs is read as it comes, so that it never waits."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self.process = process
        self.home = home
        self._read: list[str] = []
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read_all)
        self._reader.start()

    @property
    def said(self) -> str:
        """All that it has logged until now."""
        return "".join(self._read)

    @property
    def port(self) -> int:
        found = re.search(r"Serving .*:(\d+)\.", self.said)
        assert found is not None, self.said
        return int(found[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def until(self, pattern: str) -> str:
        """What matches in the next line that has it, after those that were asked for before."""
        while line := self._lines.get(timeout=LIMIT_S):
            if found := re.search(pattern, line):
                return found[0]
        raise AssertionError(f"serve ended without {pattern!r}: {self.said}")

    def ended(self) -> int:
        """Its exit code, once it has ended and all that it said is read."""
        self._reader.join(LIMIT_S)
        return self.process.wait(LIMIT_S)

    def _read_all(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._read.append(line)
                self._lines.put(line)
        self._lines.put("")


@contextmanager
def serving(
    home: Path, settings: Mapping[str, str], program: Sequence[str] = PROGRAM, verb: str = "serve"
) -> Iterator[Serve]:
    """A `serve` that is ready, on a free port; it ends by a signal, in order and in silence.

    ``settings``: its environment variables. ``verb``: `stages` is run in the same way. A test may
    end it by itself.
    """
    serve = (verb, "--port", "0")
    with started(
        *serve, home=home, env=settings, program=program, stderr=subprocess.PIPE
    ) as process:
        server = Serve(process, home)
        server.until(r"^Ready\.$")
        yield server
        process.send_signal(signal.SIGTERM)
        assert server.ended() == 0, server.said
        assert "Traceback" not in server.said
