"""The list of models: what REST says, and to whom."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from live_cli.net.server.rest import ListedModel
from tests.harness.live_server import LiveServer, running_server

LOCAL = ListedModel(
    "local", "The engine", "On this machine", input_tokens=4096, output_tokens=1024, thinks=True
)
DESCRIBED = {
    "name": "models/local",
    "version": "1",
    "displayName": "The engine",
    "description": "On this machine",
    "inputTokenLimit": 4096,
    "outputTokenLimit": 1024,
    "supportedGenerationMethods": ["bidiGenerateContent"],
    "thinking": True,
}


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with running_server(models=[LOCAL]) as server:
        yield server


async def got(server: LiveServer, path: str, *headers: str) -> tuple[int, Any]:
    """Status and JSON of a GET; ``headers`` are whole lines, the host's beside them."""
    status, _, body = await server.ask("GET", path, *headers)
    return status, json.loads(body)


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_one_and_all_in_every_version(server: LiveServer, version: str) -> None:
    assert await got(server, f"/{version}/models") == (200, {"models": [DESCRIBED]})
    assert await got(server, f"/{version}/models?pageSize=5") == (200, {"models": [DESCRIBED]})
    assert await got(server, f"/{version}/models/local") == (200, DESCRIBED)


async def test_a_limit_that_is_not_known_is_not_told() -> None:
    known = ListedModel("gemini-x", "X", "X, answered by the engine")
    async with running_server(models=[known]) as server:
        _, described = await got(server, "/v1beta/models/gemini-x")
        assert described.keys() == DESCRIBED.keys() - {"inputTokenLimit", "outputTokenLimit"}


async def test_an_unknown_one_is_not_found_and_the_known_are_named(server: LiveServer) -> None:
    status, body = await got(server, "/v1beta/models/gemini-1.5-pro")
    assert (status, body["error"]["code"], body["error"]["status"]) == (404, 404, "NOT_FOUND")
    assert "local" in body["error"]["message"]


@pytest.mark.parametrize("path", ["/v2/models", "/v1beta/models/a/b"])
async def test_no_other_path_is_there(server: LiveServer, path: str) -> None:
    assert (await server.get(path))[0] == 404


async def test_the_key_opens_it_in_the_forms_that_open_a_session() -> None:
    async with running_server(models=[LOCAL], keys=["s3cret"]) as server:
        assert (await got(server, "/v1beta/models?key=s3cret"))[0] == 200
        status, body = await got(server, "/v1beta/models?key=wrong")
        assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")
        status, body = await got(server, "/v1beta/models/local")
        assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")
        assert "s3cret" not in str(body)
        assert (await got(server, "/v1/models", "host: a", "x-goog-api-key: s3cret"))[0] == 200


@pytest.mark.parametrize("header", ["host: evil.example", "origin: https://evil.example"])
async def test_a_foreign_page_learns_nothing(server: LiveServer, header: str) -> None:
    hosts = () if header.startswith("host") else ("host: localhost",)
    status, body = await got(server, "/v1beta/models", *hosts, header)
    assert status == 403
    assert "models" not in body
