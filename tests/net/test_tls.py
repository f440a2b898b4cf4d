"""Plain and TLS on one port, over real sockets."""

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from live_cli.errors import ConnectError
from live_cli.net.address import Address
from live_cli.net.client.websocket import open_websocket
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.listen import listen
from live_cli.net.tls import CertificateFiles, ensure_certificate, own_files
from tests.harness.live_client import PATH, WITHIN_S, ending, receive, said, say, set_up
from tests.harness.live_server import LiveServer, running_server


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    files = CertificateFiles(tmp_path_factory.mktemp("tls"))
    ensure_certificate(files, datetime.datetime.now(datetime.UTC))
    return files


@pytest.fixture
async def server(files: CertificateFiles) -> AsyncIterator[LiveServer]:
    async with running_server(tls=files) as server:
        yield server


async def receive_text(client: ClientConnection) -> str:
    """Set up, say a word, and what came back."""
    await set_up(client)
    await client.send(say("hello"))
    return said(await receive(client))


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Read until the server closes the connection, in whatever manner."""
    read = b""
    async with asyncio.timeout(WITHIN_S):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while block := await reader.read(4096):
                read += block
    return read


async def test_both_speak_at_the_same_port_at_the_same_time(server: LiveServer) -> None:
    async with server.connect(scheme="ws") as plain, server.connect(scheme="wss") as secure:
        assert await receive_text(secure) == await receive_text(plain) == "hello"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_the_certificate_is_good_for_each_name(server: LiveServer, host: str) -> None:
    async with server.connect(scheme="wss", host=host) as client:
        assert await receive_text(client) == "hello"


async def test_http_goes_through_tls_too(server: LiveServer) -> None:
    reader, writer = await server.dial(ssl=server.trusting, server_hostname="localhost")
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    answer = await all_of(reader)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"ok\n")
    writer.close()
    await writer.wait_closed()


async def test_messages_of_a_mebibyte_pass_tls_both_ways(server: LiveServer) -> None:
    async with server.connect(scheme="wss") as client:
        await set_up(client)
        await client.send(say("x" * 900_000))
        assert said(await receive(client)) == "x" * 900_000


async def test_a_client_hello_in_single_bytes_is_one_all_the_same(server: LiveServer) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    reader, writer = await server.dial()
    hello = outgoing.read()
    for at in range(len(hello)):
        writer.write(hello[at : at + 1])
        await writer.drain()
        await asyncio.sleep(0)
    async with asyncio.timeout(WITHIN_S):
        incoming.write(await reader.read(65536))
    tls.do_handshake()
    assert tls.version() == "TLSv1.3"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("garbage", [b"\x00", b"\x15\x03\x01", b"\xff" * 100, b"\r\n\r\n\r\n"])
async def test_what_is_neither_is_answered_as_bad_http_and_closed(
    server: LiveServer, garbage: bytes
) -> None:
    reader, writer = await server.dial()
    writer.write(garbage + b"\r\n\r\n")
    assert (await all_of(reader)).startswith(b"HTTP/1.1 400")
    writer.close()
    async with server.connect(scheme="wss") as client:
        assert await receive_text(client) == "hello"  # and the server goes on


async def test_a_broken_handshake_ends_alone_and_without_a_word(
    server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with server.connect(scheme="wss") as other:
        reader, writer = await server.dial()
        writer.write(b"\x16\x03\x01\x00\x05hello")
        await all_of(reader)
        writer.close()
        reader, writer = await server.dial()
        writer.write(b"\x16")
        await writer.drain()
        writer.transport.abort()
        assert await receive_text(other) == "hello"
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_a_client_that_does_not_trust_us_leaves_the_server_well(server: LiveServer) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(
            f"wss://localhost:{server.port}{PATH}", proxy=None, ssl=ssl.create_default_context()
        )
    async with server.connect(scheme="wss") as client:
        assert await receive_text(client) == "hello"


@pytest.mark.parametrize("said_first", [b"", b"G", b"\x16", b"\x16\x03\x01\x02\x00\x01"])
async def test_who_stays_silent_is_let_go_and_holds_up_nobody(
    files: CertificateFiles, said_first: bytes
) -> None:
    async with running_server(tls=files, limits=Limits(request_s=0.75)) as server:
        reader, writer = await server.dial()
        writer.write(said_first)
        async with server.connect(scheme="wss") as client:
            assert await receive_text(client) == "hello"
            assert await all_of(reader) == b""
            await client.send(say("still here"))  # the limit is not for those who have spoken
            assert said(await receive(client)) == "still here"
        writer.close()


async def test_silence_after_the_handshake_is_silence_too(files: CertificateFiles) -> None:
    async with running_server(tls=files, limits=Limits(request_s=0.75)) as server:
        reader, writer = await server.dial(ssl=server.trusting, server_hostname="localhost")
        assert await all_of(reader) == b""
        writer.close()


async def test_the_end_of_the_server_waits_for_no_silent_peer(files: CertificateFiles) -> None:
    async with running_server(tls=files, limits=Limits(request_s=3600)) as server:
        silent = await server.dial()
        halfway = await server.dial()
        halfway[1].write(b"\x16\x03")
        async with server.connect(scheme="wss") as client:
            await set_up(client)
            server.stop.set()
            assert (await ending(client))[0] == 1001
            await server.task
        for reader, writer in (silent, halfway):
            assert await all_of(reader) == b""
            writer.close()


async def test_a_reader_that_is_stuck_behind_tls_is_cut_off(files: CertificateFiles) -> None:
    async with (
        running_server(tls=files, limits=Limits(unsent_s=0.2)) as server,
        server.connect(scheme="wss", max_queue=1) as client,
    ):
        await set_up(client)
        await client.send(say("flood"))
        client.transport.pause_reading()
        async with asyncio.timeout(WITHIN_S):
            await server.engine.sessions[0].closed.wait()
        client.transport.abort()


def test_accepted_sockets_are_spared_nagles_delay() -> None:
    [listener] = listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP  # what asyncio looks at


async def test_our_own_client_trusts_our_own_certificate_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    mine = own_files()
    stranger = CertificateFiles(tmp_path / "stranger")
    for files in (mine, stranger):
        ensure_certificate(files, datetime.datetime.now(datetime.UTC))
    async with running_server(tls=mine) as server:
        for host in ("localhost", "127.0.0.1"):
            address = Address(f"https://{host}:{server.port}", None, "v1beta", "the local server")
            websocket = await open_websocket(address, limit_s=WITHIN_S)
            await websocket.close()
    async with running_server(tls=stranger) as server:
        address = Address(f"wss://localhost:{server.port}", None, "v1beta", "the local server")
        with pytest.raises(ConnectError, match="not trusted"):
            await open_websocket(address, limit_s=WITHIN_S)
