"""What a session has received and not yet handled."""

import asyncio
import sys
from collections import deque

_FRAME_BYTES = 100
"""What an empty frame costs: its object and its place."""


class Inbox:
    """Frames in their order: bounded by bytes, full means the socket is not read."""

    def __init__(self, held_bytes: int) -> None:
        self._limit = held_bytes
        self._frames: deque[bytes | str] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    async def put(self, frame: bytes | str) -> None:
        size = len(frame) + _FRAME_BYTES
        while self._frames and self._bytes + size > self._limit:
            await self._change()
        self._frames.append(frame)
        self._bytes += size
        self._changed.set()

    async def get(self) -> bytes | str:
        while not self._frames:
            await self._change()
        frame = self._frames.popleft()
        self._bytes -= len(frame) + _FRAME_BYTES
        self._changed.set()
        return frame

    def release(self) -> None:
        """Take in whatever comes: the sender is gone, and its last word must not wait."""
        self._limit = sys.maxsize
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
