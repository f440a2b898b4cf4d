"""The store in Redis alone: what it keeps and for how long, zombies, and a server that is away."""

import asyncio
import hashlib
import json
import logging

import pytest
import redis

from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.tokens import Terms
from live_cli.net.server.limits.lifetime import ResumableSession
from live_cli.net.server.store import redis as redis_store_module
from live_cli.net.server.store.redis import RedisStore
from live_cli.net.server.store.session_store import STORE_AWAY, StoreAwayError
from tests.harness.live_client import ending
from tests.harness.redis_server import RedisServer
from tests.net.server.access.test_server_tokens import asked, opened_with
from tests.net.server.store.test_replicas import LOG, answered, opened, replicas

WITHIN_S = 20.0


def store_of(server: RedisServer, most_bytes: int = 1_000_000, **options: object) -> RedisStore:
    return RedisStore(server.url, most_tokens=9, most_bytes=most_bytes, log=LOG, **options)  # type: ignore[arg-type]


async def session_in(store: RedisStore, principal: str = "key:ab") -> ResumableSession:
    session = ResumableSession(principal)
    await store.claim(session, lambda: None)
    return session


def image(number: int, size: int) -> dict[bytes, bytes]:
    data = number.to_bytes(4, "big") * (size // 4)
    return {hashlib.sha256(data).digest(): data}


async def test_no_handle_no_token_and_no_key_is_kept_as_it_is(redis_server: RedisServer) -> None:
    store = store_of(redis_server)
    handle = await store.put(await session_in(store), "models/local", b"history", image(1, 64))
    token = await store.create_token(Terms(), Principal("key", "key:ab"))
    assert handle is not None
    client = redis.Redis(port=redis_server.port)
    kept = b""
    for key in client.scan_iter():
        kept += key + repr(client.execute_command("DUMP", key)).encode()
        assert 0 < client.pttl(key) <= 2 * 2 * 3600 * 1000, key
    assert handle.encode() not in kept
    assert token.partition("/")[2].encode() not in kept
    client.close()
    await store.close()


async def test_images_make_room_first_and_each_key_has_its_own(redis_server: RedisServer) -> None:
    store = store_of(redis_server, most_bytes=100_000)
    other = await store.put(await session_in(store, "key:cd"), "m", b"theirs", image(0, 40_000))
    assert other is not None
    own = await session_in(store)
    handles = [
        await store.put(own, "m", b"words %d" % number, image(number, 30_000))
        for number in range(1, 9)
    ]
    found = [await store.get("key:ab", handle) for handle in handles if handle]
    assert [data for _, data, _ in filter(None, found)] == [b"words %d" % n for n in range(1, 9)]
    left = [len(images) for _, _, images in filter(None, found)]
    assert left == [0] * 5 + [1] * 3
    by_token = await session_in(store, "key:ab/token:12")
    many = [await store.put(by_token, "m", b"x" * 20_000, {}) for _ in range(20)]
    assert await store.get("key:ab", str(handles[-1])) is not None  # the token makes room itself
    assert [await store.get("key:ab/token:12", str(each)) for each in many[:10]] == [None] * 10
    assert await store.get("key:ab/token:12", str(many[-1])) is not None
    theirs = await store.get("key:cd", other)
    assert theirs is not None
    assert len(theirs[2]) == 1
    client = redis.Redis(port=redis_server.port)
    held = client.hgetall("live-cli:held:key:ab")
    assert 0 < sum(map(int, held.values())) <= 100_000
    client.close()
    await store.close()


async def test_a_zombie_writes_nothing_and_is_ended(redis_server: RedisServer) -> None:
    """Who was cut off when its session was claimed elsewhere, and did not hear of it."""
    zombie, living = store_of(redis_server), store_of(redis_server)
    session, ended = ResumableSession("key:ab"), asyncio.Event()
    await zombie.claim(session, ended.set)
    handle = await zombie.put(session, "m", b"old", {})
    assert handle is not None
    found = await living.find("key:ab", handle)
    assert found is not None
    await living.claim(found, lambda: None)
    client = redis.Redis(port=redis_server.port)
    before = set(client.scan_iter())
    assert not ended.is_set()  # nobody watches
    assert await zombie.put(session, "m", b"newer than the claim", {}) is None
    assert ended.is_set()
    await zombie.leave(session, ended.set)
    assert set(client.scan_iter()) == before
    newer = await living.put(found, "m", b"new", {})
    assert newer is not None
    client.close()
    for store in (zombie, living):
        await store.close()


async def test_a_claim_that_was_missed_is_noticed_once_the_store_is_back(
    redis_server: RedisServer,
) -> None:
    here, there = store_of(redis_server), store_of(redis_server)
    session, ended = ResumableSession("key:ab"), asyncio.Event()
    await here.claim(session, ended.set)
    handle = await here.put(session, "m", b"old", {})
    found = await there.find("key:ab", str(handle))
    assert found is not None
    await there.claim(found, lambda: None)
    watch = asyncio.create_task(here.watch())
    async with asyncio.timeout(WITHIN_S):
        await ended.wait()
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    for store in (here, there):
        await store.close()


async def test_places_of_a_dead_replica_expire(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store_module, "_PLACE_MS", 600)
    monkeypatch.setattr(redis_store_module, "_HEARTBEAT_S", 0.1)
    dead, living = store_of(redis_server), store_of(redis_server)
    watch = asyncio.create_task(living.watch())
    assert await dead.take_place("key:ab", 2) is not None
    assert await living.take_place("key:ab", 2) is not None
    assert await living.take_place("key:ab", 2) is None
    async with asyncio.timeout(WITHIN_S):
        while await living.take_place("key:ab", 2) is None:  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.05)
    assert await living.take_place("key:ab", 2) is None  # those that are held stay
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    for store in (dead, living):
        await store.close()


