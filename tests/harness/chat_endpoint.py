"""An OpenAI-compatible chat endpoint on loopback, which answers as the test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


def chunk(content: str | None = None, **delta: Any) -> Body:
    """One delta of a stream."""
    return {"choices": [{"delta": {"content": content} | delta}]}


def called(name: str, call: str = "c1", **arguments: Any) -> Body:
    """The delta of a stream that calls a function."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return chunk(tool_calls=[{"index": 0, "id": call, "type": "function", "function": function}])


class ChatEndpoint(ThreadingHTTPServer):
    """``answer(body)`` gives the items of a stream, or a status and a text. ``asked``: requests."""

    answer: Callable[[Body], Any]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.asked: list[tuple[str, dict[str, str], Body]] = []
        self.broken = threading.Event()
        self.spec = f"http://127.0.0.1:{self.server_port}/v1#qwen3"


class _Request(BaseHTTPRequestHandler):
    server: ChatEndpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        answer = self.server.answer(body)
        if isinstance(answer, tuple):
            status, text = answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for item in answer:
                data = item if isinstance(item, str) else json.dumps(item)
                self.wfile.write(f": keep-alive\n\ndata: {data}\n\n".encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.server.broken.set()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving_endpoint() -> Iterator[ChatEndpoint]:
    """Run an endpoint within the context."""
    endpoint = ChatEndpoint()
    thread = threading.Thread(target=endpoint.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        thread.join()
        endpoint.server_close()
