"""A client of HTTP and WebSocket by hand, for what no library sends."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from typing import Final

from tests.harness.live_client import PATH

_ENOUGH_S: Final = 30.0  # a bound on waiting, not a measure
_KB: Final = 1024


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A client's frame with a mask of zeros (RFC 6455, 5.2)."""
    first = (0x80 if final else 0) | opcode
    if len(payload) < 126:
        return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload
    return struct.pack("!BBQI", first, 0xFF, len(payload), 0) + payload


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def raw(port: int, *headers: str, upgraded: bool = True) -> AsyncIterator[Ends]:
    """A bare connection; ``upgraded``: with the handshake of a WebSocket done."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_KB)
    try:
        if upgraded:
            head = [f"GET {PATH} HTTP/1.1", "host: localhost", "upgrade: websocket", *headers]
            head += ["connection: upgrade", "sec-websocket-version: 13"]
            head += ["sec-websocket-key: " + "0" * 22 + "==", "", ""]
            writer.write("\r\n".join(head).encode())
            await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def sent_until_cut(writer: asyncio.StreamWriter, most: int, block: int = 64 * _KB) -> int:
    """Write until the server takes no more for a second, or ends it; return the bytes written."""
    sent = 0
    with contextlib.suppress(ConnectionError, TimeoutError):
        while sent < most:
            writer.write(bytes(block))
            async with asyncio.timeout(1.0):
                await writer.drain()
            sent += block
    return sent


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    read = b""
    async with asyncio.timeout(_ENOUGH_S):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(2**16):
                read += piece
    return read
