"""uvicorn as this project runs it: sockets given, signals left alone, slow readers cut off."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from live_cli.net.limits import Limits

_PING_INTERVAL_S = 30.0
_PING_TIMEOUT_S = 60.0
_FLUSH_S = 1.0
"""What a cut connection is given to take the close frame."""


class CuttableWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, with a way to end it while its peer does not read.

    ASGI's own close waits until the socket takes bytes again, which a stuck peer never grants.
    The application finds ``cut(code, reason)`` in its scope's state.
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

    def keepalive_timeout(self) -> None:
        self.cut(1011, "keepalive ping timeout")


class Uvicorn(uvicorn.Server):
    """A uvicorn server that ends its sessions itself, then lets uvicorn end its connections."""

    def __init__(
        self, app: ASGIApp, limits: Limits, end_sessions: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(_config(app, limits))
        self._end_sessions = end_sessions
        self._grace_s = limits.grace_s

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


def _config(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws=CuttableWebSocket,
        ws_max_size=limits.message_bytes,
        ws_ping_interval=_PING_INTERVAL_S,
        ws_ping_timeout=_PING_TIMEOUT_S,
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
