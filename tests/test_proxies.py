"""HTTP requests and the system's proxies: none to this machine, SOCKS refused in words."""

import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from live_cli.loopback import reaches_this_machine
from live_cli.proxies import http_opener, named_proxy, proxy_of_http

ANY = "0.0.0.0"  # noqa: S104 - it leads to this machine


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", ANY])
def test_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with answering(b"itself") as port, answering(b"the proxy") as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy}")
        assert http_opener().open(f"http://{host}:{port}/", timeout=20).read() == b"itself"
        assert proxy_of_http(f"http://{host}:{port}/") is None
        assert http_opener().open("http://else.invalid/", timeout=20).read() == b"the proxy"
        assert (
            str(proxy_of_http("http://else.invalid/")) == f"http://127.0.0.1:{proxy} (HTTP_PROXY)"
        )


def test_a_socks_proxy_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://ada:secret@127.0.0.1:9")
    with pytest.raises(urllib.error.URLError, match=r"SOCKS proxy socks5://127\.0\.0\.1:9 \(HTTP"):
        http_opener().open("http://else.invalid/", timeout=20)


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("proxy:3128", "http://proxy:3128"),
        ("http://proxy:3128", "http://proxy:3128"),
        ("socks://proxy:1080/", "socks5h://proxy:1080/"),
        ("socks5://proxy:1080", "socks5://proxy:1080"),
    ],
)
def test_how_a_proxy_may_be_written(value: str, url: str) -> None:
    assert named_proxy(value).url == url


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("app.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        (ANY, True),
        ("::", True),
        ("::ffff:10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_what_ends_on_this_machine(host: str, here: bool) -> None:
    assert reaches_this_machine(host) is here
