"""The keyboard: a thread that reads keys and passes them to the event loop.

POSIX: the terminal is put into cbreak mode (no echo, no line buffer; Ctrl-C and Ctrl-Z stay
signals) and restored whatever ends the process (`restore`). Windows: the console is polled.
Key names are those of `line_editor` and `key_decoder`; ``eof`` says that no more keys can come.

A terminal is asked whether it can report the release of keys, and its answer is not waited for:
until then keys work as on any terminal, and one that never answers is left as it is. A terminal
that reports releases no longer turns Ctrl-C and Ctrl-Z into signals, so that is done here.
https://sw.kovidgoyal.net/kitty/keyboard-protocol/
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable

from live_cli.ui.terminal.key_decoder import FLAGS, PASTE_OFF, PASTE_ON, RELEASES_TOLD, KeyDecoder
from live_cli.ui.terminal.restore import TerminalGuard, hold, release

ESCAPE_WAIT_S = 0.05
"""Time that the rest of a sequence may take to come after an Escape."""
POLL_S = 0.02

TELL_ALL = 1 | 2 | 8 | 16
"""Flags of the protocol: disambiguate, report event types, all keys, and associated text."""
ASK_FLAGS = "\x1b[?u"
PUSH_FLAGS = f"\x1b[>{TELL_ALL}u"
POP_FLAGS = "\x1b[<u"
ASK_GRAPHICS = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
"""Whether it knows kitty's graphics; and its attributes, which every terminal tells."""
FOCUS_ON, FOCUS_OFF = "\x1b[?1004h", "\x1b[?1004l"


class Keyboard:
    """Calls ``on_key`` in the event loop of `start` for each key, until `stop`.

    Without a terminal on stdin `start` changes nothing and `active` stays False.
    """

    def __init__(
        self, on_key: Callable[[str], None], *, fd: int | None = None, releases: bool = False
    ) -> None:
        """``fd``: the terminal to read, stdin by default (POSIX only).

        ``releases``: ask the terminal to report releases; the key `RELEASES_TOLD` says it does.
        """
        self._on_key = on_key
        self._releases = releases
        self._fd = fd
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._terminal: _Terminal | None = None
        self.active = False

    def start(self) -> None:
        """Begin to read keys. Called from a coroutine, in the main thread."""
        if self.active or not self._is_terminal():
            return
        self._loop = asyncio.get_running_loop()
        self._stopping.clear()
        self._terminal = _Terminal(
            self._fd if self._fd is not None else _stdin_fd(), asks=self._releases
        )
        self._thread = threading.Thread(target=self._run, name="keyboard", daemon=True)
        self.active = True
        self._thread.start()

    def stop(self) -> None:
        """End, and restore the terminal. A second call does nothing."""
        if not self.active or self._terminal is None or self._thread is None:
            return
        self.active = False
        self._stopping.set()
        self._terminal.wake()
        self._thread.join(timeout=1.0)
        self._terminal.close()

    def ask_graphics(self) -> None:
        """Ask the terminal how it draws images; a key `GRAPHICS` tells its answer, if one comes."""
        if self.active and self._terminal is not None:
            self._terminal.ask(ASK_GRAPHICS)

    def __enter__(self) -> "Keyboard":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_terminal(self) -> bool:
        try:
            return os.isatty(self._fd if self._fd is not None else _stdin_fd())
        except (OSError, ValueError):
            return False

    def _run(self) -> None:
        assert self._terminal is not None  # noqa: S101
        decoder = KeyDecoder()
        while not self._stopping.is_set():
            wait_s = ESCAPE_WAIT_S if decoder.waiting else None
            data = self._terminal.read(wait_s)
            if self._stopping.is_set():
                return
            if data is None:
                self._tell(["eof"])
                return
            keys = decoder.feed(data) if data else decoder.flush()
            self._tell([passed for key in keys for passed in self._filtered(key)])

    def _filtered(self, key: str) -> list[str]:
        """Return the keys to pass on: none for the terminal's answers and for signals."""
        assert self._terminal is not None  # noqa: S101
        if key.startswith(FLAGS):
            return [RELEASES_TOLD] if self._terminal.agree(int(key[len(FLAGS) :])) else []
        if not self._terminal.signal(key):
            return [key]
        self._wake_loop()
        return []

    def _wake_loop(self) -> None:
        """Let the main thread run Python's handler of a signal.

        A signal that comes as the loop begins to wait, or to another thread, does not end that
        wait, and the handler would run with the next event only.
        """
        assert self._loop is not None  # noqa: S101
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(lambda: None)

    def _tell(self, keys: list[str]) -> None:
        assert self._loop is not None  # noqa: S101
        for key in keys:
            # The loop may have closed between the key and the call.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver, key)

    def _deliver(self, key: str) -> None:
        if self.active:
            self._on_key(key)


def _stdin_fd() -> int:
    if sys.stdin is None:
        raise OSError("no stdin")
    return sys.stdin.fileno()


