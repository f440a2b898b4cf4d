"""An HTTP endpoint on loopback that answers as the test says, and tells what it was asked."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answered:
    """One answer; a ``body`` of pieces is sent chunk by chunk, each as the iterable gives it."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes | Iterable[bytes] = b""


class HttpEndpoint(ThreadingHTTPServer):
    """``answer(asked)`` gives the answer. ``broken``: set when a caller left while it was sent."""

    answer: Callable[[Asked], Answered]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.asked: list[Asked] = []
        self.broken = threading.Event()
        self.base = f"http://127.0.0.1:{self.server_port}/v1"


class _Request(BaseHTTPRequestHandler):
    server: HttpEndpoint
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        asked = Asked(self.path, dict(self.headers), body)
        self.server.asked.append(asked)
        answered = self.server.answer(asked)
        self.send_response(answered.status)
        self.send_header("Content-Type", answered.content_type)
        if isinstance(answered.body, bytes):
            self.send_header("Content-Length", str(len(answered.body)))
            self.end_headers()
            self.wfile.write(answered.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in answered.body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.server.broken.set()
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def http_endpoint(answer: Callable[[Asked], Answered]) -> Iterator[HttpEndpoint]:
    """Run an endpoint within the context."""
    with HttpEndpoint() as server:
        server.answer = answer
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
