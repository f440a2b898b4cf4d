"""`models pull` from a server that means no good: always one sentence, and bounded files."""

import hashlib
import http.server
import io
import threading
from collections.abc import Callable, Iterator

import pytest

from live_cli.engine.chat_models import pull as pulling
from live_cli.engine.chat_models.pull import pull
from live_cli.errors import EngineError

CONTENT = b"GGUF" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Hostile(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.answer(self)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serving() -> Iterator[Callable[[Answer], str]]:
    """A file server that gives the answer it is told to; its address."""
    servers = []

    def start(answer: Answer) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
        server.answer = answer  # type: ignore[attr-defined]
        server.daemon_threads = False  # joined at the end, so that no socket is left
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/good.gguf"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def with_headers(status: int, *headers: tuple[str, str], body: bytes = b"") -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for header in headers:
            handler.send_header(*header)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    "length",
    ["x", "", "-5", "1e3", "12, 12", "٣", "9" * 30, "0x10", "1_000", str(300 * 1024**3)],
)
def test_an_announced_size_that_is_none_is_a_sentence(serving, tmp_path, length) -> None:
    url = serving(with_headers(200, ("Content-Length", length.encode().decode("latin-1"))))
    with pytest.raises(EngineError, match=r"announces no size|broke off|not the file"):
        pull(url, sha256=SHA256, folder=tmp_path)
    assert all(path.stat().st_size == 0 for path in tmp_path.iterdir())


def test_two_announced_sizes_are_a_sentence(serving, tmp_path) -> None:
    url = serving(with_headers(200, ("Content-Length", "5"), ("Content-Length", "6")))
    with pytest.raises(EngineError, match="announces no size"):
        pull(url, sha256=SHA256, folder=tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:x/good.gguf",
        "http://127.0.0.1:99999/good.gguf",
        "http://127.0.0.1:0/good.gguf",
        "http://[::1/good.gguf",
        "http:///good.gguf",
        "http://127.0.0.1:9/a b.gguf",
        "http://127.0.0.1:9/a\nb.gguf",
        "http://127.0.0.1:9/\x1b[2J.gguf",
        "http://127.0.0.1:9/modèle.gguf",
        "http://exämple.invalid/good.gguf",
        "ftp://127.0.0.1/good.gguf",
        "data:,good",
    ],
)
def test_an_address_that_is_none_is_a_sentence(tmp_path, address) -> None:
    with pytest.raises(EngineError, match="https address"):
        pull(address, sha256=SHA256, folder=tmp_path)


@pytest.mark.parametrize(
    "target",
    ["ftp://127.0.0.1/good.gguf", "file:///etc/passwd", "http://[::1/x", "gopher://x/", "//[", ""],
)
def test_a_redirect_away_from_the_web_is_a_sentence(serving, tmp_path, target) -> None:
    url = serving(with_headers(302, ("Location", target), ("Content-Length", "0")))
    with pytest.raises(EngineError, match="cannot fetch"):
        pull(url, sha256=SHA256, folder=tmp_path)


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_https_never_becomes_anything_less(tmp_path, monkeypatch, scheme) -> None:
    """The redirect of an https answer is refused before anything is asked of its target."""
    request = pulling.urllib.request.Request("https://models.invalid/good.gguf")
    with pytest.raises(pulling.urllib.error.URLError, match="not safe"):
        pulling._SameScheme().redirect_request(
            request, io.BytesIO(), 302, "Found", {}, f"{scheme}://models.invalid/good.gguf"
        )


def test_http_may_become_https(tmp_path) -> None:
    request = pulling.urllib.request.Request("http://models.invalid/good.gguf")
    target = "https://models.invalid/good.gguf"
    followed = pulling._SameScheme().redirect_request(request, None, 302, "Found", {}, target)
    assert followed is not None
    assert followed.full_url == target


def test_a_stream_without_end_is_bounded(serving, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pulling, "_LARGEST_BYTES", 1_000_000)

    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(65_536))
        except OSError:
            pass

    with pytest.raises(EngineError, match="longer than the 1000000 bytes"):
        pull(serving(endless), sha256=SHA256, folder=tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1_000_000


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"5\r\nab"])
def test_broken_chunks_are_a_sentence(serving, tmp_path, chunk) -> None:
    url = serving(with_headers(200, ("Transfer-Encoding", "chunked"), body=chunk))
    with pytest.raises(EngineError, match=r"cannot fetch|broke off|not the file"):
        pull(url, sha256=SHA256, folder=tmp_path)


def test_a_part_that_begins_elsewhere_is_fetched_anew(serving, tmp_path) -> None:
    """A server that continues at another byte than was asked for sends it all again."""
    asked: list[str | None] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers["Range"])
        lies = asked[-1] is not None
        handler.send_response(206 if lies else 200)
        if lies:
            handler.send_header("Content-Range", f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT)

    (tmp_path / f"good.{SHA256[:8]}.part").write_bytes(CONTENT[:100])
    assert pull(serving(answer), sha256=SHA256, folder=tmp_path).path.read_bytes() == CONTENT
    assert asked == ["bytes=100-"]


def test_no_tls_no_model(serving, tmp_path) -> None:
    """An https address at which no TLS is spoken is a sentence."""
    url = serving(with_headers(200)).replace("http://", "https://")
    with pytest.raises(EngineError, match="cannot fetch"):
        pull(url, sha256=SHA256, folder=tmp_path)
