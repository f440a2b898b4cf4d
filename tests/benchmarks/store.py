"""What the store in Redis costs: calls a turn, and the milliseconds of each, on loopback."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from unittest.mock import patch

from live_cli.engine.conversation.history.entries import MODEL, USER, Entry, Snapshot
from live_cli.engine.conversation.stored_snapshots import encode_snapshot
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.tokens import Terms
from live_cli.net.server.limits.lifetime import ResumableSession
from live_cli.net.server.store.redis import RedisStore
from live_cli.net.server.store.redis_link import RedisLink
from live_cli.net.server.store.redis_scripts import HOLD_PLACES
from tests.benchmarks.row import Row, median
from tests.harness.process_figures import cpu_s
from tests.harness.redis_server import RedisServer
from tests.net.server.store.test_replicas import answered, opened, replicas

CALLS, SMALL_CALLS = 300, 10
TURNS, SMALL_TURNS = 20, 3
BUDGET_MS = 2.0
_SAID = "A sentence of some twelve words, as people and models say them."
HISTORY = Snapshot(tuple(Entry((USER, MODEL)[place % 2], _SAID) for place in range(40)))
"""Twenty turns, 450 tokens."""


def rows(small: bool = False) -> list[Row]:
    calls, turns = (SMALL_CALLS, SMALL_TURNS) if small else (CALLS, TURNS)
    server = RedisServer()
    try:
        times_ms, busy_ms = asyncio.run(_times_ms(server, calls))
        each_turn, moving = asyncio.run(_calls(server, turns))
    finally:
        server.kill()
    size = len(encode_snapshot(HISTORY)[0])
    return [
        *(Row(f"store: {what}", ms, "ms", BUDGET_MS) for what, ms in times_ms.items()),
        Row("store: its own processor time for a history kept", busy_ms, "ms", BUDGET_MS),
        Row("store: calls of a turn", each_turn, "", 2.0),
        Row("store: calls of a session that moves", moving, "", 6.0),
        Row("store: bytes of a history of twenty turns", size, "B", 10_000),
    ]


async def _times_ms(server: RedisServer, calls: int) -> tuple[dict[str, float], float]:
    """Of each call what its caller waits; of one also what the store's only core spends."""
    log = logging.getLogger("benchmark")
    store = RedisStore(server.url, most_tokens=10 * calls, most_bytes=64_000_000, log=log)
    session, maker = ResumableSession("key:ab"), Principal("key", "key:ab")
    await store.claim(session, lambda: None)
    data, images = encode_snapshot(HISTORY)
    handle = await store.put(session, "models/local", data, images)
    assert handle is not None
    token = await store.find_token(await store.create_token(Terms(), maker))
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "a history kept": lambda: store.put(session, "models/local", data, images),
        "a history read": lambda: store.get("key:ab", handle),
        "a session found by its handle": lambda: store.find("key:ab", handle),
        "a session claimed": lambda: store.claim(session, lambda: None),
        "a token made": lambda: store.create_token(Terms(), maker),
        "a token's use taken": lambda: store.spend(token),  # type: ignore[arg-type]
    }
    found = {what: await _median_ms(act, calls) for what, act in acts.items()}
    began_s = cpu_s(server.pid)
    for _ in range(10 * calls):
        await store.put(session, "models/local", data, images)
    busy_ms = 1e3 * (cpu_s(server.pid) - began_s) / (10 * calls)
    await store.close()
    return found, busy_ms


async def _median_ms(act: Callable[[], Awaitable[object]], calls: int) -> float:
    times = []
    for _ in range(calls):
        began = perf_counter()
        await act()
        times.append(1e3 * (perf_counter() - began))
    return median(times)


async def _calls(server: RedisServer, turns: int) -> tuple[float, float]:
    """Calls of the store for each turn, and for a move to another replica."""
    with _counted() as calls:
        async with replicas(server, 2) as (one, other), one.connect() as first:
            await opened(first)
            _, update = await answered(first, "Hello.")
            before = len(calls)
            for number in range(turns):
                _, update = await answered(first, f"Turn {number}.")
            each_turn = (len(calls) - before) / turns
            before = len(calls)
            async with other.connect() as second:
                await opened(second, update["newHandle"])
                moving = len(calls) - before
    return each_turn, float(moving)


@contextmanager
def _counted() -> Iterator[list[str]]:
    """All calls of stores in this process but the heartbeats of replicas, by their beginning."""
    calls: list[str] = []
    run, ask = RedisLink.run, RedisLink.ask

    async def counted_run(link: RedisLink, script: str, *args: str | bytes | float) -> Any:
        calls.extend([script[:20]] if script is not HOLD_PLACES else [])
        return await run(link, script, *args)

    async def counted_ask(link: RedisLink, *command: str | bytes) -> Any:
        calls.append(str(command[0]))
        return await ask(link, *command)

    with (
        patch.object(RedisLink, "run", counted_run),
        patch.object(RedisLink, "ask", counted_ask),
    ):
        yield calls