if sys.platform == "win32":
    import _thread
    import msvcrt

    _SCAN_CODES = {
        "H": "\x1b[A",
        "P": "\x1b[B",
        "M": "\x1b[C",
        "K": "\x1b[D",
        "G": "\x1b[H",
        "O": "\x1b[F",
        "S": "\x1b[3~",
    }

    class _Terminal:
        """The Windows console, polled; arrow keys come as the sequences of a POSIX terminal."""

        def __init__(self, fd: int, *, asks: bool) -> None:
            self._awake = threading.Event()

        def agree(self, flags: int) -> bool:
            """Return False: the console is not asked about releases."""
            return False

        def signal(self, key: str) -> bool:
            return False

        def ask(self, sequence: str) -> None:
            """Ask nothing: what the console answers does not come as keys."""

        def read(self, wait_s: float | None) -> bytes | None:
            """Bytes that were typed; empty when ``wait_s`` passed or `wake` was called."""
            waited_s = 0.0
            while not msvcrt.kbhit():
                if self._awake.wait(POLL_S):
                    return b""
                waited_s += POLL_S
                if wait_s is not None and waited_s >= wait_s:
                    return b""
            typed = ""
            while msvcrt.kbhit():
                char = msvcrt.getwch()
                if char in "\x00\xe0" and msvcrt.kbhit():
                    char = _SCAN_CODES.get(msvcrt.getwch(), "\x1b[25~")
                elif char == "\x03":
                    _thread.interrupt_main()
                    continue
                typed += char
            joined = typed.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            return joined.encode()

        def wake(self) -> None:
            self._awake.set()

        def close(self) -> None:
            pass

else:
    import select
    import signal
    import termios

    _SIGNALS = {
        "ctrl-c": signal.SIGINT,
        "ctrl-z": signal.SIGTSTP,
        "ctrl-\\": signal.SIGQUIT,
    }

    class _Terminal:
        """A POSIX terminal in cbreak mode."""

        def __init__(self, fd: int, *, asks: bool) -> None:
            self._fd = fd
            self._asks = asks
            self._pushed = self._agreed = False
            self._found = termios.tcgetattr(fd)
            self._wake_read, self._wake_write = os.pipe()
            self._guard = TerminalGuard(self._restore, self._enter_cbreak)
            hold(self._guard)
            self._enter_cbreak()

        def read(self, wait_s: float | None) -> bytes | None:
            """Bytes that were typed; empty when ``wait_s`` passed or `wake` was called."""
            ready, _, _ = select.select([self._fd, self._wake_read], [], [], wait_s)
            if self._fd not in ready:
                return b""
            try:
                return os.read(self._fd, 4096) or None
            except OSError:  # the terminal is gone
                return None

        def wake(self) -> None:
            os.write(self._wake_write, b"\0")

        def close(self) -> None:
            self._restore()
            release(self._guard)
            os.close(self._wake_read)
            os.close(self._wake_write)

        def _enter_cbreak(self) -> None:
            with contextlib.suppress(termios.error):  # the terminal is gone
                mode = termios.tcgetattr(self._fd)
                mode[3] &= ~(termios.ECHO | termios.ICANON)
                mode[6] = list(mode[6])
                mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
                termios.tcsetattr(self._fd, termios.TCSANOW, mode)
            self._write(PASTE_ON)
            if self._agreed:
                self._push()
            elif self._asks:
                self._write(ASK_FLAGS)

        def ask(self, sequence: str) -> None:
            """Write a question; the answer comes among the keys."""
            self._write(sequence)

        def agree(self, flags: int) -> bool:
            """Take the terminal's answer; True once it reports all that was asked for."""
            if self._agreed or not self._asks:
                return False
            if not self._pushed:
                self._push()
                self._write(ASK_FLAGS)  # some take a part of what they are asked for
            elif flags & TELL_ALL == TELL_ALL:
                self._agreed = True
            else:
                self._asks = False
                self._pop()
            return self._agreed

        def signal(self, key: str) -> bool:
            """Send the signal of Ctrl-C, Ctrl-Z or Ctrl-\\; return False for other keys."""
            number = _SIGNALS.get(key) if self._pushed else None
            if number is None:
                return False
            os.kill(0, number)  # to the whole process group, as the terminal does
            return True

        def _push(self) -> None:
            if not self._pushed:
                self._pushed = True
                self._write(PUSH_FLAGS + FOCUS_ON)

        def _pop(self) -> None:
            """Undo a push once: the modes below on the terminal's stack are not ours."""
            if self._pushed:
                self._pushed = False
                self._write(POP_FLAGS + FOCUS_OFF)

        def _restore(self) -> None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._found)
                termios.tcflow(self._fd, termios.TCOON)  # Ctrl-S would hold up the end
            self._pop()
            self._write(PASTE_OFF)

        def _write(self, sequence: str) -> None:
            """Write ``sequence`` to stdout where that is a terminal that knows escape sequences."""
            if os.environ.get("TERM") == "dumb":
                return
            with contextlib.suppress(OSError, ValueError, AttributeError):
                out = sys.stdout.fileno()
                if os.isatty(out):
                    os.write(out, sequence.encode())
