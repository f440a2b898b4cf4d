"""uvicorn as this project runs it: sockets given, signals left alone, slow readers cut off.

One port speaks plain HTTP and TLS. `TlsSniffer` reads what a connection sends first and steps
aside: for plain HTTP uvicorn's protocol takes its place on the transport, for TLS asyncio's. No
task, thread or second socket comes between, and one connection's handshake holds up no other.
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
"""What a cut connection is given to take the close frame."""
_FAREWELL_S = 5
"""What a TLS peer is given to answer the end of its connection."""
_CLIENT_HELLO: Final = 0x16
"""The first byte of TLS, a handshake record (RFC 8446, 5.1); no HTTP method begins with it."""


class TlsSniffer(asyncio.Protocol):
    """A connection that has said nothing yet. Its first byte tells TLS from plain HTTP.

    uvicorn counts it among its connections, so that the server's end is also its own.
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
            self._step_aside_for_tls(data)
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
        """What uvicorn calls at its end: there is nothing to finish."""
        self._transport.abort()

    def _step_aside_for_tls(self, data: bytes) -> None:
        """Hand over to TLS, which makes the HTTP connection when the handshake is through.

        What `loop.start_tls` does, and with no moment in which HTTP could receive before it is
        connected, nor one in which the bytes that are read already could be overtaken.
        """
        loop = asyncio.get_running_loop()
        shaken: asyncio.Future[None] = loop.create_future()
        shaken.add_done_callback(self._end_handshake)
        tls = SSLProtocol(
            loop,
            self._http(),
            self._secure,
            shaken,
            server_side=True,
            ssl_handshake_timeout=self._limit_s,  # type: ignore[arg-type] # any number will do
            ssl_shutdown_timeout=_FAREWELL_S,
        )
        self._transport.set_protocol(tls)
        tls.connection_made(self._transport)
        tls.get_buffer(len(data))[: len(data)] = data
        tls.buffer_updated(len(data))

    def _end_handshake(self, shaken: asyncio.Future[None]) -> None:
        self._connections.discard(self)
        if not shaken.cancelled():
            shaken.exception()  # a peer that cannot shake hands is no fault of ours


class ConnectionLimitReached(asyncio.Protocol):
    """For a connection beyond the most that there may be: a file handle is all it costs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


class TimedHttp(H11Protocol):
    """uvicorn's HTTP, which lets go of a peer that does not finish its first request's head."""

    def __init__(self, *, limit_s: float, **uvicorns_own: Any) -> None:
        super().__init__(**uvicorns_own)
        self._limit_s = limit_s

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit = self.loop.call_later(self._limit_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.scope is not None:
            self._limit.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        super().connection_lost(exc)


class CuttableWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, for peers that do not read, and for peers that are not read.

    ASGI's own close waits until the socket takes bytes again, which a stuck peer never grants.
    The application finds ``cut(code, reason)`` in its scope's state. It may put ``lost()`` there,
    which is called at the connection's end, also when the application has stopped receiving.
    """

    async def run_asgi(self) -> None:
        self.scope["state"]["cut"] = self.cut
        await super().run_asgi()

    def cut(self, code: int, reason: str) -> None:
        """Queue a close frame behind what is unsent, and abort the connection soon after."""
        self.stop_keepalive()
        if not self.close_sent and not self.transport.is_closing():
            self.close_sent = True
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.loop.call_later(_FLUSH_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        lost: Callable[[], None] | None = self.scope["state"].get("lost")
        if lost is not None:
            lost()

    def handle_ping(self) -> None:
        """Answer, but not a peer that reads no answers: they would pile up (RFC 6455, 5.5.3)."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    def keepalive_timeout(self) -> None:
        if self.read_paused:  # its pong waits behind what we have not taken: no sign of death
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
        else:
            self.cut(1011, "keepalive ping timeout")


class Uvicorn(uvicorn.Server):
    """A uvicorn server that ends its sessions itself, then lets uvicorn end its connections."""

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
        """Begin to end."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Once a second, for the date in HTTP headers; uvicorn's own wakes ten times."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the command, which ends with an exit code of its own."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._end_sessions()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_FLUSH_S, self._grace_s)):
                # their peers answer the close frame; uvicorn has no event for it
                while self.server_state.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        await super().shutdown(sockets)


def _config(app: ASGIApp, limits: Limits, secure: ssl.SSLContext | None) -> uvicorn.Config:
    def connection(*, server_state: ServerState, **uvicorns_own: Any) -> asyncio.Protocol:
        """A new connection's protocol, as uvicorn asks for it."""
        if len(server_state.connections) >= limits.connections:
            return ConnectionLimitReached()
        http = functools.partial(
            TimedHttp, limit_s=limits.request_s, server_state=server_state, **uvicorns_own
        )
        if secure is None:
            return http()
        return TlsSniffer(http, secure, server_state.connections, limits.request_s)

    return uvicorn.Config(
        app,
        loop="asyncio",
        http=cast(type[asyncio.Protocol], connection),  # uvicorn does nothing but call it
        ws=CuttableWebSocket,
        ws_max_size=limits.message_bytes,
        ws_ping_interval=limits.ping_s,
        ws_ping_timeout=limits.pong_s,
        ws_per_message_deflate=False,  # base64 on the loopback: time spent for nothing
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # its other lines show query keys, or tracebacks at a peer's whim
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(limits.grace_s)),
    )
