"""One HTTP request in a thread of its own, so that whoever waits for it can give it up any time.

A blocking read cannot be told that nobody wants its answer any more. So the reads are in a thread,
what they bring comes through a bounded queue, and `HttpExchange.close` shuts the socket down, which
ends the thread and tells the server. Connecting has a time limit apart from that of silence: a host
that is gone is noticed in seconds, a model may think for minutes.
"""

import contextlib
import http.client
import queue
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from live_cli.proxies import http_opener

CONNECT_S: Final = 5.0
HEARTBEAT_S: Final = 0.1
"""How often a reader is asked, while nothing comes, if it still wants to wait."""
_PIECE_BYTES: Final = 16 * 1024
_QUEUED_PIECES: Final = 64
_ERROR_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class HttpHead:
    """The status and headers of an answer; ``refusal``: the body's start where it is an error."""

    status: int
    content_type: str = ""
    refusal: bytes = b""


class _Given(urllib.request.Request):
    """A request that tells ``on_socket`` which socket it goes through."""

    on_socket: Callable[[socket.socket], None]


def _connect(connection: Any, connect: Callable[[], None], on_socket: Callable[..., None]) -> None:
    silence_s, connection.timeout = connection.timeout, CONNECT_S
    connect()
    connection.sock.settimeout(silence_s)
    on_socket(connection.sock)


class _Http(http.client.HTTPConnection):
    def __init__(self, *args: Any, on_socket: Callable[..., None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_socket = on_socket

    def connect(self) -> None:
        _connect(self, super().connect, self._on_socket)


class _Https(http.client.HTTPSConnection):
    def __init__(self, *args: Any, on_socket: Callable[..., None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_socket = on_socket

    def connect(self) -> None:
        _connect(self, super().connect, self._on_socket)


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        make: Any = partial(_Http, on_socket=req.on_socket)  # type: ignore[attr-defined]
        return self.do_open(make, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    """``context`` is made once: reading the system's certificates takes 20 ms."""

    def __init__(self) -> None:
        super().__init__()
        self._trusted: ssl.SSLContext | None = None

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        self._trusted = self._trusted or ssl.create_default_context()
        make: Any = partial(_Https, on_socket=req.on_socket)  # type: ignore[attr-defined]
        return self.do_open(make, req, context=self._trusted)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows none: urllib would make a GET of a POST, and take the key to wherever it leads."""

    def redirect_request(self, *args: Any) -> None:
        return None


def endpoint_opener() -> urllib.request.OpenerDirector:
    """Return what opens the requests of `HttpExchange`; one for each stage."""
    return http_opener(_HttpHandler(), _HttpsHandler(), _NoRedirect())


class HttpExchange:
    """One request to ``url`` and its answer; ``body`` None is a GET.

    ``silence_s``: the longest that the server may send nothing. The head and the pieces of the body
    come from `arrivals`; `close` may be called at any time, from any thread.
    """

    def __init__(
        self,
        opener: urllib.request.OpenerDirector,
        url: str,
        body: bytes | None,
        headers: dict[str, str],
        silence_s: float,
    ) -> None:
        method = "GET" if body is None else "POST"
        request = _Given(url, body, headers, method=method)
        request.on_socket = self._keep
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False
        self._came: queue.Queue[HttpHead | bytes | Exception | None] = queue.Queue(_QUEUED_PIECES)
        threading.Thread(
            target=self._run, args=(opener, request, silence_s), daemon=True, name="http exchange"
        ).start()

    def arrivals(self) -> Iterator[HttpHead | bytes]:
        """Yield the head, then the pieces of the body; b"" each time that nothing came for 0.1 s.

        Raises OSError and http.client.HTTPException, as they come.
        """
        while True:
            try:
                arrived = self._came.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                yield b""
                continue
            if arrived is None:
                return
            if isinstance(arrived, Exception):
                raise arrived
            yield arrived

    def close(self) -> None:
        """Give the request up: the connection is closed, wherever it stands."""
        with self._lock:
            self._closed = True
            _shut(self._socket)
            self._socket = None

    def _keep(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self._closed:
                _shut(sock)

    def _run(
        self, opener: urllib.request.OpenerDirector, request: _Given, silence_s: float
    ) -> None:
        try:
            try:
                answer = opener.open(request, timeout=silence_s)
            except urllib.error.HTTPError as exc:
                with exc:
                    self._put(HttpHead(exc.code, refusal=exc.read(_ERROR_BYTES)))
                return
            with answer:
                kind = str(answer.headers.get("Content-Type") or "")
                self._put(HttpHead(answer.status, kind))
                while (piece := answer.read1(_PIECE_BYTES)) and self._put(piece):
                    pass
                if answer.length:  # read1 takes an early end for the end
                    raise http.client.IncompleteRead(b"", answer.length)
            self._put(None)
        except (OSError, ValueError, http.client.HTTPException) as exc:
            self._put(exc)
        finally:
            with self._lock:
                self._socket = None

    def _put(self, arrived: HttpHead | bytes | Exception | None) -> bool:
        """Hand ``arrived`` over, as soon as there is room; False: nobody wants it any more."""
        while not self._closed:
            try:
                self._came.put(arrived, timeout=HEARTBEAT_S)
            except queue.Full:
                continue
            return True
        return False


def _shut(sock: socket.socket | None) -> None:
    """Wake whoever reads from ``sock``; a TLS socket's own way would let its reader wait."""
    if sock is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
