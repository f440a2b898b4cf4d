"""The application over real sockets: endpoints, payloads and refusals."""

import asyncio
import base64
import json
import logging

import pytest

from live_cli.net.server.limits.limits import Limits
from live_cli.protocol.events import ActivityStarted, TextReceived
from tests.harness.live_client import PATH, SETUP, WITHIN_S, ending, receive, said, say, set_up
from tests.harness.live_server import LiveServer, running_server

VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"


@pytest.mark.parametrize("path", [PATH, "/" + PATH, "/proxy" + PATH, VERTEX, "/", ""])
@pytest.mark.parametrize("binary", [False, True])
async def test_a_session_opens_at_every_endpoint(
    server: LiveServer, path: str, binary: bool
) -> None:
    async with server.connect(path) as client:
        setup = json.dumps(SETUP)
        await client.send(setup.encode() if binary else setup)
        told = (await receive(client))["setupComplete"]
        assert list(told) == ([] if PATH in path else ["sessionId"])  # Vertex's dialect
        await client.send(say("hello").encode() if binary else say("hello"))
        assert said(await receive(client)) == "hello"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {"x-goog-api-key": "s3cret"}),
        (PATH, {"authorization": "Bearer s3cret"}),
        (PATH + "?key=s3cret", {}),
    ],
)
async def test_the_key_opens_and_is_never_logged(
    path: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running_server(keys=["s3cret"]) as server:
        async with server.connect(path, additional_headers=headers) as client:
            await set_up(client)
        wrong = {name: value.replace("s3cret", "s3cret2") for name, value in headers.items()}
        async with server.connect(path.replace("s3cret", "s3cret2"), additional_headers=wrong) as c:
            assert await ending(c) == (1007, "API key not valid. Please pass a valid API key.")
        async with server.connect() as client:
            assert (await ending(client))[0] == 1008
    ours = [record for record in caplog.records if not record.name.startswith("websockets.client")]
    assert any("closed" in record.message or "left" in record.message for record in ours)
    assert not any("s3cret" in record.message for record in ours)


@pytest.mark.parametrize(
    ("path", "headers", "code", "words"),
    [
        ("/ws/nothing", {}, 1008, "No such path"),
        (PATH + "Constrained", {}, 1008, "ephemeral token"),
        (PATH, {"origin": "https://evil.example"}, 1008, "Pages"),
        (PATH, {"origin": "http://localhost:3000"}, 0, ""),
    ],
)
async def test_refusals_come_by_close_code(
    server: LiveServer, path: str, headers: dict[str, str], code: int, words: str
) -> None:
    async with server.connect(path, additional_headers=headers) as client:
        if not code:
            await set_up(client)
            return
        got = await ending(client)
        assert got[0] == code
        assert words in got[1]


@pytest.mark.parametrize(
    ("payloads", "code"),
    [
        ([b"\xff\xfe\x00"], 1007),
        (["not json"], 1007),
        (["[]"], 1007),
        (["{}"], 1007),
        ([b""], 1007),
        ([say("first")], 1007),
        ([json.dumps(SETUP), json.dumps(SETUP)], 1007),
        ([json.dumps(SETUP), "garbage"], 1007),
        ([json.dumps(SETUP), '{"realtimeInput": {"audio": {"data": "***"}}}'], 1007),
        ([json.dumps({"setup": {"model": "models/unsupported"}})], 1007),
        ([json.dumps({"setup": {"model": "models/missing"}})], 1011),
        ([json.dumps({"setup": {"model": "models/crash"}})], 1011),
    ],
)
async def test_bad_payloads_close_with_a_code_and_a_reason(
    server: LiveServer, payloads: list[str | bytes], code: int
) -> None:
    async with server.connect() as client:
        for payload in payloads:
            await client.send(payload)
        got = await ending(client)
        assert got[0] == code
        assert 0 < len(got[1].encode()) <= 123
        assert "Traceback" not in got[1]
    async with server.connect() as client:
        await set_up(client)  # and the server goes on


async def test_what_the_engine_refuses_is_said_in_its_words(server: LiveServer) -> None:
    async with server.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/unsupported"}}))
        assert await ending(client) == (1007, "The engine cannot sing.")


async def test_nothing_sent_is_closed_at_the_limit() -> None:
    async with running_server(limits=Limits(setup_s=0.05)) as server, server.connect() as client:
        code, reason = await ending(client)
        assert code == 1008
        assert "setup" in reason


async def test_audio_of_two_mebibytes_gets_in(server: LiveServer) -> None:
    blob = {"data": base64.b64encode(b"\0" * 2**21).decode(), "mimeType": "audio/pcm;rate=48000"}
    async with server.connect() as client:
        await set_up(client)
        await client.send(json.dumps({"realtimeInput": {"audio": blob}}))
        assert said(await receive(client)) == f"{2**21} bytes at 48000"


async def test_a_message_beyond_the_limit_is_too_big() -> None:
    async with (
        running_server(limits=Limits(received_payload_bytes=10_000)) as server,
        server.connect() as client,
    ):
        await set_up(client)
        await client.send(say("x" * 20_000))
        assert (await ending(client))[0] == 1009
        async with asyncio.timeout(WITHIN_S):
            await server.engine.sessions[0].closed.wait()


async def test_every_payload_sent_is_below_a_mebibyte(server: LiveServer) -> None:
    async with server.connect(max_size=2**20 - 1) as client:
        await set_up(client)
        await client.send(say("audio 3000000"))
        heard = b""
        while len(heard) < 3_000_000:
            parts = (await receive(client))["serverContent"]["modelTurn"]["parts"]
            heard += base64.b64decode(parts[0]["inlineData"]["data"])
        assert heard == b"\1\2" * 1_500_000


async def test_text_too_long_for_a_payload_ends_that_session(server: LiveServer) -> None:
    async with server.connect() as client:
        await set_up(client)
        await client.send(say("text 1100000"))
        code, reason = await ending(client)
        assert code == 1011
        assert "frame" in reason


async def test_health_and_readiness_are_told_apart() -> None:
    loaded = False
    async with running_server(ready=lambda: loaded) as server:
        assert await server.get("/healthz") == (200, "ok\n")
        assert (await server.get("/readyz"))[0] == 503
        loaded = True
        assert (await server.get("/readyz"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1beta/models/local:generateContent"), ("GET", "/elsewhere"), ("GET", "/")],
)
async def test_other_paths_are_answered_in_the_form_that_sdks_show(method: str, path: str) -> None:
    async with running_server() as server:
        status, _, body = await server.ask(method, path)
    error = json.loads(body)["error"]
    assert (status, error["code"], error["status"]) == (404, 404, "NOT_FOUND")
    assert error["message"] == f"{path} is not here: this server speaks the Live API alone."


async def test_manual_activity_reaches_the_engine_in_order(server: LiveServer) -> None:
    detection = {"automaticActivityDetection": {"disabled": True}}
    async with server.connect() as client:
        setup = {**SETUP["setup"], "realtimeInputConfig": detection}
        await client.send(json.dumps({"setup": setup}))
        await receive(client)
        await client.send('{"realtimeInput": {"activityStart": {}}}')
        await client.send(say("now"))
        assert said(await receive(client)) == "now"
    assert server.engine.sessions[0].events == [ActivityStarted(), TextReceived("now")]
