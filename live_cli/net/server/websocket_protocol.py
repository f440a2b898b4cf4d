"""uvicorn's WebSocket protocol with limits on what a client sends, and an end for who hangs.

Theory of operation
===================

What has come from the socket is parsed in *slices* of 8 kB, one in each turn of the event loop, so
that ten thousand empty frames in one packet hold up nobody else. While a slice waits, the socket is
not read.

A client is read in three stages. Before its setup message it may send ``stranger_bytes``, or what
the application allows with ``admit``; then nothing of it is parsed until the application calls
``take_messages``, since the setup was good. Whoever is refused gets the close frame, and after that
no more than ``stranger_bytes`` are looked at; a second later the connection is cut.

Frames below 256 bytes are counted (`limits.rate`), whatever they are: messages, fragments, pings,
pongs. Fragments are joined as they come, so that those without content take no memory.

Text goes to the application as bytes: its JSON parser checks the encoding itself, and a text of
16 MB would be copied three times.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.places import ConnectionPlace
from live_cli.net.server.limits.rate import SmallMessageRate, too_many_messages_reason

FLUSH_S: Final = 1.0
"""How long a client may take to receive the close frame before its connection is aborted."""
_SLICE_BYTES: Final = 8 * 1024
"""1,300 empty frames, which take 6 ms to parse; a message of 100 ms of sound fits twice."""
_FRAME_BYTES: Final = 14
"""The largest head of a frame (RFC 6455, 5.2), beside what a first message may have."""


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """The WebSocket of one client, who may send too much, too fast or too small, or not read.

    ASGI's close waits until the socket takes bytes again, which never happens when the client does
    not read. The application finds in its scope's state:

    - ``close_and_abort(code, reason)``, which does not wait,
    - ``admit(size)``: the client was let in; its first message may have ``size`` bytes,
    - ``take_messages()``: the first message was good; let more come.

    It may put ``on_lost()`` there, which is called at the connection's end, also when the
    application has stopped receiving.
    """

    def __init__(self, *, limits: Limits, **uvicorn_options: Any) -> None:
        super().__init__(**uvicorn_options)
        self._stranger_bytes = limits.stranger_bytes
        self._rate = SmallMessageRate(limits.small_messages_per_s, self.loop.time())
        self._per_s = limits.small_messages_per_s
        self._unparsed = bytearray()
        self._slice_due = False
        self._first_bytes = limits.stranger_bytes
        self._left: int | None = limits.stranger_bytes + _FRAME_BYTES
        """Bytes that are still parsed; None where there is no limit on them together."""
        self._admitted = False
        self._waits = False
        """Whether the first message is there, and the application has not said that it is good."""
        self._stopped = False
        """Whether nothing is read any more: the client has sent all it may."""

    async def run_asgi(self) -> None:
        state = self.scope["state"]
        state["close_and_abort"] = self.close_and_abort
        state["admit"] = self.admit
        state["take_messages"] = self.take_messages
        try:
            await super().run_asgi()
        finally:
            state.clear()  # what the application found there leads back to this protocol

    # --- the stages ----------------------------------------------------------------------------

    def admit(self, size: int) -> None:
        """Let the first message have ``size`` bytes: the client was let in."""
        assert self._left is not None  # noqa: S101 - admitted once, before the first message
        self._left += size - self._first_bytes
        self._first_bytes = size
        self._admitted = True

    def take_messages(self) -> None:
        """Parse what comes after the first message: the application has found it good."""
        if self.close_sent:
            return
        self._left = None
        self._waits = False
        self._go_on()

    def close_and_abort(self, code: int, reason: str) -> None:
        """Queue a close frame behind the unsent bytes; abort the connection a second later."""
        self.stop_keepalive()
        if not self.close_sent and not self.transport.is_closing():
            self.close_sent = True
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self._read_no_more_than_strangers()
        self._abort_later()

    def _refuse(self, code: int, reason: str) -> None:
        """End the connection for what the client sends, and tell the application."""
        closed = {"type": "websocket.disconnect", "code": code, "reason": reason}
        self.queue.put_nowait(cast(Any, closed))
        self.close_and_abort(code, reason)

    def _read_no_more_than_strangers(self) -> None:
        self._left = self._stranger_bytes
        self._waits = False

    def _abort_later(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(FLUSH_S, self.transport.abort)

    # --- what comes ----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)  # the request, which HTTP has read
        elif self._unparsed or self._waits or len(data) > _SLICE_BYTES:
            self._unparsed += data
            self._go_on()
        else:
            self._parse(data)
            self._go_on()

    def _go_on(self) -> None:
        """Parse the next slice in the loop's next turn, where there is one; read no more then."""
        if self._waits or self._unparsed:
            self.transport.pause_reading()
        elif not self.read_paused and not self._stopped:
            self.transport.resume_reading()
        if self._unparsed and not self._waits and not self._slice_due:
            self._slice_due = True
            self.loop.call_soon(self._parse_slice)

    def _parse_slice(self) -> None:
        self._slice_due = False
        if self._waits or self.transport.is_closing():
            return
        piece = bytes(self._unparsed[:_SLICE_BYTES])
        del self._unparsed[:_SLICE_BYTES]
        self._parse(piece)
        self._go_on()

    def _parse(self, data: bytes) -> None:
        if self._stopped:
            return
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self._stop_reading()
                return
        super().data_received(data)

    def _stop_reading(self) -> None:
        """Take nothing more of a client that has sent all it may before it is let in, or after."""
        self._stopped = True
        self._unparsed.clear()
        self.transport.pause_reading()
        if self._admitted and not self.close_sent:
            self._refuse(1009, f"The first message may have {self._first_bytes} bytes here.")

    async def receive(self) -> Any:
        message = await super().receive()
        if self._unparsed or self._waits or self._stopped:
            self.transport.pause_reading()  # which uvicorn has resumed
        return message

    def send_receive_event_to_app(self) -> None:
        if self._left is not None and not self.close_sent:
            self._waits = True
        super().send_receive_event_to_app()

    def handle_text(self, event: Frame) -> None:
        self.handle_bytes(event)

    def handle_bytes(self, event: Frame) -> None:
        if self._counts(len(event.data)):
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        if not self._counts(len(event.data)):
            return
        frames = cast(list[Any], self.frames)
        if isinstance(frames[0], bytes):
            frames[0] = bytearray(frames[0])
        frames[0] += event.data
        if event.fin:
            frames[0] = bytes(frames[0])
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Send a pong, unless the client does not read: pongs would pile up (RFC 6455, 5.5.3)."""
        pong = b"".join(self.conn.data_to_send())
        if self._counts(0) and self.writable.is_set():
            self.transport.write(pong)

    def handle_pong(self, event: Frame) -> None:
        if self._counts(len(event.data)):
            super().handle_pong(event)

    def _counts(self, size: int) -> bool:
        """Count a frame; False, and the connection ends, where there are too many small ones."""
        if self.close_sent:
            return False
        if self._rate.admit(size, self.loop.time()):
            return True
        self._refuse(1008, too_many_messages_reason(self._per_s))
        return False

    # --- how it ends ---------------------------------------------------------------------------

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.close" and self.close_sent:
            self._read_no_more_than_strangers()
            self._abort_later()
            self._go_on()

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        if self.transport.is_closing():
            self.loop.call_later(FLUSH_S, self.transport.abort)  # it may not read what is unsent

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self.loop.call_later(FLUSH_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        if self.read_paused:  # the pong waits behind unread payloads: the client may be well
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
        else:
            self.close_and_abort(1011, "keepalive ping timeout")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unparsed.clear()
        self.conn.parser.close()  # a generator that holds its owner, which holds it
        place: ConnectionPlace | None = self.app_state.get("place")
        if place is not None:
            place.leave()
        scope: dict[str, Any] = getattr(self, "scope", {})  # a bad handshake leaves none
        on_lost: Callable[[], None] | None = scope.get("state", {}).get("on_lost")
        if on_lost is not None:
            on_lost()


def websocket_protocol_of(limits: Limits) -> type[asyncio.Protocol]:
    """Return what makes the protocol of a WebSocket, as uvicorn calls it."""

    def protocol(**uvicorn_options: Any) -> LimitedWebSocketProtocol:
        return LimitedWebSocketProtocol(limits=limits, **uvicorn_options)

    return cast(type[asyncio.Protocol], protocol)  # uvicorn only calls it
