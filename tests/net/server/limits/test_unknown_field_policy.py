"""Unknown fields: a strict server closes the session, a lenient one logs each field once."""

import json
import logging

import pytest

from tests.harness.live_client import SETUP, ending, receive, said, say, set_up
from tests.harness.live_server import running_server

ODD_SETUP = {"setup": {**SETUP["setup"], "temperature": 1}}
ODD_TEXT = json.dumps({"realtimeInput": {"text": "hello", "mood": "good"}})
AUDIO = {"data": "AAAAAA==", "mimeType": "audio/pcm", "loudness": 3}


@pytest.mark.parametrize(
    ("payloads", "name", "place"),
    [
        ([ODD_SETUP], "temperature", "setup"),
        ([SETUP, json.loads(ODD_TEXT)], "mood", "realtime_input"),
        ([SETUP, {"realtimeInput": {"audio": AUDIO}}], "loudness", "realtime_input.audio"),
    ],
)
async def test_strict_closes_in_the_services_words(
    payloads: list[dict[str, object]], name: str, place: str
) -> None:
    async with running_server(strict=True) as server, server.connect() as client:
        for payload in payloads:
            await client.send(json.dumps(payload))
        expected = f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}': "
        code, reason = await ending(client)
        assert (code, reason) == (1007, expected + "Cannot find field.")
        assert all(not session.events for session in server.engine.sessions)


async def test_strict_takes_what_is_known() -> None:
    async with running_server(strict=True) as server, server.connect() as client:
        await set_up(client)
        await client.send(json.dumps({"realtime_input": {"audio": {"data": "AAAAAA=="}}}))
        assert said(await receive(client)) == "4 bytes at 16000"
        status, _, _ = await server.ask("POST", "/v1alpha/auth_tokens", body=b'{"uses": 1}')
        assert status == 200


async def test_lenient_tells_once_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with running_server() as server:
        for _ in range(2):
            async with server.connect() as client:
                await client.send(json.dumps(ODD_SETUP))
                assert await receive(client) == {"setupComplete": {}}
                for _ in range(3):
                    await client.send(ODD_TEXT)
                    assert said(await receive(client)) == "hello"
                turns = [{"parts": [{"text": "x", "\x1b[2J": 1}]}] * 3
                await client.send(json.dumps({"clientContent": {"turns": turns}}))
                await client.send(say("end"))
                assert said(await receive(client)) == "end"
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert "'setup.temperature'" in told[0]
    assert "'realtime_input.mood'" in told[1]
    assert r"'client_content.turns[].parts[].\x1b[2J'" in told[2]


async def test_a_tokens_request_is_held_to_the_same() -> None:
    body = b'{"bidiGenerateContentSetup": {"temperature": 1}}'
    async with running_server(strict=True) as server:
        status, _, answer = await server.ask("POST", "/v1alpha/auth_tokens", body=body)
        assert status == 400
        assert "Unknown name \\\"temperature\\\" at 'bidi_generate_content_setup'" in answer
    async with running_server() as server:
        assert (await server.ask("POST", "/v1alpha/auth_tokens", body=body))[0] == 200
