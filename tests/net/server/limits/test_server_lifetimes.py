"""Time limits over real sockets, shortened: goAway, the close reason, and resumption."""

import asyncio
import base64
import json
from typing import Any

import pytest

from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.engine import LiveEngine
from live_cli.net.server.close_reason import RESUMED_ELSEWHERE
from live_cli.net.server.limits.lifetime import CONNECTION_OVER, LifetimeLimits, session_over
from live_cli.net.server.limits.limits import Limits
from tests.harness.images import JPEG
from tests.harness.live_client import WITHIN_S, ending, receive, say
from tests.harness.live_server import running_server
from tests.harness.scripted_engine import ScriptedEngine
from tests.harness.scripted_session import ScriptedRegistry

PICTURE = {"video": {"data": base64.b64encode(b"\xff\xd8").decode(), "mimeType": "image/jpeg"}}


def limited(**limits: float) -> Limits:
    return Limits(lifetimes=LifetimeLimits(**{"connection_s": 0.0, **limits}))


def setup(**fields: Any) -> str:
    return json.dumps({"setup": {"model": "models/local", **fields}})


def left_s(message: dict[str, Any]) -> float:
    return float(message["goAway"]["timeLeft"].removesuffix("s"))


async def test_a_connection_ends_with_notice_and_its_session_goes_on() -> None:
    async with running_server(limits=limited(connection_s=0.6)) as server:
        async with server.connect() as client:
            await client.send(setup(sessionResumption={}))
            await receive(client)
            await client.send(say("handle h1"))
            await receive(client)
            assert 0.0 < left_s(await receive(client)) <= 0.3
            assert await ending(client) == (CONNECTION_OVER.code, CONNECTION_OVER.reason)
        async with server.connect() as client:
            await client.send(setup(sessionResumption={"handle": "h1"}))
            assert await receive(client) == {"setupComplete": {}}
            assert 0.0 < left_s(await receive(client)) <= 0.3


async def test_a_session_ends_over_its_connections_warned_once() -> None:
    async with running_server(limits=limited(audio_session_s=0.6)) as server:
        async with server.connect() as client:
            await client.send(setup(sessionResumption={}))
            await receive(client)
            await client.send(say("handle h1"))
            await receive(client)
            assert 0.0 < left_s(await receive(client)) <= 0.3
        over = session_over(0.6, "audio")
        for _ in range(2):
            async with server.connect() as client:
                await client.send(setup(sessionResumption={"handle": "h1"}))
                assert await receive(client) == {"setupComplete": {}}
                assert await ending(client) == (over.code, over.reason)
        async with server.connect() as client:  # and a new one begins anew
            await client.send(setup())
            await receive(client)
            assert 0.0 < left_s(await receive(client)) <= 0.3


async def test_a_session_goes_on_over_one_connection_at_a_time() -> None:
    async with running_server() as server, server.connect() as first, server.connect() as second:
        await first.send(setup(sessionResumption={}))
        await receive(first)
        for handle in ("h1", "h2"):
            await first.send(say(f"handle {handle}"))
            await receive(first)
        async with server.connect() as refused:
            await refused.send(
                setup(model="models/unsupported", sessionResumption={"handle": "h1"})
            )
            assert (await ending(refused))[0] == 1007
        await first.send(say("still here"))
        assert "serverContent" in await receive(first)
        await second.send(setup(sessionResumption={"handle": "h1"}))  # an older one: the same
        assert await receive(second) == {"setupComplete": {}}
        assert await ending(first) == (1000, RESUMED_ELSEWHERE.reason)
        await second.send(say("here"))
        assert "serverContent" in await receive(second)


async def test_a_session_that_was_left_is_resumed_and_nobody_else_ends() -> None:
    async with running_server() as server, server.connect() as other:
        await other.send(setup(sessionResumption={}))
        await receive(other)
        async with server.connect() as client:
            await client.send(setup(sessionResumption={}))
            await receive(client)
            await client.send(say("handle h1"))
            await receive(client)
            client.transport.abort()
        for _ in range(2):
            async with server.connect() as client:
                await client.send(setup(sessionResumption={"handle": "h1"}))
                assert await receive(client) == {"setupComplete": {}}
        await other.send(say("still here"))
        assert "serverContent" in await receive(other)


@pytest.mark.parametrize("compresses", [False, True])
async def test_a_picture_shortens_a_session_that_is_not_compressed(compresses: bool) -> None:
    async with (
        running_server(limits=limited(video_session_s=0.4)) as server,
        server.connect() as client,
    ):
        asked = {"contextWindowCompression": {"slidingWindow": {}}} if compresses else {}
        await client.send(setup(**asked))
        await receive(client)
        await client.send(json.dumps({"realtimeInput": PICTURE}))
        if compresses:
            await client.send(say("still here"))
            assert "serverContent" in await receive(client)
            return
        assert 0.0 < left_s(await receive(client)) <= 0.2
        assert (await ending(client))[1].startswith("A session with video lasts 0.4 s at most")


async def test_a_compressed_session_with_pictures_goes_on_over_its_connections() -> None:
    chat = ScriptedChatModel(["A cup."])
    chat.sees = True
    engine = LiveEngine(registry=ScriptedRegistry(chat))
    lasting = {"contextWindowCompression": {"slidingWindow": {}}}
    lasting["generationConfig"] = {"responseModalities": ["TEXT"]}
    picture = {"video": {"data": base64.b64encode(JPEG).decode(), "mimeType": "image/jpeg"}}
    handle = {}
    async with running_server(
        engine, limits=limited(connection_s=1.0, video_session_s=0.2)
    ) as server:
        for connection in range(3):
            async with server.connect() as client:
                await client.send(setup(sessionResumption=handle, **lasting))
                assert "setupComplete" in await receive(client)
                await client.send(json.dumps({"realtimeInput": picture}))
                await client.send(say("What is that?"))
                told = [await receive(client)]
                while "goAway" not in told[-1]:  # long after the limit of sessions with video
                    told.append(await receive(client))
                updates = [each.get("sessionResumptionUpdate", {}) for each in told]
                handle = {
                    "handle": [each["newHandle"] for each in updates if "newHandle" in each][-1]
                }
                assert (await ending(client))[0] == CONNECTION_OVER.code
            shown = [image for each in chat.requests[-1].messages for image in each.images]
            assert len(shown) == connection + 1
    await engine.close()


async def test_a_picture_that_the_model_cannot_see_shortens_no_session() -> None:
    engine, over = ScriptedEngine(takes_video=False), session_over(0.6, "audio")
    async with (
        running_server(engine, limits=limited(audio_session_s=0.6, video_session_s=0.1)) as server,
        server.connect() as client,
    ):
        await client.send(setup())
        await receive(client)
        await client.send(json.dumps({"realtimeInput": PICTURE}))
        assert await ending(client) == (over.code, over.reason)


async def test_a_limit_ends_a_session_in_the_middle_of_a_turn() -> None:
    async with (
        running_server(limits=limited(connection_s=0.3)) as server,
        server.connect() as client,
    ):
        await client.send(setup())
        await receive(client)
        await client.send(say("hang"))
        assert "goAway" in await receive(client)
        assert (await ending(client))[0] == 1011
        async with asyncio.timeout(WITHIN_S):
            await server.engine.sessions[0].closed.wait()
