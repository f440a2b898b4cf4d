"""uvicorn on given sockets, with TLS and HTTP on one port, and limits on slow and silent clients.

`TlsDetectingProtocol` reads the first byte of a connection and hands the transport over: to
uvicorn's protocol for plain HTTP, to asyncio's for TLS. No task, thread or second socket comes
between, and one connection's handshake delays no other.
"""

import asyncio
import contextlib
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from live_cli.net.server.http_protocol import DeadlineHttpProtocol, take_place
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.places import ConnectionPlace, ConnectionPlaces
from live_cli.net.server.websocket_protocol import FLUSH_S, websocket_protocol_of

_TLS_SHUTDOWN_S = 5
"""How long a TLS peer may take to answer the close of its connection."""
_CLIENT_HELLO: Final = 0x16
"""The first byte of TLS: a handshake record (RFC 8446, 5.1). No HTTP method begins with it."""


class TlsDetectingProtocol(asyncio.Protocol):
    """The protocol of a connection that has sent nothing yet: its first byte tells TLS from HTTP.

    ``http`` makes the protocol that follows, for a connection with a place. ``connections`` is
    uvicorn's own set, so that a shutdown ends this connection too. ``limit_s``:
    the time from the connection to the first byte, and again for the TLS handshake.
    """

    def __init__(
        self,
        http: Callable[[ConnectionPlace], DeadlineHttpProtocol],
        secure: ssl.SSLContext,
        connections: set[Any],
        places: ConnectionPlaces,
        limit_s: float,
    ) -> None:
        self._http = http
        self._secure = secure
        self._connections = connections
        self._places = places
        self._place: ConnectionPlace | None = None
        self._limit_s = limit_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(self._limit_s, self._transport.abort)
        self._place = take_place(self._places, transport)
        if self._place is None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._limit.cancel()
        if self._place is None:
            return  # turned away
        http = self._http(self._place)
        if data[0] == _CLIENT_HELLO:
            self._hand_over_to_tls(data, http)
        else:
            self._connections.discard(self)
            http.connection_made(self._transport)
            self._transport.set_protocol(http)
            http.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        self._connections.discard(self)
        if self._place is not None:
            self._place.leave()

    def shutdown(self) -> None:
        """Abort the connection: uvicorn is stopping, and no request is under way."""
        self._transport.abort()

    def _hand_over_to_tls(self, data: bytes, http: DeadlineHttpProtocol) -> None:
        """Give the transport to asyncio's TLS, which connects HTTP when the handshake is done.

        `loop.start_tls` does the same in more steps, between which HTTP could receive data before
        it is connected, and the bytes already read could be overtaken by later ones.
        """
        loop = asyncio.get_running_loop()
        handshake_done: asyncio.Future[None] = loop.create_future()
        handshake_done.add_done_callback(lambda done: self._end_handshake(done, http))
        tls = SSLProtocol(
            loop,
            http,
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

    def _end_handshake(
        self, handshake_done: asyncio.Future[None], http: DeadlineHttpProtocol
    ) -> None:
        self._connections.discard(self)
        connected = cast(asyncio.Transport | None, http.transport)
        if connected is None and self._place is not None:
            self._place.leave()  # HTTP was never connected, and will not see the end either
        if not handshake_done.cancelled():
            handshake_done.exception()  # retrieved and dropped: the peer's fault


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

    async def serve_until(
        self,
        stop: asyncio.Event | None,
        listeners: list[socket.socket],
        beside: Iterable[Coroutine[Any, Any, None]] = (),
    ) -> None:
        """Serve on ``listeners``, and close them, until ``stop`` is set or the task is cancelled.

        ``beside``: runs as long.
        """

        async def watch(stop: asyncio.Event) -> None:
            await stop.wait()
            self.stop()

        parts = [*beside, *([watch(stop)] if stop is not None else [])]
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            await self.serve(sockets=listeners)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for listener in listeners:
                listener.close()

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
            async with asyncio.timeout(min(FLUSH_S, self._grace_s)):
                # clients answer the close frame; uvicorn has no event for it
                while self.server_state.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        await super().shutdown(sockets)


def _config(app: ASGIApp, limits: Limits, secure: ssl.SSLContext | None) -> uvicorn.Config:
    places = ConnectionPlaces(limits.connections, limits.connections_per_address)

    def protocol_for_connection(
        *, server_state: ServerState, **uvicorn_options: Any
    ) -> asyncio.Protocol:
        """Return a new connection's protocol; uvicorn calls this like its protocol's class."""

        def http(place: ConnectionPlace | None) -> DeadlineHttpProtocol:
            return DeadlineHttpProtocol(
                limits=limits,
                places=places,
                place=place,
                server_state=server_state,
                **uvicorn_options,
            )

        if secure is None:
            return http(None)
        connections = server_state.connections
        return TlsDetectingProtocol(http, secure, connections, places, limits.request_s)

    return uvicorn.Config(
        app,
        loop="asyncio",
        http=cast(type[asyncio.Protocol], protocol_for_connection),  # uvicorn only calls it
        ws=websocket_protocol_of(limits),
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
