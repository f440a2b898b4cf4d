"""Paths behind a reverse proxy's prefix, and requests that are no WebSocket at a socket's path."""

import json
from collections.abc import AsyncIterator

import pytest

from live_cli.net.server.rest import ListedModel
from tests.harness.live_client import PATH, set_up
from tests.harness.live_server import LiveServer, running_server

LOCAL = ListedModel("local", "The engine", "On this machine")
PREFIXES = ["", "/", "/voice", "/voice/", "/a/b/c"]
VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
FIREBASE = "/ws/google.firebase.vertexai.v1beta.GenerativeService/BidiGenerateContent"


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with running_server(models=[LOCAL], keys=["secret"]) as server:
        yield server


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_rest_has_the_prefixes_of_the_socket(server: LiveServer, prefix: str) -> None:
    async with server.connect(f"{prefix}{PATH}?key=secret") as client:
        await set_up(client)
    key = "x-goog-api-key: secret"
    status, _, listed = await server.ask("GET", f"{prefix}/v1beta/models", "host: a", key)
    assert (status, json.loads(listed)["models"][0]["name"]) == (200, "models/local")
    status, _, one = await server.ask("GET", f"{prefix}/v1/models/local", "host: a", key)
    assert (status, json.loads(one)["name"]) == (200, "models/local")
    status, _, token = await server.ask(
        "POST", f"{prefix}/v1alpha/auth_tokens", "host: a", key, "content-length: 0"
    )
    assert status == 200
    assert json.loads(token)["name"].startswith("auth_tokens/")
    assert (await server.get(f"{prefix}/healthz"))[0] == 200


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_rest_behind_a_prefix_asks_for_the_key(server: LiveServer, prefix: str) -> None:
    assert (await server.get(f"{prefix}/v1beta/models"))[0] == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [PATH, f"/voice{PATH}", f"{PATH}Constrained", VERTEX, FIREBASE])
async def test_a_request_without_upgrade_is_told_to_upgrade(
    server: LiveServer, path: str, method: str
) -> None:
    status, headers, body = await server.ask(method, path)
    assert (status, headers["upgrade"]) == (426, "websocket")
    assert "Upgrade: websocket" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/ws", "/voice", f"{PATH}x"])
async def test_other_paths_are_not_found(server: LiveServer, path: str) -> None:
    status, headers, _ = await server.ask("GET", path)
    assert (status, "upgrade" in headers) == (404, False)


@pytest.mark.parametrize("path", ["/v1beta/interactions/live", "/voice/v1/interactions/live"])
async def test_live_interactions_is_refused_in_words(server: LiveServer, path: str) -> None:
    async with server.connect(f"{path}?key=secret") as client:
        await client.wait_closed()
    assert client.close_code == 1008
    assert "another protocol" in client.close_reason
    status, _, body = await server.ask("POST", path)
    assert status == 501
    assert "another protocol" in json.loads(body)["error"]["message"]
