"""The bounded queue of messages to send: a slow connection loses the oldest sound first.

Beside the queue there is room for one image: a newer one takes its place, and it is sent only when
nothing else waits. So an image never delays sound, and what is shown is never old.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from live_cli.protocol.messages import ClientMessage

LIMIT = 250
"""Messages; 250 frames of 20 ms are five seconds of sound."""


class _Image(NamedTuple):
    message: ClientMessage
    on_taken: Callable[[], None]


class Outbox:
    """A queue between callbacks on the event loop and the one task that sends.

    ``dropped_frames`` counts the frames of 20 ms that were not sent.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._messages: deque[ClientMessage] = deque()
        self._image: _Image | None = None
        self._holds_image = False
        self._filled = asyncio.Event()
        self.dropped_frames = 0

    def put(self, messages: Iterable[ClientMessage]) -> None:
        """Queue ``messages``; beyond the limit the oldest frame of sound is dropped and counted."""
        self._messages.extend(messages)
        while len(self._messages) > self._limit and self._drop_oldest_sound():
            self.dropped_frames += 1
        if self._messages:
            self._filled.set()

    def put_image(self, message: ClientMessage, on_taken: Callable[[], None]) -> None:
        """Let an image wait in place of one that waits already; ``on_taken``: it is sent now."""
        self._image = _Image(message, on_taken)
        self._filled.set()

    def drop_image(self) -> None:
        """Drop the image that waits."""
        self._image = None

    def hold_image(self, held: bool) -> None:
        """Keep the image from being taken while there is no connection, or let it go again."""
        self._holds_image = held
        self._filled.set()

    def drop_results(self) -> None:
        """Drop the results of calls: the connection that knew the calls is lost."""
        kept = [message for message in self._messages if message.tool_response is None]
        self._messages = deque(kept)

    def _drop_oldest_sound(self) -> bool:
        for place, message in enumerate(self._messages):
            if message.realtime_input is not None and message.realtime_input.audio is not None:
                del self._messages[place]
                return True
        return False

    async def take(self) -> ClientMessage:
        """Return the next message, an image last of all; wait while there is none."""
        while not self._messages and (self._image is None or self._holds_image):
            self._filled.clear()
            await self._filled.wait()
        if self._messages:
            return self._messages.popleft()
        assert self._image is not None  # noqa: S101
        image, self._image = self._image, None
        image.on_taken()
        return image.message
