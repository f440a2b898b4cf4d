"""The WebSocket under a client: opened with plain words for every failure, then payloads both ways.

The import is late, since `websockets` is not needed for ``--help``. Errors of `websockets` and of
the system become ConnectError here.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import time
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    WebSocketException,
)

from live_cli import __version__
from live_cli.errors import ConnectError, Retry
from live_cli.net.address import Address
from live_cli.net.audio_pace import AUDIO_PACE_HEADER, FASTER_THAN_REAL_TIME
from live_cli.net.client.connection import CLOSE_LIMIT_S, BoundedConnection
from live_cli.net.client.proxy import may_pass, proxy_to, why_not_through
from live_cli.net.client.retry_after import seconds_in_header
from live_cli.net.close_codes import TOO_BIG_FOR_US, starting_a_sentence
from live_cli.net.tls import loopback_context, own_files
from live_cli.proxies import NamedProxy

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
TOO_BIG: Final = 1009
PING_INTERVAL_S: Final = 20.0
PING_TIMEOUT_S: Final = 60.0
"""The service's pongs were measured at 8 to 30 s (reference §4.14)."""
WRITE_LIMIT_BYTES: Final = 32 * 1024
"""`WebSocket.send` waits while more than this is unsent: 0.7 s of microphone audio."""
YIELD_EVERY: Final = 64
"""Payloads after which others get their turn on the event loop: one read of the socket may bring
ten thousands, and taking one that is there waits for nothing."""
BUSY_STATUSES: Final = (429, 502, 503, 504)
"""HTTP answers of a server that is busy, and of a proxy whose server starts or is overloaded."""
_PASSING_STATUSES: Final = (408, 425)

_logger = logging.getLogger(__name__)
_logger.setLevel(logging.INFO)  # at DEBUG, websockets logs the handshake: the key is in it
_logger.addHandler(logging.NullHandler())


class WebSocket:
    """An open WebSocket. ``closed_with``: its close code and reason, None while it is open."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.closed_with: tuple[int, str] | None = None
        self._received = 0

    @property
    def takes_audio_faster(self) -> bool:
        """Whether the server said in its handshake that sound may come faster than real time."""
        answer = self._connection.response
        paces = answer.headers.get_all(AUDIO_PACE_HEADER) if answer is not None else []
        return FASTER_THAN_REAL_TIME in paces

    async def send(self, payload: bytes) -> bool:
        """Write one text message, waiting while too much is unsent; False: the socket is closed."""
        try:
            await self._connection.send(payload, text=True)
        except ConnectionClosed as exc:
            self.closed_with = _close_of(exc)
            return False
        return True

    async def receive(self) -> bytes | None:
        """Return the next payload, text or binary; None: the socket is closed. Safe to cancel."""
        self._received += 1
        if self._received % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as exc:
            self.closed_with = _close_of(exc)
            return None

    async def ping(self) -> None:
        """Send a ping and wait for its pong; return at once where the socket is closed."""
        with contextlib.suppress(ConnectionClosed):
            await (await self._connection.ping())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a handshake of at most `CLOSE_LIMIT_S`; do nothing on a closed socket."""
        try:
            # a peer that reads nothing leaves no room for the close frame either
            async with asyncio.timeout(2 * CLOSE_LIMIT_S):
                await self._connection.close(code, reason)
        except TimeoutError:
            await self.drop()

    async def drop(self) -> None:
        """Close without a handshake."""
        self._connection.transport.abort()
        await self._connection.wait_closed()

    def abort(self) -> None:
        """Close without a handshake, and without waiting."""
        self._connection.transport.abort()


def _close_of(exc: ConnectionClosed) -> tuple[int, str]:
    if exc.sent is not None and exc.sent.code == TOO_BIG and not exc.rcvd_then_sent:
        return (TOO_BIG, TOO_BIG_FOR_US)
    close = exc.rcvd or exc.sent  # sent alone: we gave up, such as on a keepalive timeout
    return (int(close.code), close.reason) if close is not None else (1006, "")


