"""`POST models/{id}:countTokens`, as Google's REST API has it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from live_cli.net.server.rest import ListedModel
from live_cli.protocol.messages import Content
from tests.harness.live_server import LiveServer, running_server

MODELS = [ListedModel("local", "Local", "Local", 4096)]
TURN = {"role": "user", "parts": [{"text": "one two three"}]}


class Words:
    """Counts words; ``most``: how many counts went on at a time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def count_tokens(self, system: str, contents: Sequence[Content]) -> int | None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        words = [system, *(each.text for each in contents)]
        return None if "unknown" in words else sum(len(text.split()) for text in words)


async def count(server: LiveServer, body: Any, model: str = "local") -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/v1beta/models/{model}:countTokens"
    status, _, answer = await server.ask("POST", path, "host: localhost", body=raw)
    return status, json.loads(answer)


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"contents": [TURN]}, 3),
        ({"contents": TURN}, 3),
        ({"contents": [TURN, TURN]}, 6),
        ({"generateContentRequest": {"contents": [TURN], "systemInstruction": TURN}}, 6),
        ({"generate_content_request": {"contents": TURN, "system_instruction": TURN}}, 6),
        ({}, 0),
    ],
)
async def test_a_text_is_counted(body: object, tokens: int) -> None:
    async with running_server(models=MODELS, counter=Words()) as server:
        status, answer = await count(server, body)
    assert status == 200
    assert answer["totalTokens"] == tokens
    assert answer["promptTokensDetails"] == [{"modality": "TEXT", "tokenCount": tokens}]


@pytest.mark.parametrize(
    ("body", "model", "status", "words"),
    [
        (b"{", "local", 400, "JSON"),
        (b"[" * 100_000, "local", 400, ""),
        ({"contents": 7}, "local", 400, ""),
        (b'{"contents": "' + b"x" * 1_100_000 + b'"}', "local", 400, "1048576 bytes"),
        ({"contents": [TURN]}, "other", 404, "other"),
        ({"contents": [{"parts": [{"text": "unknown"}]}]}, "local", 501, "counts nothing"),
    ],
)
async def test_what_is_not_counted(body: object, model: str, status: int, words: str) -> None:
    async with running_server(models=MODELS, counter=Words()) as server:
        found, answer = await count(server, body, model)
    assert found == status
    assert words in answer["error"]["message"]


async def test_strangers_are_told_nothing() -> None:
    async with running_server(models=MODELS, counter=Words(), keys=["k" * 20]) as server:
        status, answer = await count(server, {"contents": [TURN]})
    assert status == 403 or "key" in answer["error"]["message"].lower()
    assert "totalTokens" not in answer


async def test_one_count_at_a_time() -> None:
    words = Words()
    async with running_server(models=MODELS, counter=words) as server:
        answers = await asyncio.gather(*(count(server, {"contents": [TURN]}) for _ in range(8)))
    assert [status for status, _ in answers] == [200] * 8
    assert words.most == 1


async def test_without_a_counter_there_is_no_such_place() -> None:
    async with running_server(models=MODELS) as server:
        assert (await count(server, {}))[0] == 404
