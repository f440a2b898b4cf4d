"""Ephemeral tokens over real sockets: made by REST, shown on connecting, deciding the setup."""

import contextlib
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from live_cli.net.server.access.tokens import SPENT, TOO_LATE, UNKNOWN
from live_cli.net.server.limits.limits import Limits
from tests.harness.live_client import PATH, ending, receive, said, say
from tests.harness.live_server import LiveServer, running_server
from tests.harness.sdk_payloads import token_requests

CONSTRAINED = PATH.replace("v1beta", "v1alpha") + "Constrained"
LOCAL = "host: localhost"


async def asked(
    server: LiveServer, body: Any = None, *headers: str, version: str = "v1alpha"
) -> tuple[int, Any]:
    """Status and JSON of a request for a token."""
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    path = f"/{version}/auth_tokens"
    status, _, answer = await server.ask("POST", path, LOCAL, *headers, body=sent)
    return status, json.loads(answer)


async def token_of(server: LiveServer, **body: Any) -> str:
    status, answer = await asked(server, body)
    assert (status, list(answer)) == (200, ["name"]), answer
    name: str = answer["name"]
    assert name.startswith("auth_tokens/")
    return name


async def opened_with(server: LiveServer, token: str, **setup: Any) -> tuple[int, str] | None:
    """None when a session opens, else its close code and reason."""
    async with server.connect(f"{CONSTRAINED}?access_token={token}") as client:
        with contextlib.suppress(ConnectionClosed):
            await client.send(json.dumps({"setup": {"model": "models/local", **setup}}))
            assert "setupComplete" in await receive(client)
            return None
    assert client.close_code is not None
    return client.close_code, client.close_reason or ""


def in_s(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(("path", "body"), token_requests())
async def test_what_the_sdks_really_send_makes_a_token(
    server: LiveServer, path: str, body: str
) -> None:
    future = body.replace("2026-01-01T00:30:00", in_s(1800)[:19])
    future = future.replace("2026-01-01T00:01:00", in_s(60)[:19])
    status, answer = await asked(server, future.encode(), version=path.split("/")[1])
    assert status == 200, answer
    assert await opened_with(server, answer["name"]) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Token {}", "x-goog-api-key": "{}"},
        {"authorization": "Token {}"},
        {"x-goog-api-key": "{}"},
        {},
    ],
)
@pytest.mark.parametrize("keys", [[], ["s3cret"]])
async def test_it_is_shown_in_every_form_and_never_logged(
    headers: dict[str, str], keys: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running_server(keys=keys) as server:
        _, answer = await asked(server, None, *(f"x-goog-api-key: {key}" for key in keys))
        token = answer["name"]
        shown = {name: value.format(token) for name, value in headers.items()}
        path = CONSTRAINED if headers else f"{CONSTRAINED}?access_token={token}"
        async with server.connect(path, additional_headers=shown) as client:
            await client.send(json.dumps({"setup": {"model": "models/local"}}))
            assert await receive(client) == {"setupComplete": {}}
        async with server.connect(path, additional_headers=shown) as client:
            await client.send(json.dumps({"setup": {"model": "models/local"}}))
            assert await ending(client) == (SPENT.code, SPENT.reason)
    own = [each.getMessage() for each in caplog.records if each.name.startswith("live_cli")]
    assert len(own) >= 2
    assert not any(token.removeprefix("auth_tokens/") in line for line in own)


async def test_making_one_needs_the_key_where_there_is_one() -> None:
    async with running_server(keys=["s3cret"]) as server:
        for header, code, status in (
            ("x-other: 1", 403, "PERMISSION_DENIED"),
            ("x-goog-api-key: wrong", 400, "INVALID_ARGUMENT"),
            ("x-goog-api-key: auth_tokens/0", 400, "INVALID_ARGUMENT"),
            ("authorization: Token auth_tokens/0", 403, "PERMISSION_DENIED"),
        ):
            got, answer = await asked(server, None, header)
            assert (got, answer["error"]["code"], answer["error"]["status"]) == (code, code, status)
        assert (await asked(server, None, "x-goog-api-key: s3cret"))[0] == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"nonsense", "Invalid JSON"),
        (b'{"uses": -1}', "uses"),
        (b'{"expireTime": "2020-01-01T00:00:00Z"}', "expire_time"),
        (b'{"fieldMask": "nothing"}', "'nothing'"),
        (b'{"bidiGenerateContentSetup": {"model": []}}', "bidi_generate_content_setup.model"),
        (b'{"fieldMask": "' + b"model," * 25_000 + b'"}', "131072 bytes"),
    ],
)
async def test_a_bad_body_is_named(server: LiveServer, body: bytes, named: str) -> None:
    status, answer = await asked(server, body)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert named in answer["error"]["message"]


