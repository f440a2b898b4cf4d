"""The stages' application inside a plain uvicorn, which knows nothing of places and deadlines."""

import asyncio
import http.client
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import uvicorn

from live_cli.engine.backends.table import Stage
from live_cli.engine.openai_api.served_stages import ServedStages
from live_cli.engine.stages import StageNames
from live_cli.errors import EngineError
from live_cli.net.server.listen import listen, port_of
from live_cli.net.server.openai_api.app import build_stages_app
from live_cli.net.server.openai_api.hosted import HostedApp
from live_cli.net.server.openai_api.stage_api import StageApi

KEY = "a-key-of-sixteen-characters"
LIMIT_S = 30.0
ELSEWHERE = {"X-Forwarded-For": "192.0.2.9"}
"""uvicorn takes a proxy on loopback at its word."""
WITH_KEY = {"Authorization": f"Bearer {KEY}"}
WRONG_KEY = {"Authorization": "Bearer another-key-of-sixteen"}


@asynccontextmanager
async def hosted(stages: StageApi, *keys: str) -> AsyncIterator[int]:
    """A foreign server with the application; its port."""
    app = build_stages_app(stages, [Stage.SYNTHESIZER.value], keys=keys)
    host = HostedApp(app, this_machine_only=not keys)
    server = uvicorn.Server(uvicorn.Config(host, lifespan="on", log_config=None))
    [listener] = listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield port_of([listener])
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, LIMIT_S)


def ask(port: int, headers: dict[str, str]) -> tuple[int, bytes]:
    """Have a text spoken; the status and the body."""
    body = json.dumps({"input": "Noon.", "voice": "Kore", "response_format": "pcm"})
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)) as connection:
        connection.request("POST", "/v1/audio/speech", body, headers)
        response = connection.getresponse()
        with response:
            return response.status, response.read()


@pytest.mark.parametrize(
    ("keys", "headers", "status"),
    [
        ((), {}, 200),
        ((), ELSEWHERE, 403),
        ((KEY,), ELSEWHERE | WITH_KEY, 200),
        ((KEY,), {}, 401),
        ((KEY,), WRONG_KEY, 401),
    ],
)
async def test_who_asks_another_server_is_let_in_by_key_or_from_here(
    keys: tuple[str, ...], headers: dict[str, str], status: int
) -> None:
    served = ServedStages(StageNames(synthesizer="scripted"), only=[Stage.SYNTHESIZER])
    async with hosted(served, *keys) as port:
        found, body = await asyncio.to_thread(ask, port, headers)
    await served.close()
    assert found == status, body
    assert (len(body) > 1000) == (status == 200)


class BreaksOff(ServedStages):
    """Fails in the middle of what it says."""

    async def speak(
        self, text: str, *, voice: str, speed: float, language: str
    ) -> AsyncGenerator[Any, None]:
        yield b"\0" * 100
        raise EngineError("the voice broke")


async def test_an_answer_that_fails_in_the_middle_is_no_whole_one() -> None:
    served = BreaksOff(only=[Stage.SYNTHESIZER])
    async with hosted(served) as port:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            await asyncio.to_thread(ask, port, {})
    await served.close()
