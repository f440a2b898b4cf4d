"""Two servers with one store: each takes the handles and tokens of the other."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection

from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.engine import LiveEngine
from live_cli.net.server.access.tokens import SPENT
from live_cli.net.server.store.redis import RedisStore
from tests.harness.live_client import ending, receive, say
from tests.harness.live_server import LiveServer, running_server
from tests.harness.redis_server import RedisServer
from tests.harness.scripted_session import ScriptedRegistry
from tests.net.server.access.test_server_tokens import opened_with, token_of

LOG = logging.getLogger("test")


@asynccontextmanager
async def replicas(
    redis: RedisServer, count: int = 2, **options: Any
) -> AsyncIterator[list[LiveServer]]:
    async with AsyncExitStack() as stack:
        servers = []
        for _ in range(count):
            engine = LiveEngine(registry=ScriptedRegistry(ScriptedChatModel()))
            stack.push_async_callback(engine.close)
            store = RedisStore(redis.url, most_tokens=100, most_bytes=10_000_000, log=LOG)
            servers.append(
                await stack.enter_async_context(
                    running_server(engine, store=store, others=True, **options)
                )
            )
        yield servers


async def opened(client: ClientConnection, handle: str | None = None, **setup: Any) -> None:
    resumption = {"handle": handle} if handle else {}
    generation = {"responseModalities": ["TEXT"]}
    asked = {"model": "models/local", "generationConfig": generation, **setup}
    await client.send(json.dumps({"setup": {**asked, "sessionResumption": resumption}}))
    assert "setupComplete" in await receive(client)


async def answered(client: ClientConnection, words: str) -> tuple[str, dict[str, Any]]:
    """The answer to a typed line, and the update of resumption after it."""
    await client.send(say(words))
    answer = ""
    while True:
        message = await receive(client)
        if "sessionResumptionUpdate" in message:
            update: dict[str, Any] = message["sessionResumptionUpdate"]
            if update.get("resumable") or answer:
                return answer, update
        turn = message.get("serverContent", {}).get("modelTurn", {})
        answer += "".join(part.get("text", "") for part in turn.get("parts", []))


def read_by(server: LiveServer) -> list[str]:
    """What the chat model of a replica read last."""
    chat = server.engine._registry.made["chat"]()
    return [message.text for message in chat.requests[-1].messages]


async def test_each_replica_takes_the_other_s_handle(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as (one, other), one.connect() as first:
        await opened(first)
        _, update = await answered(first, "I am Ada.")
        async with other.connect() as second:
            await opened(second, update["newHandle"])
            assert await ending(first) == (
                1000,
                "This session was resumed over another connection.",
            )
            answer, update = await answered(second, "Who am I?")
            assert (answer, update["resumable"]) == ("You said: Who am I?", True)
            assert read_by(other)[-3:] == ["I am Ada.", "You said: I am Ada.", "Who am I?"]


async def test_a_one_use_token_opens_one_session_on_whichever_replica(
    redis_server: RedisServer,
) -> None:
    async with replicas(redis_server) as servers:
        for _ in range(20):
            token = await token_of(servers[0])
            came = await asyncio.gather(*(opened_with(server, token) for server in servers))
            assert sorted(came, key=str) == sorted([None, (SPENT.code, SPENT.reason)], key=str)
