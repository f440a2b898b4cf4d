"""Web pages: who may open sessions, who may make tokens and list models, and read the answer."""

import json

import pytest

from live_cli.net.server.rest import ListedModel
from tests.harness.live_client import PATH, ending, set_up
from tests.harness.live_server import running_server

APP, EVIL = "https://app.example", "https://evil.example"
LOCAL = "http://localhost:3000"
ASKED = "x-goog-api-key,content-type,x-goog-api-client"


ORIGINS = {
    APP: True,
    LOCAL: True,
    "https://127.0.0.1": True,
    "http://[::1]:5173": True,
    "http://a.localhost:1": True,
    EVIL: False,
    "https://app.example.evil.example": False,
    "http://localhost.evil.example": False,
    "http://xlocalhost": False,
    "null": False,
}


@pytest.mark.parametrize("path", ["/v1alpha/auth_tokens", "/v1beta/models", "/v1beta/models/x"])
async def test_preflights(path: str) -> None:
    method = "POST" if "tokens" in path else "GET"
    async with running_server(origins=[APP], keys=["k"]) as server:
        for origin, allowed in ORIGINS.items():
            status, headers, _ = await server.ask(
                "OPTIONS",
                path,
                "host: localhost",
                f"origin: {origin}",
                f"access-control-request-method: {method}",
                f"access-control-request-headers: {ASKED}",
                "access-control-request-private-network: true",
            )
            assert (status == 200) == allowed, origin
            assert (headers.get("access-control-allow-origin") == origin) == allowed, origin
            if allowed:
                assert method in headers["access-control-allow-methods"]
                assert headers["access-control-allow-headers"] == ASKED
                assert headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize(("origin", "status"), [(APP, 200), (LOCAL, 200), (EVIL, 403)])
async def test_a_page_makes_tokens_and_lists_models(origin: str, status: int) -> None:
    models = [ListedModel("local", "Local", "Local")]
    async with running_server(origins=[APP], models=models) as server:
        for method, path in (("POST", "/v1alpha/auth_tokens"), ("GET", "/v1beta/models")):
            got, headers, body = await server.ask(
                method, path, "host: localhost", f"origin: {origin}", body=b"{}"
            )
            assert got == status
            readable = headers.get("access-control-allow-origin")
            assert readable == (origin if status == 200 else None)
            assert ("error" in json.loads(body)) == (status == 403)


@pytest.mark.parametrize("origin", [APP, APP.upper(), LOCAL])
async def test_a_page_of_an_allowed_origin_opens_sessions(origin: str) -> None:
    async with (
        running_server(origins=[APP]) as server,
        server.connect(PATH, additional_headers={"origin": origin}) as client,
    ):
        await set_up(client)


async def test_a_refused_page_is_told_what_would_let_it_in() -> None:
    async with (
        running_server(origins=[APP]) as server,
        server.connect(PATH, additional_headers={"origin": EVIL}) as client,
    ):
        code, reason = await ending(client)
        assert (code, "--allow-origin" in reason) == (1008, True)
