"""Lines from stdin, one at a time, from a pipe or typed on a terminal.

A thread that nothing waits for reads the descriptor directly: a command that ends while a read
blocks must neither hang nor trip over the lock of `sys.stdin` at the interpreter's end.
"""

import asyncio
import codecs
import os
import threading

_READ_BYTES = 65_536


class LineReader:
    """Reads lines of UTF-8 from ``fd``, each on request; bytes that are not UTF-8 become U+FFFD."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text = ""
        self._ended = False

    async def next(self) -> str | None:
        """Return the next line without its line end; None after the last."""
        while "\n" not in self._text and not self._ended:
            data = await _read(self._fd)
            self._ended = not data
            self._text += self._decoder.decode(data, final=self._ended)
        if not self._text:
            return None
        line, _, self._text = self._text.partition("\n")
        return line.removesuffix("\r")


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
