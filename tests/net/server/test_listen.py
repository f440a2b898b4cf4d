"""Listening sockets: free ports, ports in use, and hosts of this machine."""

import asyncio
import socket

import pytest
from websockets.asyncio.client import connect

from live_cli.errors import ConnectError
from live_cli.loopback import ANY_ADDRESSES
from live_cli.net.server.app import build_app, serve_on
from live_cli.net.server.listen import addresses_of, listen, port_of
from tests.harness.live_client import PATH, set_up
from tests.harness.scripted_engine import ScriptedEngine


async def test_a_free_port_is_taken_and_known() -> None:
    stop = asyncio.Event()
    listeners = listen("127.0.0.1", 0)
    port = port_of(listeners)
    app = build_app(ScriptedEngine())
    task = asyncio.create_task(serve_on(app, listeners, stop=stop))
    async with connect(f"ws://127.0.0.1:{port}{PATH}", proxy=None) as client:
        await set_up(client)
    stop.set()
    await task


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConnectError, match=rf"Port {port} is in use.*--port"):
            listen("127.0.0.1", port)


def test_localhost_listens_on_all_its_addresses_at_one_port() -> None:
    listeners = listen("localhost", 0)
    assert {listener.getsockname()[1] for listener in listeners} == {port_of(listeners)}
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_ours_is_one_sentence(host: str) -> None:
    with pytest.raises(ConnectError, match=r"--host 127\.0\.0\.1"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["::", "::0", "0:0:0:0:0:0:0:0"])
async def test_every_address_is_that_of_both_stacks_and_all_that_are_told_answer(host: str) -> None:
    stop = asyncio.Event()
    listeners = listen(host, 0)
    addresses = addresses_of(listeners)
    assert {"127.0.0.1", "::1"} <= set(addresses)
    assert not {*ANY_ADDRESSES} & set(addresses)
    task = asyncio.create_task(serve_on(build_app(ScriptedEngine()), listeners, stop=stop))
    for address in addresses:
        at = f"[{address}]" if ":" in address else address
        async with connect(f"ws://{at}:{port_of(listeners)}{PATH}", proxy=None) as client:
            await set_up(client)
    stop.set()
    await task


def test_every_address_of_ipv4_is_that_alone() -> None:
    listeners = listen(ANY_ADDRESSES[0], 0)
    assert [listener.family for listener in listeners] == [socket.AF_INET]
    assert "::1" not in addresses_of(listeners)
    for listener in listeners:
        listener.close()
