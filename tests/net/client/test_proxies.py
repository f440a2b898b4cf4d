"""Proxies on the way to a server: never to this machine, and what is wrong with one is named."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from live_cli.errors import ConnectError, Retry
from live_cli.net.address import Address
from live_cli.net.client import proxy as module
from live_cli.net.client.client import LiveClient
from live_cli.net.client.websocket import open_websocket
from live_cli.protocol.messages import Setup
from tests.harness.command import live_cli

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ELSEWHERE = "live.example.invalid"
SECRET = "pass-word-17"
ANY = "0.0.0.0"  # noqa: S104 - it leads to this machine
NAMES = ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "ws_proxy", "wss_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def proxying(answer: Answer) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A proxy: its port, and the first line of all that was asked of it."""
    asked: list[bytes] = []
    handled: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        with suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.partition(b"\r\n")[0])
        await answer(reader, writer)
        await closed(writer)

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.add(asyncio.create_task(handle(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
        await asyncio.gather(*handled)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def saying(words: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()

    return answer


async def dead_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def refusal(url: str = f"wss://{ELSEWHERE}", limit_s: float = 10.0) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        await open_websocket(Address(url, None, "v1beta", "Gemini"), limit_s)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("variable", "scheme"),
    [
        ("HTTPS_PROXY", "wss"),
        ("https_proxy", "wss"),
        ("WSS_PROXY", "wss"),
        ("ALL_PROXY", "wss"),
        ("all_proxy", "ws"),
        ("HTTP_PROXY", "ws"),
        ("http_proxy", "ws"),
    ],
)
@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "http://ada:" + SECRET + "@127.0.0.1:{}"])
async def test_a_dead_proxy_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str, form: str
) -> None:
    port = await dead_port()
    monkeypatch.setenv(variable, form.format(port))
    said = str(await refusal(f"{scheme}://{ELSEWHERE}"))
    assert f"http://127.0.0.1:{port} ({variable})" in said
    assert "NO_PROXY" in said


async def test_a_bare_host_and_port_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    port = await dead_port()
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
    assert f"Nothing answers at the proxy http://127.0.0.1:{port} (" in str(await refusal())


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "socks4a", "socks", "SOCKS5"])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTPS_PROXY", "SOCKS_PROXY"])
async def test_a_socks_proxy_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setenv(variable, f"{scheme}://ada:{SECRET}@127.0.0.1:1080")
    error = await refusal()
    assert "pip install 'live-cli[socks]'" in str(error)
    assert f"://127.0.0.1:1080 ({variable})" in str(error)
    assert error.retry is Retry.NEVER


@pytest.mark.parametrize(
    ("answer", "words", "retry"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required", "NAME:PASSWORD@", Retry.NEVER),
        (b"HTTP/1.1 403 Forbidden", "HTTP 403", Retry.NEVER),
        (b"HTTP/1.1 502 Bad Gateway", "HTTP 502", Retry.LATER),
        (b"SSH-2.0-OpenSSH_9.6", "no HTTP proxy", None),
        (b"", "no HTTP proxy", None),
    ],
)
async def test_a_proxy_that_does_not_lead_there(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str, retry: Retry | None
) -> None:
    async with proxying(saying(answer + b"\r\ncontent-length: 0\r\n\r\n" * bool(answer))) as (
        port,
        asked,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:{SECRET}@127.0.0.1:{port}")
        error = await refusal()
    assert asked == [f"CONNECT {ELSEWHERE}:443 HTTP/1.1".encode()]
    assert words in str(error)
    assert f"127.0.0.1:{port} (HTTPS_PROXY)" in str(error)
    assert retry in (None, error.retry)


async def test_a_proxy_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with proxying(wait) as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        said = str(await refusal(limit_s=0.5))
    assert f"Nothing came through the proxy http://127.0.0.1:{port} (HTTPS_PROXY)" in said


@pytest.mark.parametrize("value", ["ftp://127.0.0.1:21", "http://", "http://127.0.0.1:8/path"])
async def test_what_is_no_proxy(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    error = await refusal()
    assert "(HTTPS_PROXY) is not usable" in str(error)
    assert error.retry is Retry.NEVER


async def test_a_name_in_no_proxy_goes_round(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{await dead_port()}")
    monkeypatch.setenv("NO_PROXY", "other.example,example.invalid")
    assert "proxy" not in str(await refusal()).lower()


async def answering(socket: ServerConnection) -> None:
    await socket.recv()
    await socket.send('{"setupComplete":{}}')
    await socket.wait_closed()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", ANY, "LOCALHOST"])
async def test_this_machine_is_never_reached_through_one(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async with (
        proxying(saying(b"HTTP/1.1 500 No\r\n\r\n")) as (port, asked),
        serve(answering, ANY, 0) as server,
    ):
        for name in NAMES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        place = f"ws://{host}:{server.sockets[0].getsockname()[1]}"
        client = await LiveClient.connect(Address(place, None, "v1beta", "x"), Setup(model="m"))
        await client.close()
    assert asked == []


async def test_a_proxy_that_works_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        there, to_it = await asyncio.open_connection("127.0.0.1", real_port)
        await asyncio.gather(copied(reader, to_it), copied(there, writer))
        await closed(to_it)

    async def copied(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                to.write(data)
            to.close()

    async with serve(answering, "127.0.0.1", 0) as server, proxying(tunnel) as (port, asked):
        real_port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        address = Address(f"ws://{ELSEWHERE}", None, "v1beta", "x")
        await (await LiveClient.connect(address, Setup(model="m"))).close()
    assert asked == [f"CONNECT {ELSEWHERE}:80 HTTP/1.1".encode()]


async def test_a_command_of_this_machine_minds_no_proxy(tmp_path: Path) -> None:
    port = await dead_port()
    env = {name.upper(): f"socks5://127.0.0.1:{port}" for name in NAMES}
    env["LIVE_CLI_ENGINE_CHAT"] = "scripted"
    done = await asyncio.to_thread(live_cli, "text", "Hi", home=tmp_path, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"You said: Hi\n", b"")


async def test_a_command_names_the_proxy(tmp_path: Path) -> None:
    port = await dead_port()
    env = {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "GEMINI_API_KEY": "k" * 39}
    done = await asyncio.to_thread(live_cli, "text", "Hi", home=tmp_path, env=env)
    assert done.returncode == 4
    assert done.stderr.count(b"\n") == 1
    assert f"http://127.0.0.1:{port} (HTTPS_PROXY)".encode() in done.stderr
