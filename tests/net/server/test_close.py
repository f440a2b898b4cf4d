"""How sessions end, wait and stay apart, over real sockets."""

import asyncio
import base64
import contextlib
import json

import pytest
from websockets.asyncio.client import ClientConnection

from live_cli.net.server.limits.limits import Limits
from tests.harness.live_client import PATH, SETUP, WITHIN_S, ending, receive, said, say, set_up
from tests.harness.live_server import LiveServer, running_server


@pytest.mark.parametrize("act", ["crash", "fail"])
async def test_one_crash_leaves_the_other_sessions(
    server: LiveServer, caplog: pytest.LogCaptureFixture, act: str
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.connect()) for _ in range(4)]
        for client in clients:
            await set_up(client)
        await clients[0].send(say("turn"))
        assert said(await receive(clients[0])) == "well"
        await clients[1].send(say(act))
        code, reason = await ending(clients[1])
        assert (code, "secret" in reason) == (1011, False)
        for client in clients[2:]:
            await client.send(say("still here"))
            assert said(await receive(client)) == "still here"
        server.engine.sessions[0].finish.set()
        assert await receive(clients[0]) == {"serverContent": {"turnComplete": True}}
    assert len([record for record in caplog.records if record.exc_info]) == (act == "crash")
    assert server.engine.sessions[1].closed.is_set()


async def test_a_turn_that_fails_by_itself_ends_its_session(server: LiveServer) -> None:
    async with server.connect() as client:
        await set_up(client)
        await client.send(say("fail"))
        assert await ending(client) == (1011, "The model broke while it spoke.")


async def test_a_client_that_leaves_mid_turn_releases_the_engine(server: LiveServer) -> None:
    client = await server.connect()
    await set_up(client)
    session = server.engine.sessions[0]
    await client.send(say("hang"))
    async with asyncio.timeout(WITHIN_S):
        await session.hanging.wait()
        client.transport.abort()  # no close frame: the network went
        await session.closed.wait()
        await client.wait_closed()


async def test_a_client_that_leaves_while_the_models_load_is_let_go(server: LiveServer) -> None:
    async with server.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/slow"}}))
    async with server.connect() as client:
        await set_up(client)
    assert len(server.engine.sessions) == 1


async def test_what_comes_before_setup_complete_waits_for_it(server: LiveServer) -> None:
    async with server.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/slow"}}))
        await client.send(say("early"))
        server.engine.loaded.set()
        assert await receive(client) == {"setupComplete": {}}
        assert said(await receive(client)) == "early"


async def test_a_slow_reader_is_cut_off_not_buffered() -> None:
    async with running_server(limits=Limits(unsent_s=0.2)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**10)
        key = base64.b64encode(b"0" * 16).decode()
        head = [f"GET {PATH} HTTP/1.1", "host: localhost", "upgrade: websocket"]
        head += ["connection: upgrade", "sec-websocket-version: 13", f"sec-websocket-key: {key}"]
        writer.write("\r\n".join([*head, "", ""]).encode())
        await reader.readuntil(b"\r\n\r\n")
        for payload in (json.dumps(SETUP), say("flood")):
            data = payload.encode()
            writer.write(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)
        async with asyncio.timeout(WITHIN_S):
            await server.engine.opened.wait()
            await server.engine.sessions[0].closed.wait()
            with contextlib.suppress(ConnectionError):
                while await reader.read(2**16):
                    pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_audio_waits_in_the_socket_while_the_engine_is_busy() -> None:
    """Back pressure: what the engine has not taken is bounded, and all of it still arrives."""
    async with (
        running_server(limits=Limits(held_bytes=50_000)) as server,
        server.connect() as client,
    ):
        await client.send(json.dumps({"setup": {"model": "models/slow"}}))
        blob = {"data": base64.b64encode(b"\0" * 640).decode(), "mimeType": "audio/pcm;rate=16000"}
        payload = json.dumps({"realtimeInput": {"audio": blob}})
        sending = asyncio.create_task(_send_all(client, [payload] * 500))
        await asyncio.sleep(0.1)
        server.engine.loaded.set()
        assert await receive(client) == {"setupComplete": {}}
        for _ in range(500):
            assert said(await receive(client)) == "640 bytes at 16000"
        await sending


async def _send_all(client: ClientConnection, payloads: list[str]) -> None:
    for payload in payloads:
        await client.send(payload)


async def test_sessions_are_limited_and_places_come_back() -> None:
    async with running_server(limits=Limits(sessions=1)) as server:
        async with server.connect() as client:
            await set_up(client)
            async with server.connect() as late:
                code, reason = await ending(late)
                assert code == 1013
                assert "sessions" in reason
        async with asyncio.timeout(WITHIN_S):
            await server.engine.sessions[0].closed.wait()
        async with server.connect() as client:
            await set_up(client)


async def test_stopping_says_go_away_and_closes_who_is_idle_at_once(server: LiveServer) -> None:
    async with server.connect() as idle, server.connect() as waiting:
        await set_up(idle)
        await waiting.send(json.dumps({"setup": {"model": "models/slow"}}))
        server.stop.set()
        assert await receive(idle) == {"goAway": {"timeLeft": "5s"}}
        assert await ending(idle) == await ending(waiting) == (1001, "The server is shutting down.")
    async with asyncio.timeout(WITHIN_S):
        await server.task
    assert server.engine.sessions[0].closed.is_set()


async def test_a_turn_under_way_may_finish_while_new_sessions_are_refused(
    server: LiveServer,
) -> None:
    async with server.connect() as client:
        await set_up(client)
        await client.send(say("turn"))
        assert said(await receive(client)) == "well"
        server.stop.set()
        assert "goAway" in await receive(client)
        async with server.connect() as late:
            assert (await ending(late))[0] == 1001
        assert await server.get("/readyz") == (503, "closing\n")
        server.engine.sessions[0].finish.set()
        assert await receive(client) == {"serverContent": {"turnComplete": True}}
        assert (await ending(client))[0] == 1001


async def test_the_grace_time_ends_what_does_not_end_itself() -> None:
    async with running_server(limits=Limits(grace_s=0.2)) as server:
        async with server.connect() as talking, server.connect() as stuck:
            for client, word in ((talking, "turn"), (stuck, "hang")):
                await set_up(client)
                await client.send(say(word))
            await receive(talking)
            await server.engine.sessions[1].hanging.wait()
            server.stop.set()
            assert await receive(talking) == {"goAway": {"timeLeft": "0.2s"}}
            assert (await ending(talking))[0] == (await ending(stuck))[0] == 1001
        async with asyncio.timeout(WITHIN_S):
            await server.task
        assert all(session.closed.is_set() for session in server.engine.sessions)


async def test_no_session_leaves_a_task_behind(server: LiveServer) -> None:
    async with server.connect() as client:
        await set_up(client)
    async with asyncio.timeout(WITHIN_S):
        await server.engine.sessions[0].closed.wait()
        before = await _tasks_settled()
        for act in ("leave", "crash", "hang", "garbage", "flood") * 3:
            async with server.connect(close_timeout=0.1) as client:
                await set_up(client)
                if act != "leave":
                    await client.send(say(act) if act != "garbage" else "garbage")
                if act == "hang":
                    await server.engine.sessions[-1].hanging.wait()
                if act in ("crash", "garbage"):
                    await ending(client)
            await server.engine.sessions[-1].closed.wait()
        while await _tasks_settled() > before:
            pass


async def _tasks_settled() -> int:
    await asyncio.sleep(0.02)
    return len(asyncio.all_tasks())
