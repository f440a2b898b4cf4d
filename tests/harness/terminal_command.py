"""The real command on a terminal of its own, whose screen can be read and whose keys pressed."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.harness.command import LIMIT_S, PROGRAM, environment
from tests.harness.terminal_screen import TerminalScreen


class CommandOnTerminal:
    """A running command; its screen is kept by a thread. Everything here may block."""

    def __init__(
        self,
        home: Path,
        *args: str | Path,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, its = pty.openpty()
        self.screen = TerminalScreen(columns, rows, wraps=True)
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._resize(its, columns, rows)
        self.process = subprocess.Popen(
            [*PROGRAM, *map(str, args)],
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
            env={**environment(home), "TERM": "xterm-256color", **(env or {})},
        )
        os.close(its)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def until(self, *wanted: str, gone: str = "\0") -> list[str]:
        """Wait for a screen that shows all of ``wanted`` and not ``gone``; its rows."""

        def there(text: str) -> bool:
            return all(each in text for each in wanted) and gone not in text

        return self.until_so(there, f"{wanted} is not there")

    def until_so(self, holds: Callable[[str], bool], why: str) -> list[str]:
        """Wait for a screen, scrolled rows too, of which ``holds`` is true; its rows."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._failure is not None or holds("\n".join(self.screen.text)), LIMIT_S
            )
            rows = self.screen.text
            assert holds("\n".join(rows)), "\n".join([why, *rows])
            return rows

    def press(self, keys: str) -> None:
        """Type ``keys``."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, and an empty screen: what is drawn next is new."""
        with self._changed:
            self.screen = TerminalScreen(columns, rows, wraps=True)
            self._resize(self._ours, columns, rows)

    def ended(self) -> int:
        """Wait for the end, and for the last of the screen; the exit code."""
        code = self.process.wait(LIMIT_S)
        self._thread.join(LIMIT_S)
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join(LIMIT_S)
        os.close(self._ours)

    @staticmethod
    def _resize(terminal: int, columns: int, rows: int) -> None:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def _read(self) -> None:
        left = b""
        while True:
            try:
                left += os.read(self._ours, 65_536)
            except OSError:  # the last who had it open is gone
                break
            text = left.decode("utf-8", "ignore")
            left = left[len(text.encode()) :]
            with self._changed:
                try:
                    self.screen.write(text)
                except AssertionError as exc:
                    self._failure = exc
                    break
                finally:
                    self._changed.notify_all()


@contextmanager
def on_terminal(
    home: Path,
    *args: str | Path,
    columns: int = 80,
    rows: int = 24,
    env: Mapping[str, str] | None = None,
) -> Iterator[CommandOnTerminal]:
    """`live-cli ARGS` on a terminal; ended at the end if it still runs."""
    running = CommandOnTerminal(home, *args, columns=columns, rows=rows, env=env)
    try:
        yield running
    finally:
        running.close()