async def test_sessions_go_on_while_the_store_is_away_and_it_comes_back(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with replicas(redis_server) as (one, other), one.connect() as client:
        await opened(client)
        _, update = await answered(client, "First.")
        old = update["newHandle"]
        _, body = await asked(one)
        redis_server.kill()
        answer, update = await answered(client, "Second.")
        assert (answer, update) == ("You said: Second.", {})
        assert await one.get("/readyz") == (200, "ready, degraded: the store does not answer\n")
        assert await opened_with(one, body["name"]) == (1013, STORE_AWAY.reason)
        status, refused = await asked(one)
        assert (status, refused["error"]["message"]) == (503, STORE_AWAY.reason)
        async with other.connect() as resuming:
            await resuming.send('{"setup": {"model": "m", "sessionResumption": {"handle": "h"}}}')
            assert await ending(resuming) == (1013, STORE_AWAY.reason)
        async with other.connect() as unconstrained:
            await opened(unconstrained)
        redis_server.start()
        async with asyncio.timeout(WITHIN_S):
            while (await one.get("/readyz"))[1] != "ready\n":  # noqa: ASYNC110 - another process tells
                await asyncio.sleep(0.1)
            while not (await answered(client, "Third."))[1].get("resumable"):  # noqa: ASYNC110 - another process tells
                await asyncio.sleep(0.1)
        async with other.connect() as lost:
            asked_for = {"model": "models/local", "sessionResumption": {"handle": old}}
            await lost.send(json.dumps({"setup": asked_for}))
            assert (await ending(lost))[0] == 1008  # that Redis kept nothing on a disk
    said = [record for record in caplog.records if "the store" in record.getMessage()]
    assert {record.levelno for record in said} == {logging.WARNING}


async def test_a_password_is_asked_for_and_never_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = RedisServer("--requirepass", "s3cret-pass")
    for password, away in (("s3cret-pass", False), ("wrong-pass", True)):
        store = store_of(server, password=password)
        try:
            await store.create_token(Terms(), Principal("key", "k"))
        except StoreAwayError:
            assert away
        assert store.is_away is away
        await store.close()
    assert "pass" not in caplog.text.lower().replace("does not answer", "")
    server.kill()
