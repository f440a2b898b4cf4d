"""A WebSocket connection that its server can neither keep open after its end nor drown in pings.

`websockets` answers each ping at once, and keeps the answers that nobody reads: a server that sends
nothing but pings takes a core and memory without end, and one read may hold 85,000 of them. And it
waits without a limit for a server that closed, or that broke the protocol, to end TCP.
"""

from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, State

from live_cli.net.close_codes import TOO_MANY_PINGS

CLOSE_LIMIT_S: Final = 2.0
"""How long a server has to end TCP once the WebSocket has ended."""
PINGS_A_SECOND: Final = 1000
"""Pings and pongs that are taken in a second. Servers send one in some twenty seconds; 1,000 cost
some ten milliseconds."""


class BoundedConnection(ClientConnection):
    """A ClientConnection, made by `websockets.asyncio.client.connect`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._second = 0
        self._pings = 0
        self._cuts = False

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode in (Opcode.PING, Opcode.PONG):
            self._pings += 1

    def data_received(self, data: bytes) -> None:
        if (second := int(self.loop.time())) != self._second:
            self._second, self._pings = second, 0
        super().data_received(data)
        if self._pings > PINGS_A_SECOND and self.protocol.state is State.OPEN:
            self.protocol.fail(CloseCode.POLICY_VIOLATION, TOO_MANY_PINGS)
            self.transport.abort()
        elif self.protocol.close_expected() and not self._cuts:
            self._cuts = True
            self.loop.call_later(CLOSE_LIMIT_S, self.transport.abort)
