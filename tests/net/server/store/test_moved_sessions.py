"""Sessions that move to another replica, because theirs is killed or ends: nothing is lost."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from live_cli.engine.conversation.history.entries import TOOL, USER, Entry
from live_cli.engine.conversation.stored_snapshots import decode_snapshot
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.store.redis import RedisStore
from live_cli.protocol.messages import FunctionDeclaration, GenerationConfig, Setup, Tool
from tests.harness.command import started
from tests.harness.live_client import receive
from tests.harness.moving_talker import MovingTalker
from tests.harness.redis_server import RedisServer
from tests.harness.serve_process import Serve
from tests.net.server.store.test_replicas import LOG, answered, opened, replicas

LOOKUP = Tool(function_declarations=[FunctionDeclaration(name="look")])
STAGES = ("DETECTOR", "TRANSCRIBER", "SYNTHESIZER")


def setup_of(modality: str, *tools: Tool) -> Setup:
    generation = GenerationConfig(response_modalities=[modality])
    return Setup(model="models/local", generation_config=generation, tools=[*tools] or None)


async def kept_behind(redis: RedisServer, handle: str) -> tuple[Entry, ...]:
    """The history that a handle stands for."""
    store = RedisStore(redis.url, most_tokens=1, most_bytes=1_000_000, log=LOG)
    found = await store.get("", handle)
    await store.close()
    assert found is not None
    return decode_snapshot(*found[1:]).entries


def serve(stack: ExitStack, home: Path, redis: RedisServer, **more: str) -> Serve:
    env = {f"LIVE_CLI_ENGINE_{stage}": "scripted" for stage in STAGES}
    env |= {"LIVE_CLI_ENGINE_END_OF_TURN": "silence", "LIVE_CLI_SERVE_STORE": redis.url}
    command = ("serve", "--port", "0")
    process = stack.enter_context(
        started(*command, home=home, env=env | more, stderr=subprocess.PIPE)
    )
    return Serve(process, home)


async def test_a_replica_is_killed_amid_answers_and_nothing_is_lost_or_doubled(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    lines = [f"This is line {number}." for number in range(12)]
    replies = "call:look {}|Well, that is what I found."
    with ExitStack() as stack:
        chat = {"LIVE_CLI_ENGINE_CHAT": f"scripted:{replies}"}
        served = [serve(stack, tmp_path, redis_server, **chat) for _ in range(2)]
        for each in served:
            await asyncio.to_thread(each.until, r"^Ready\.$")

        def kill(line: str) -> None:
            if line == lines[5] and served[0].process.poll() is None:
                os.kill(served[0].process.pid, signal.SIGKILL)

        talker = MovingTalker([each.port for each in served], setup_of("AUDIO", LOOKUP), kill)
        await talker.say(lines)
        assert talker.ended == []
        assert talker.moves == [True]
        assert served[0].ended() == -signal.SIGKILL
        entries = await kept_behind(redis_server, talker.handle)
        assert [entry.text for entry in entries if entry.role == USER] == lines
        results = Counter(entry.call_id for entry in entries if entry.role == TOOL)
        assert len(results) == results.total() == len(lines)
        served[1].process.send_signal(signal.SIGTERM)
        assert served[1].ended() == 0, served[1].said


async def test_a_rolling_drain_ends_no_talker(redis_server: RedisServer) -> None:
    limits = Limits(drain_s=60.0)
    lines = [f"Line {number}." for number in range(30)]
    async with replicas(redis_server, 3, limits=limits) as servers:
        ports = [server.port for server in servers]
        midway = asyncio.Event()
        talkers = [
            MovingTalker(
                [*ports[number % 2 :], *ports[: number % 2]],
                setup_of("TEXT"),
                lambda line: midway.set() if line == lines[5] else None,
            )
            for number in range(4)
        ]
        talking = [asyncio.create_task(talker.say(lines)) for talker in talkers]
        await midway.wait()
        for server in servers[:2]:
            server.stop.set()
            async with asyncio.timeout(30):  # they leave at once, not at the end of the time
                await asyncio.wait({server.task})
        await asyncio.gather(*talking)
        for talker in talkers:
            assert talker.ended == []
            assert talker.moves
            assert all(talker.moves)
            entries = await kept_behind(redis_server, talker.handle)
            assert [entry.text for entry in entries if entry.role == USER] == lines


async def test_a_server_that_drains_says_so_and_serves_on(redis_server: RedisServer) -> None:
    limits = Limits(drain_s=60.0)
    async with replicas(redis_server, 1, limits=limits) as (server,), server.connect() as client:
        await opened(client)
        server.stop.set()
        assert (await receive(client))["goAway"] == {"timeLeft": "60s"}
        assert await server.get("/readyz") == (503, "closing\n")
        assert (await answered(client, "Still there?"))[0] == "You said: Still there?"
