"""Every way an opening fails, on real sockets, told in words a person can act on."""

import asyncio
import errno
import socket as sockets
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from live_cli.errors import ConnectError
from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.protocol.messages import Setup

KEY = "AIza-one-time-secret"
SETUP = Setup(model="models/m")


def at(port: int, scheme: str = "ws", host: str = "127.0.0.1", label: str = "Gemini") -> Address:
    return Address(f"{scheme}://{host}:{port}", KEY, "v1beta", label)


async def complaint(address: Address, limit_s: float = 10.0) -> str:
    with pytest.raises(ConnectError) as caught:
        await LiveClient.connect(address, SETUP, setup_limit_s=limit_s)
    text = str(caught.value)
    assert "\n" not in text
    assert KEY not in text
    return text


@asynccontextmanager
async def speaking(
    handler: Callable[[ServerConnection], Awaitable[None]],
) -> AsyncIterator[Address]:
    async with serve(handler, "127.0.0.1", 0) as server:
        yield at(server.sockets[0].getsockname()[1])


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Run a TCP server, and close its connections with it."""
    writers = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await answer(reader, writer)

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


def free_port() -> int:
    with sockets.socket() as socket:
        socket.bind(("127.0.0.1", 0))
        port: int = socket.getsockname()[1]
        return port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nothing_listens(host: str) -> None:
    port = free_port()
    assert await complaint(at(port, host=host)) == (
        f"Nothing listens at {host}:{port}. Start the server, or check the address."
    )


async def test_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise sockets.gaierror(sockets.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    monkeypatch.setenv("NO_PROXY", "*")
    text = await complaint(Address("wss://no.such.host", KEY, "v1beta", "no.such.host"))
    assert text == ("The name of no.such.host cannot be found. Check the address and the network.")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 80)"),
            "cannot be reached: ",
        ),
        (OSError("Multiple exceptions: [Errno 111], [Errno 111]"), "Nothing listens at"),
    ],
)
async def test_no_way_there(failure: OSError, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
    text = await complaint(at(80))
    assert words in text
    assert "Connect call" not in text


async def test_nobody_answers_the_handshake() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with listening(silent) as port:
        assert "did not answer within 0.2 s" in await complaint(at(port), limit_s=0.2)


async def test_something_that_is_no_web_server() -> None:
    async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
        await writer.drain()
        await reader.readline()
        writer.close()

    async with listening(ssh) as port:
        assert "does not speak WebSocket" in await complaint(at(port))


async def test_a_server_that_hangs_up() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with listening(rude) as port:
        text = await complaint(at(port))
        assert "Check the server's address." in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "does not accept this key"),
        (404, "no Live API at this address"),
        (400, "instead of opening a WebSocket"),
        (429, "overloaded"),
        (503, "Try again in a minute"),
    ],
)
async def test_an_http_status_instead_of_a_socket(status: int, words: str) -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(HTTPStatus(status), "no\n")

    async def never(socket: ServerConnection) -> None:
        raise AssertionError

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        text = await complaint(at(server.sockets[0].getsockname()[1]))
    assert f"Gemini at 127.0.0.1:{server_port(text)} answered HTTP {status}" in text
    assert words in text


def server_port(text: str) -> str:
    return text.partition("127.0.0.1:")[2].partition(" ")[0]


async def test_a_redirect_does_not_carry_the_key_away() -> None:
    thief: list[Request] = []

    def note(socket: ServerConnection, request: Request) -> Response:
        thief.append(request)
        return socket.respond(HTTPStatus.FORBIDDEN, "")

    async def never(socket: ServerConnection) -> None:
        raise AssertionError

    async with serve(never, "127.0.0.1", 0, process_request=note) as elsewhere:
        target = f"ws://127.0.0.1:{elsewhere.sockets[0].getsockname()[1]}/"

        def redirect(socket: ServerConnection, request: Request) -> Response:
            response = socket.respond(HTTPStatus.FOUND, "")
            response.headers["Location"] = target
            return response

        async with serve(never, "127.0.0.1", 0, process_request=redirect) as server:
            text = await complaint(at(server.sockets[0].getsockname()[1]))
    assert "answered HTTP 302: it is elsewhere now" in text
    assert thief == []


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (1007, "API key not valid. Please pass a valid API key.", "does not accept this API key"),
        (1008, "models/m is not found for API version v1beta", "has no Live model of this name"),
        (1011, "", "failed with an internal error"),
        (1000, "", "ended the session"),
    ],
)
async def test_closed_during_setup(code: int, reason: str, words: str) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(code, reason)

    async with speaking(handler) as address:
        assert words in await complaint(address)


async def test_the_line_breaks_during_setup() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        socket.transport.abort()

    async with speaking(handler) as address:
        assert await complaint(address) == (
            "The connection to Gemini was lost. Check the network, and connect again."
        )


@pytest.mark.parametrize("garbage", ["hello", b"\xff", '{"serverContent":{"turnComplete":true}}'])
async def test_garbage_during_setup(garbage: str | bytes) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(garbage)
        await socket.wait_closed()

    async with speaking(handler) as address:
        assert "Gemini sent what is no Live API message" in await complaint(address)


@pytest.mark.parametrize("before", [[], ["{}"], ['{"usageMetadata":{}}', b""]])
async def test_setup_is_never_confirmed(before: list[str | bytes]) -> None:
    async def handler(socket: ServerConnection) -> None:
        for payload in before:
            await socket.send(payload)
        await socket.wait_closed()

    async with speaking(handler) as address:
        text = await complaint(address, limit_s=0.2)
        assert "did not confirm the session within 0.2 s" in text


async def test_cancelling_the_opening_leaves_nothing() -> None:
    gone = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()
        gone.set()

    async with speaking(handler) as address:
        opening = asyncio.create_task(LiveClient.connect(address, SETUP))
        await asyncio.sleep(0.1)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        async with asyncio.timeout(5):
            await gone.wait()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@asynccontextmanager
async def speaking_tls(folder: Path) -> AsyncIterator[int]:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"setupComplete":{}}')
        await socket.wait_closed()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    async with serve(handler, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_certificate_nobody_trusts(certificate: Path) -> None:
    async with speaking_tls(certificate) as port:
        text = await complaint(at(port, "wss"))
    assert text.startswith(f"The certificate of 127.0.0.1:{port} is not trusted")
    assert "SSL_CERT_FILE" in text


async def test_a_certificate_trusted_by_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    async with speaking_tls(certificate) as port:
        client = await LiveClient.connect(at(port, "https"), SETUP)
        await client.close()


async def test_tls_to_a_plain_server() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with speaking(handler) as address:
        text = await complaint(Address(address.url.replace("ws", "wss"), KEY, "v1beta", "x"))
    assert text.startswith("No TLS connection to 127.0.0.1:")


async def test_loopback_uses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    extensions = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        extensions.append(socket.request.headers.get("Sec-WebSocket-Extensions"))
        await socket.recv()
        await socket.send('{"setupComplete":{}}')
        await socket.wait_closed()

    async with speaking(handler) as address:
        await (await LiveClient.connect(address, SETUP)).close()
    assert extensions == [None]