class _ConnectWithoutRedirect(connect):
    """Follows no redirect, which would carry the key to another server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_websocket(address: Address, limit_s: float) -> WebSocket:
    """Connect to ``address`` within ``limit_s`` seconds. Raises ConnectError in plain words."""
    local = address.is_loopback
    options: dict[str, Any] = {"compression": None} if local else {}
    proxy: NamedProxy | None = None
    try:
        proxy = proxy_to(address)
        if local and _is_secure(address):
            options["ssl"] = loopback_context(own_files())
        connection = await _ConnectWithoutRedirect(
            address.endpoint,
            additional_headers=address.headers,
            user_agent_header=f"live-cli/{__version__}",
            open_timeout=limit_s,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            close_timeout=CLOSE_LIMIT_S,
            max_size=MAX_MESSAGE_BYTES,
            write_limit=WRITE_LIMIT_BYTES,
            logger=_logger,
            proxy=proxy.url if proxy is not None else None,
            create_connection=BoundedConnection,
            **options,
        )
    except (OSError, WebSocketException, EOFError, ImportError, ValueError) as exc:
        why = why_not_through(exc, proxy, address) if proxy is not None else None
        raise ConnectError(
            why or _why(exc, address, limit_s), retry=_retry(exc), retry_after_s=_retry_after_s(exc)
        ) from exc
    return WebSocket(connection)


def _retry(exc: Exception) -> Retry:
    if isinstance(exc, InvalidStatus):
        status = exc.response.status_code
        if status in BUSY_STATUSES:
            return Retry.BUSY
        return Retry.LATER if status >= 500 or status in _PASSING_STATUSES else Retry.NEVER
    if _nothing_listens(exc):
        return Retry.STARTING
    # a wrong certificate is a ValueError too
    final = InvalidProxy | ImportError | ValueError | ssl.SSLCertVerificationError
    if isinstance(exc, InvalidProxyStatus) and not may_pass(exc):
        return Retry.NEVER
    return Retry.NEVER if isinstance(exc, final) else Retry.LATER


def _retry_after_s(exc: Exception) -> float | None:
    if not isinstance(exc, InvalidStatus):
        return None
    # a header that comes twice is as good as none
    named = exc.response.headers.get_all("Retry-After")
    return seconds_in_header(named[0], time.time()) if len(named) == 1 else None


def _nothing_listens(exc: Exception) -> bool:
    # asyncio folds the failures of several addresses of one name into an OSError without number
    folded = isinstance(exc, OSError) and exc.errno is None and "Multiple exceptions" in str(exc)
    return isinstance(exc, ConnectionRefusedError) or folded


def _is_secure(address: Address) -> bool:
    return address.endpoint.startswith("wss:")


def _why(exc: Exception, address: Address, limit_s: float) -> str:
    who, place = starting_a_sentence(address.label), address.place
    if isinstance(exc, InvalidStatus):
        return _why_status(exc.response.status_code, address, _retry_after_s(exc))
    if isinstance(exc, WebSocketException | EOFError):
        return f"{who} at {place} does not speak WebSocket. Check the server's address."
    if isinstance(exc, TimeoutError):
        return (
            f"{who} at {place} did not answer within {limit_s:g} s. "
            "Check the address, the network and the firewall."
        )
    if isinstance(exc, socket.gaierror):
        return f"The name of {place} cannot be found. Check the address and the network."
    if isinstance(exc, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {place} is not trusted: {exc.verify_message}. "
            "Set SSL_CERT_FILE to the certificate, or check the address."
        )
    if isinstance(exc, ValueError):
        return f"The address of {address.label} is not usable. Write it as wss://host or ws://host."
    if _nothing_listens(exc):
        return f"Nothing listens at {place}. Start the server, or check the address."
    if isinstance(exc, ssl.SSLError) or (_is_secure(address) and isinstance(exc, ConnectionError)):
        return f"No TLS connection to {place}. Is it a plain ws:// server, or behind a proxy?"
    if isinstance(exc, ConnectionError):
        return f"{who} at {place} hung up before the session began. Check the server's address."
    number = exc.errno if isinstance(exc, OSError) else None
    detail = type(exc).__name__ if number is None else os.strerror(number)
    return f"{who} at {place} cannot be reached: {detail}. Check the address and the network."


def _why_status(status: int, address: Address, retry_after_s: float | None) -> str:
    answer = f"{starting_a_sentence(address.label)} at {address.place} answered HTTP {status}"
    if status in (401, 403):
        return f"{answer}: it does not accept this key. Check the key."
    if status in (404, 405):
        return f"{answer}: there is no Live API at this address. Check it, and --api-version."
    if 300 <= status < 400:
        return f"{answer}: it is elsewhere now. Give the new address with --server."
    if status == 429 or status >= 500:
        when = "a minute" if retry_after_s is None else f"{retry_after_s:,.0f} s, as it asks"
        return f"{answer}: it is overloaded or out of order. Try again in {when}."
    return f"{answer} instead of opening a WebSocket. Check the server's address."
