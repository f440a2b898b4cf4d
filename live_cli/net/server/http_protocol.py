"""uvicorn's HTTP protocol with a deadline for every request, and a place for every connection."""

import asyncio
from typing import Any, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import get_remote_addr

from live_cli.net.server.access.wrong_keys import network_of
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.places import ConnectionPlace, ConnectionPlaces

_MOST_UNREAD_BYTES: Final = 256 * 1024
"""Read of a body after its request was answered: a client that is still sending finds the answer
when it has sent that much; who goes on is cut."""


class DeadlineHttpProtocol(H11Protocol):
    """One HTTP connection, which is aborted when a request or its response takes too long.

    A request's head comes within ``limits.request_s`` of the connection, or of the response before
    it; its body within the same again, which the application sees to; and its response is written
    within another.
    The application finds ``abort()`` in its scope's state, which cuts the connection at once, and
    ``place``, both also where the request became a WebSocket; and ``give_time(seconds)``, for a
    response that takes longer.

    ``place``: that of the connection, where it has one already; otherwise one of ``places``.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        places: ConnectionPlaces,
        place: ConnectionPlace | None = None,
        **uvicorn_options: Any,
    ) -> None:
        super().__init__(**uvicorn_options)
        self._request_s = limits.request_s
        self._places = places
        self._place = place
        self._deadline: asyncio.TimerHandle | None = None
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._place is None:
            self._place = take_place(self._places, transport)
        if self._place is None:
            transport.abort()
            return
        own = {"abort": transport.abort, "place": self._place, "give_time": self._set_deadline}
        self.app_state = {**self.app_state, **own}
        self._set_deadline(self._request_s)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or self._is_unread(len(data)):
            return
        cycle = self.cycle
        super().data_received(data)
        self._note_request(cycle)

    def on_response_complete(self) -> None:
        self._unread_bytes = 0
        self._set_deadline(self._request_s)
        cycle = self.cycle
        super().on_response_complete()  # begins with the next request, where that is there
        self._note_request(cycle)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._end_deadline()
        for state in (self.app_state, self.scope["state"]):
            del state["give_time"]  # leads back here, a circle that nothing ends any more
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        if self._place is not None:
            self._place.leave()
        super().connection_lost(exc)

    def _note_request(self, before: object) -> None:
        if self.cycle is not before:
            self._set_deadline(2 * self._request_s)

    def _is_unread(self, size: int) -> bool:
        """Return whether the rest of a body that was answered unread is too long; then cut."""
        cycle = self.cycle
        if cycle is None or not cycle.response_complete or self.conn.their_state != h11.SEND_BODY:
            return False
        self._unread_bytes += size
        if self._unread_bytes <= _MOST_UNREAD_BYTES:
            return False
        self.transport.abort()
        return True

    def _set_deadline(self, seconds: float) -> None:
        self._end_deadline()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def take_place(
    places: ConnectionPlaces, transport: asyncio.BaseTransport
) -> ConnectionPlace | None:
    """Return a place for the connection of ``transport``, by the address of its other end."""
    at = cast(asyncio.Transport, transport)
    peer = get_remote_addr(at)
    return places.take(network_of(peer[0]) if peer else "", at.abort)
