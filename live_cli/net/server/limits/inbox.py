"""The queue of payloads that a connection has received and not yet handled."""

import asyncio
import sys
from collections import deque

_PAYLOAD_OVERHEAD_BYTES = 100
"""What an empty payload costs: its object and its place in the queue."""


class Inbox:
    """A queue of payloads, oldest first, bounded by ``held_bytes``.

    `put` waits while the queue is full, so the socket is not read and TCP slows the sender.
    """

    def __init__(self, held_bytes: int) -> None:
        self._limit = held_bytes
        self._payloads: deque[bytes] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    @property
    def holds_more(self) -> bool:
        """Whether `get` returns without waiting."""
        return bool(self._payloads)

    async def put(self, payload: bytes) -> None:
        size = len(payload) + _PAYLOAD_OVERHEAD_BYTES
        while self._payloads and self._bytes + size > self._limit:
            await self._change()
        self._payloads.append(payload)
        self._bytes += size
        self._changed.set()

    async def get(self) -> bytes:
        while not self._payloads:
            await self._change()
        payload = self._payloads.popleft()
        self._bytes -= len(payload) + _PAYLOAD_OVERHEAD_BYTES
        self._changed.set()
        return payload

    def lift_limit(self) -> None:
        """Let `put` wait no longer: the sender is gone, and its close must be read at once."""
        self._limit = sys.maxsize
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
