"""Callers without a key: megabytes before they are let in, tiny fragments, requests without end."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from tests.benchmarks.attacks.target import KEY, PLACES, WRONG_KEY, Attack, Target
from tests.benchmarks.row import Row
from tests.harness.live_client import PATH, SETUP
from tests.harness.raw_client import Ends, frame, raw, read_to_end, sent_until_cut

_STRANGERS, _FEW_STRANGERS = 100, 5
_BYTES: Final = 15_000_000
_BEGUN: Final = struct.pack("!BBQI", 0x81, 0xFF, _BYTES, 0)
"""The head of a text message of so many bytes."""
_MOST_MB: Final = 100.0
_HEADS, _FEW_HEADS = 499, 20
_REQUEST: Final = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"


def _credentials(key: str) -> str:
    return f"x-goog-api-key: {key}"


@asynccontextmanager
async def _unanswered(target: Target) -> AsyncIterator[Ends]:
    """A connection that sends its first message without a look at the handshake's answer."""
    async with raw(target.port, upgraded=False) as (reader, writer):
        head = [f"GET {PATH} HTTP/1.1", "host: localhost", _credentials(WRONG_KEY)]
        head += ["upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13"]
        head += ["sec-websocket-key: " + "0" * 22 + "==", "", ""]
        writer.write("\r\n".join(head).encode())
        yield reader, writer


async def send_megabytes(target: Target) -> list[Row]:
    """A hundred at a time: with a wrong key, with no end of a first message, before an answer."""
    ways = {
        "with a wrong key": lambda: raw(target.port, _credentials(WRONG_KEY)),
        "in a first message": lambda: raw(target.port, _credentials(KEY)),
        "before an answer": lambda: _unanswered(target),
    }
    count = _FEW_STRANGERS if target.small else _STRANGERS
    found = []
    for name, way in ways.items():

        async def send() -> None:
            with suppress(OSError, EOFError):
                async with way() as (_, writer):  # noqa: B023 - all are over before the next
                    writer.write(_BEGUN)
                    await sent_until_cut(writer, _BYTES)

        async with target.growth() as grown:
            await asyncio.gather(*(send() for _ in range(count)))
        found.append(Row(f"memory of {count} times 15 MB {name}", grown.mb, "MB", _MOST_MB))
    return found


async def send_fragments(target: Target) -> list[Row]:
    """A message in hundreds of thousands of fragments, of no byte and of one."""
    clients, blocks = (2, 10) if target.small else (10, 200)

    async def send(piece: bytes) -> None:
        async with raw(target.port, _credentials(KEY)) as (reader, writer):
            writer.write(frame(1, json.dumps(SETUP).encode()))
            await reader.readuntil(b"setupComplete")
            reading = asyncio.create_task(read_to_end(reader))
            writer.write(frame(1, b"{", final=False))
            with suppress(ConnectionError):
                for _ in range(blocks):
                    writer.write(frame(0, piece, final=False) * 1000)
                    await writer.drain()
            ends.append(await reading)

    ends: list[bytes] = []
    async with target.growth() as grown:
        await asyncio.gather(*(send(b" " * (number % 2)) for number in range(clients)))
    not_told = sum(b"messages a second" not in end for end in ends)
    return [
        Row(f"floods of tiny fragments that are let go on, of {clients}", not_told, "", 0),
        Row("memory that they take", grown.mb, "MB", _MOST_MB),
    ]


async def hold_places(target: Target) -> list[Row]:
    """Second requests that never end, on as many connections as there may be."""
    kept_out = 0
    async with AsyncExitStack() as stack:
        for _ in range(_FEW_HEADS if target.small else _HEADS):
            with suppress(OSError, EOFError):
                reader, writer = await stack.enter_async_context(raw(target.port, upgraded=False))
                writer.write(_REQUEST.encode())
                await reader.readuntil(b"ok")
                writer.write(b"GET / HT")
        for _ in range(PLACES):
            try:
                await stack.enter_async_context(target.session())
            except (OSError, EOFError, TimeoutError):
                kept_out += 1
    return [Row(f"owners kept out by slow requests, of {PLACES}", kept_out, "", 0)]


ATTACKS: Final = (
    Attack("strangers' megabytes", send_megabytes),
    Attack("tiny fragments", send_fragments),
    Attack("slow requests", hold_places),
)
