"""What every store of sessions does, as one or two replicas see it."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from live_cli.net.server.access.principal import NOBODY, Principal
from live_cli.net.server.access.tokens import (
    SPENT,
    TOO_LATE,
    UNKNOWN,
    Terms,
    Token,
    TokensFullError,
)
from live_cli.net.server.limits.lifetime import ResumableSession
from live_cli.net.server.store.memory import MemoryStore
from live_cli.net.server.store.redis import RedisStore
from live_cli.net.server.store.session_store import SessionStore
from live_cli.protocol.field_mask import read_mask
from live_cli.protocol.messages import Setup
from tests.harness.redis_server import RedisServer

LOG = logging.getLogger("test")
KEY = Principal("key", "key:ab")


def redis_store(server: RedisServer, most_bytes: int = 1_000_000) -> RedisStore:
    return RedisStore(server.url, most_tokens=2, most_bytes=most_bytes, log=LOG)


@pytest.fixture(params=["memory", "redis"])
async def replicas(request: pytest.FixtureRequest) -> AsyncIterator[tuple[SessionStore, ...]]:
    """The stores of two replicas; memory is one's own, so both are the same one."""
    stores: tuple[SessionStore, ...]
    if request.param == "memory":
        stores = (MemoryStore(2),) * 2
    else:
        server: RedisServer = request.getfixturevalue("redis_server")
        stores = (redis_store(server), redis_store(server))
    watches = [asyncio.create_task(store.watch()) for store in stores]
    yield stores
    for watch in watches:
        watch.cancel()
    await asyncio.gather(*watches, return_exceptions=True)
    for store in stores:
        await store.close()


async def token_of(store: SessionStore, name: str) -> Token:
    token = await store.find_token(name)
    assert isinstance(token, Token)
    return token


async def test_a_token_has_its_terms_on_each_replica(replicas) -> None:
    one, other = replicas
    setup = Setup(model="models/gemini-live")
    terms = Terms(uses=2, setup=setup, mask=read_mask("model,generationConfig.topK"))
    name = await one.create_token(terms, KEY)
    here, there = await token_of(one, name), await token_of(other, name)
    assert here.principal == there.principal
    assert here.principal.id.startswith("key:ab/token:")
    asked = Setup(model="models/other")
    assert here.setup_for(asked) == there.setup_for(asked) != asked
    assert await other.find_token(name + "0") is UNKNOWN
    assert [await store.spend(await token_of(store, name)) for store in (one, other, one)] == [
        None,
        None,
        SPENT,
    ]


@pytest.mark.parametrize(
    ("terms", "found", "spent"),
    [
        (Terms(usable_s=0.05, new_sessions_s=0.05), UNKNOWN, UNKNOWN),
        (Terms(new_sessions_s=0.05), None, TOO_LATE),
        (Terms(uses=None), None, None),
    ],
    ids=["expired", "late", "unlimited"],
)
async def test_a_token_ends(replicas, terms, found, spent) -> None:
    one, other = replicas
    name = await one.create_token(terms, NOBODY)
    token = await token_of(other, name)
    await asyncio.sleep(0.1)
    refused = await other.find_token(name)
    assert (None if isinstance(refused, Token) else refused) is found
    assert await one.spend(token) is spent


async def test_a_key_makes_so_many_tokens_and_takes_no_room_from_another(replicas) -> None:
    one, other = replicas
    for store in replicas:
        await store.create_token(Terms(usable_s=0.2), KEY)
    with pytest.raises(TokensFullError):
        await other.create_token(Terms(), KEY)
    await other.create_token(Terms(), NOBODY)
    await asyncio.sleep(0.25)
    await one.create_token(Terms(), KEY)


async def test_the_last_use_is_taken_once_by_whoever_is_first(replicas) -> None:
    for number in range(50):
        name = await replicas[0].create_token(Terms(), Principal("key", f"key:{number}"))
        tokens = [await token_of(store, name) for store in replicas]
        taken = await asyncio.gather(
            *(store.spend(token) for store, token in zip(replicas, tokens, strict=True))
        )
        assert sorted(taken, key=str) == sorted([None, SPENT], key=str)


async def remember(store: SessionStore, session: ResumableSession) -> str:
    """A handle of a session that a connection here has."""
    snapshots = store.snapshots(session)
    if snapshots is None:
        store.note("handle", session)
        return "handle"
    handle = await snapshots.put("models/local", b"history", {})
    assert handle is not None
    return handle


async def test_who_resumes_a_session_ends_the_connection_that_had_it(replicas) -> None:
    one, other = replicas
    session, ended = ResumableSession("key:ab", used_s=5.0, video_at_s=2.0), asyncio.Event()
    await one.claim(session, ended.set)
    handle = await remember(one, session)
    found = await other.find("key:ab", handle)
    assert found is not None
    assert await other.find("key:cd", handle) is None
    assert found.used_s >= 5.0
    assert (found.video_at_s, found.warned) == (2.0, False)
    assert not ended.is_set()
    later = asyncio.Event()
    await other.claim(found, later.set)
    async with asyncio.timeout(20):
        await ended.wait()
    assert not later.is_set()
    await one.leave(session, ended.set)
    again = await one.find("key:ab", handle)
    assert again is not None
    await one.claim(again, lambda: None)
    async with asyncio.timeout(20):
        await later.wait()


async def test_a_key_has_so_many_places_on_all_replicas(replicas) -> None:
    one, other = replicas
    first = await one.take_place("key:ab", 2)
    assert first is not None
    assert await other.take_place("key:ab/token:12", 2) is not None
    assert await other.take_place("key:ab", 2) is None
    assert await other.take_place("key:cd", 2) is not None
    await one.give_back(first)
    assert await other.take_place("key:ab", 2) is not None