async def test_a_body_that_never_comes_is_not_waited_for() -> None:
    async with running_server(limits=Limits(request_s=0.2)) as server:
        status, _, answer = await server.ask(
            "POST", "/v1alpha/auth_tokens", LOCAL, "content-length: 10"
        )
        assert (status, json.loads(answer)["error"]["code"]) == (408, 408)


async def test_no_more_are_made_than_are_kept() -> None:
    async with running_server(limits=Limits(tokens=2)) as server:
        assert [(await asked(server))[0] for _ in range(3)] == [200, 200, 429]


async def test_each_use_is_one_session(server: LiveServer) -> None:
    two = await token_of(server, uses=2)
    assert [await opened_with(server, two) for _ in range(3)] == [None, None, tuple_of(SPENT)]
    many = await token_of(server, uses=0)
    assert [await opened_with(server, many) for _ in range(5)] == [None] * 5


def tuple_of(refusal: Any) -> tuple[int, str]:
    return refusal.code, refusal.reason


async def test_times_end_what_they_are_for(server: LiveServer) -> None:
    late = await token_of(server, uses=0, newSessionExpireTime=in_s(0.3))
    assert await opened_with(server, late) is None
    short = await token_of(server, uses=0, expireTime=in_s(0.5))
    async with server.connect(f"{CONSTRAINED}?access_token={short}") as client:
        await client.send(json.dumps({"setup": {"model": "models/local"}}))
        assert await receive(client) == {"setupComplete": {}}
        left = (await receive(client))["goAway"]["timeLeft"]
        assert 0 < float(left.removesuffix("s")) < 0.5
        code, reason = await ending(client)
        assert (code, "expired" in reason) == (1008, True)
    assert await opened_with(server, late) == tuple_of(TOO_LATE)
    assert await opened_with(server, short) == tuple_of(UNKNOWN)


async def test_resuming_its_own_session_takes_no_use(server: LiveServer) -> None:
    token = await token_of(server)
    async with server.connect(f"{CONSTRAINED}?access_token={token}") as client:
        await client.send(json.dumps({"setup": {"model": "models/local", "sessionResumption": {}}}))
        await receive(client)
        await client.send(say("handle h1"))
        assert "sessionResumptionUpdate" in await receive(client)
    assert await opened_with(server, token) == tuple_of(SPENT)
    assert await opened_with(server, token, sessionResumption={"handle": "h1"}) is None
    assert await opened_with(server, token, sessionResumption={"handle": "h2"}) == tuple_of(SPENT)
    other = await token_of(server)
    assert await opened_with(server, other, sessionResumption={"handle": "h1"}) is None
    assert await opened_with(server, other) == tuple_of(SPENT)


async def test_a_setup_that_is_refused_takes_its_use(server: LiveServer) -> None:
    token = await token_of(server)
    assert await opened_with(server, token, model="models/unsupported") == (
        1007,
        "The engine cannot sing.",
    )
    assert await opened_with(server, token) == tuple_of(SPENT)


async def test_the_engine_gets_the_setup_that_the_token_decides(server: LiveServer) -> None:
    locked = {"model": "models/its", "generationConfig": {"temperature": 0.5}}
    token = await token_of(server, bidiGenerateContentSetup=locked)
    sent = {"generationConfig": {"temperature": 2, "topK": 4}, "outputAudioTranscription": {}}
    assert await opened_with(server, token, **sent) is None
    setup = server.engine.sessions[-1].setup
    assert (setup.model, setup.output_audio_transcription) == ("models/its", None)
    assert setup.generation_config is not None
    assert (setup.generation_config.temperature, setup.generation_config.top_k) == (0.5, None)

    mask = "model,generationConfig.temperature"
    token = await token_of(server, bidiGenerateContentSetup=locked, fieldMask=mask)
    assert await opened_with(server, token, **sent) is None
    setup = server.engine.sessions[-1].setup
    assert (setup.model, setup.output_audio_transcription is None) == ("models/its", False)
    assert setup.generation_config is not None
    assert (setup.generation_config.temperature, setup.generation_config.top_k) == (0.5, 4)


@pytest.mark.parametrize("by_token", [True, False])
async def test_a_locked_setup_decides_whose_activity_counts(
    server: LiveServer, by_token: bool
) -> None:
    """A full lock without realtimeInputConfig leaves automatic detection on, and the reverse."""
    manual = {"realtimeInputConfig": {"automaticActivityDetection": {"disabled": True}}}
    locked = {"model": "models/its", **(manual if by_token else {})}
    token = await token_of(server, bidiGenerateContentSetup=locked)
    async with server.connect(f"{CONSTRAINED}?access_token={token}") as client:
        setup = {"model": "models/mine", **({} if by_token else manual)}
        await client.send(json.dumps({"setup": setup}))
        await receive(client)
        await client.send('{"realtimeInput": {"activityStart": {}}}')
        await client.send(say("hello"))
        if by_token:
            assert said(await receive(client)) == "hello"
        else:
            code, reason = await ending(client)
            assert (code, "Explicit activity control" in reason) == (1007, True)
