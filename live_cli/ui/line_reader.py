"""Lines from stdin, one at a time, from a pipe or typed on a terminal.

A thread that nothing waits for reads the descriptor directly: a command that ends while a read
blocks must neither hang nor trip over the lock of `sys.stdin` at the interpreter's end.
"""

import asyncio
import codecs
import contextlib
import os
import select
import threading
from collections.abc import Callable

from live_cli.errors import InputFileError

_READ_BYTES = 65_536
MOST_CHARACTERS = 1 << 20
"""The longest line: more than any model's context takes, where `/dev/zero` is one without end."""


MOST_BYTES = 16 << 20
"""Of all of the input at once: the largest message that a server of the Live API takes."""


class LineReader:
    """Reads lines of UTF-8 from ``fd``, each on request; bytes that are not UTF-8 become U+FFFD.

    Who stops waiting for a line loses nothing: it is the next one's.
    """

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text = ""
        self._ended = False
        self._reading: asyncio.Task[None] | None = None
        self._nobody_asks = asyncio.Event()
        self._nobody_asks.set()

    async def next(self) -> str | None:
        """Return the next line without its line end; None after the last.

        Raises InputFileError for a line of more than `MOST_CHARACTERS`.
        """
        while True:
            await self._nobody_asks.wait()
            if "\n" in self._text or self._ended:
                break
            if len(self._text) > MOST_CHARACTERS + _READ_BYTES:
                break
            await self._read_more()
        if not self._text:
            return None
        line, _, self._text = self._text.partition("\n")
        if len(line) > MOST_CHARACTERS:
            raise InputFileError(
                f"A line of standard input is longer than {MOST_CHARACTERS:,} characters: "
                "break it into several."
            )
        return line.removesuffix("\r")

    async def answer(self, ask: Callable[[], None]) -> str | None:
        """Return the line that is typed once ``ask`` has shown a question; None at the end instead.

        Goes before `next`, which is left what was typed before: nobody answers a question that is
        not there yet.
        """
        self._nobody_asks.clear()
        try:
            while self._reading is None and not self._ended and _has_input(self._fd):
                await self._read_more()
            before = len(self._text)
            ask()
            while "\n" not in self._text[before:] and not self._ended:
                if len(self._text) > MOST_CHARACTERS:
                    return ""
                await self._read_more()
            line, _, rest = self._text[before:].partition("\n")
            self._text = self._text[:before] + rest
            if self._ended and not line:
                self._ended = not os.isatty(self._fd)  # there, Ctrl-D answers and ends nothing
                return None
            return line.removesuffix("\r")
        finally:
            self._nobody_asks.set()

    async def _read_more(self) -> None:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        data = await _read(self._fd)
        self._ended = not data
        self._text += self._decoder.decode(data, final=self._ended)
        self._reading = None

    async def rest(self) -> str:
        """Return all that is left, as it is. Raises InputFileError beyond `MOST_BYTES`."""
        pieces, size = [self._text], 0
        while not self._ended and size <= MOST_BYTES:
            data = await _read(self._fd)
            self._ended = not data
            size += len(data)
            pieces.append(self._decoder.decode(data, final=self._ended))
        if size > MOST_BYTES:
            raise InputFileError(
                f"Standard input is longer than {MOST_BYTES:,} bytes, the most that a server takes "
                "in one message: send it in parts."
            )
        self._text = ""
        return "".join(pieces).replace("\r\n", "\n")


def _has_input(fd: int) -> bool:
    """Return whether a read would return at once, where the system can tell (not on Windows)."""
    with contextlib.suppress(OSError, ValueError):
        return bool(select.select([fd], [], [], 0)[0])
    return False


def _read(fd: int) -> asyncio.Future[bytes]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        try:
            data = os.read(fd, _READ_BYTES)
        except OSError:  # closed, or a terminal that has gone: nothing more will come
            data = b""
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, future, data)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return future


def _settle(future: asyncio.Future[bytes], data: bytes) -> None:
    if not future.done():
        future.set_result(data)
