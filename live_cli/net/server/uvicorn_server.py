"""uvicorn on given sockets, with TLS and HTTP on one port, and limits on slow and silent clients.

`TlsDetectingProtocol` reads the first byte of a connection and hands the transport over: to
uvicorn's protocol for plain HTTP, to asyncio's for TLS. No task, thread or second socket comes
between, and one connection's handshake delays no other.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from live_cli.net.server.limits.limits import Limits

_FLUSH_S = 1.0
"""How long a client may take to receive the close frame before its connection is aborted."""
_TLS_SHUTDOWN_S = 5
"""How long a TLS peer may take to answer the close of its connection."""
_CLIENT_HELLO: Final = 0x16
"""The first byte of TLS: a handshake record (RFC 8446, 5.1). No HTTP method begins with it."""


class TlsDetectingProtocol(asyncio.Protocol):
    """The protocol of a connection that has sent nothing yet: its first byte tells TLS from HTTP.

    ``connections`` is uvicorn's own set, so that a shutdown ends this connection too. ``limit_s``:
    the time from the connection to the first byte, and again for the TLS handshake.
    """

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        secure: ssl.SSLContext,
        connections: set[Any],
        limit_s: float,
    ) -> None:
        self._http = http
        self._secure = secure
        self._connections = connections
        self._limit_s = limit_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(self._limit_s, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._limit.cancel()
        if data[0] == _CLIENT_HELLO:
            self._hand_over_to_tls(data)
        else:
            self._connections.discard(self)
            http = self._http()
            http.connection_made(self._transport)
            self._transport.set_protocol(http)
            http.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        self._connections.discard(self)

    def shutdown(self) -> None:
        """Abort the connection: uvicorn is stopping, and no request is under way."""
        self._transport.abort()

    def _hand_over_to_tls(self, data: bytes) -> None:
        """Give the transport to asyncio's TLS, which connects HTTP when the handshake is done.

        `loop.start_tls` does the same in more steps, between which HTTP could receive data before
        it is connected, and the bytes already read could be overtaken by later ones.
        """
        loop = asyncio.get_running_loop()
        handshake_done: asyncio.Future[None] = loop.create_future()
        handshake_done.add_done_callback(self._end_handshake)
        tls = SSLProtocol(
            loop,
            self._http(),
            self._secure,
            handshake_done,
            server_side=True,
            ssl_handshake_timeout=self._limit_s,  # type: ignore[arg-type] # any number will do
            ssl_shutdown_timeout=_TLS_SHUTDOWN_S,
        )
        self._transport.set_protocol(tls)
        tls.connection_made(self._transport)
        tls.get_buffer(len(data))[: len(data)] = data
        tls.buffer_updated(len(data))

    def _end_handshake(self, handshake_done: asyncio.Future[None]) -> None:
        self._connections.discard(self)
        if not handshake_done.cancelled():
            handshake_done.exception()  # retrieved and dropped: the peer's fault


class RejectingProtocol(asyncio.Protocol):
    """Aborts a connection over the limit of connections before anything is allocated for it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


class TimeLimitedHttpProtocol(H11Protocol):
    """uvicorn's HTTP protocol; aborts when the first request's head takes over ``limit_s``.

    The application finds ``abort()`` in its scope's state, which cuts the connection at once, also
    where the request became a WebSocket.
    """

    def __init__(self, *, limit_s: float, **uvicorn_options: Any) -> None:
        super().__init__(**uvicorn_options)
        self._limit_s = limit_s

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}
        self._limit = self.loop.call_later(self._limit_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.scope is not None:
            self._limit.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        super().connection_lost(exc)


class AbortableWebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, made to end when a client or the application does not read.

    ASGI's close waits until the socket takes bytes again, which never happens when the client does
    not read. The application finds ``close_and_abort(code, reason)`` in its scope's state. It may
    put ``on_lost()`` there, which is called at the connection's end, also when the application has
    stopped receiving.
    """

    async def run_asgi(self) -> None:
        self.scope["state"]["close_and_abort"] = self.close_and_abort
        await super().run_asgi()

    def close_and_abort(self, code: int, reason: str) -> None:
        """Queue a close frame behind the unsent bytes; abort the connection a second later."""
        self.stop_keepalive()
        if not self.close_sent and not self.transport.is_closing():
            self.close_sent = True
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.loop.call_later(_FLUSH_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        on_lost: Callable[[], None] | None = self.scope["state"].get("on_lost")
        if on_lost is not None:
            on_lost()

    def handle_ping(self) -> None:
        """Send a pong, unless the client does not read: pongs would pile up (RFC 6455, 5.5.3)."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    def keepalive_timeout(self) -> None:
        if self.read_paused:  # the pong waits behind unread payloads: the client may be well
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
        else:
            self.close_and_abort(1011, "keepalive ping timeout")


class UvicornServer(uvicorn.Server):
    """A uvicorn server that ends its sessions gracefully before uvicorn closes the connections."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        end_sessions: Callable[[], Awaitable[None]],
        secure: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(_config(app, limits, secure))
        self._end_sessions = end_sessions
        self._grace_s = limits.grace_s
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Begin to shut down."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Tick once a second, for the date in HTTP headers; uvicorn's own loop ticks ten times."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers: the command handles signals and chooses the exit code."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._end_sessions()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_FLUSH_S, self._grace_s)):
                # clients answer the close frame; uvicorn has no event for it
                while self.server_state.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        await super().shutdown(sockets)


def _config(app: ASGIApp, limits: Limits, secure: ssl.SSLContext | None) -> uvicorn.Config:
    def protocol_for_connection(
        *, server_state: ServerState, **uvicorn_options: Any
    ) -> asyncio.Protocol:
        """Return a new connection's protocol; uvicorn calls this like its protocol's class."""
        if len(server_state.connections) >= limits.connections:
            return RejectingProtocol()
        http = functools.partial(
            TimeLimitedHttpProtocol,
            limit_s=limits.request_s,
            server_state=server_state,
            **uvicorn_options,
        )
        if secure is None:
            return http()
        return TlsDetectingProtocol(http, secure, server_state.connections, limits.request_s)

    return uvicorn.Config(
        app,
        loop="asyncio",
        http=cast(type[asyncio.Protocol], protocol_for_connection),  # uvicorn only calls it
        ws=AbortableWebSocketProtocol,
        ws_max_size=limits.received_payload_bytes,
        ws_ping_interval=limits.ping_s,
        ws_ping_timeout=limits.pong_s,
        ws_per_message_deflate=False,  # base64 over loopback: compressing it costs time for nothing
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # its other lines show keys in queries, or tracebacks
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(limits.grace_s)),
    )
