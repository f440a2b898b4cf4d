"""What a session leaves behind is its principal's: a key's, a token's, or nobody's."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.conversation.handles import Handles
from live_cli.engine.conversation.history.history import ContextWindow, History
from live_cli.engine.engine import LiveEngine
from live_cli.errors import UnsupportedError
from live_cli.fair_share import OWNER, account_of, largest_holder
from live_cli.net.server.access.principal import (
    NOBODY,
    digest_of,
    principal_of_key,
    principal_of_token,
)
from live_cli.net.server.close_reason import RESUMED_ELSEWHERE
from live_cli.net.server.limits.lifetime import ResumableSession, ResumableSessions
from live_cli.net.server.limits.limits import Limits
from tests.harness.live_client import PATH, ending, receive, said, say
from tests.harness.live_server import LiveServer, running_server
from tests.harness.scripted_session import ScriptedRegistry

CONSTRAINED: Final = PATH.replace("v1beta", "v1alpha") + "Constrained"
FIRST, SECOND = "the-first-key-of-all", "the-key-of-another"
TEXT: Final = {"generationConfig": {"responseModalities": ["TEXT"]}}
INVENTED: Final = "a-handle-that-nobody-got"


@dataclass
class Caller:
    """Who connects: the path and the headers that show a key, a token or nothing."""

    path: str
    headers: dict[str, str]

    def connect(self, server: LiveServer) -> Any:
        return server.connect(self.path, additional_headers=self.headers)


def key(name: str) -> Caller:
    return Caller(PATH, {"x-goog-api-key": name})


async def token(server: LiveServer, of: str | None = FIRST, **terms: Any) -> Caller:
    status, name = await made(server, of, uses=0, **terms)
    assert status == 200
    return Caller(f"{CONSTRAINED}?access_token={name}", {})


async def made(server: LiveServer, of: str | None, **terms: Any) -> tuple[int, str]:
    """The status of a request for a token, and the token's name."""
    headers = ["host: localhost", *([f"x-goog-api-key: {of}"] if of else [])]
    body = json.dumps(terms).encode()
    status, _, answer = await server.ask("POST", "/v1alpha/auth_tokens", *headers, body=body)
    return status, json.loads(answer).get("name", "")


async def begin(client: ClientConnection, handle: str | None = None) -> dict[str, Any]:
    resumption = {"handle": handle} if handle else {}
    setup = {"model": "models/local", **TEXT, "sessionResumption": resumption}
    await client.send(json.dumps({"setup": setup}))
    return await receive(client)


async def handle_of(client: ClientConnection) -> str:
    """The handle of a turn that was asked for."""
    await client.send(say("remember this"))
    while True:
        update = (await receive(client)).get("sessionResumptionUpdate", {})
        if update.get("resumable"):
            handle: str = update["newHandle"]
            return handle


async def refusal(server: LiveServer, who: Caller, handle: str) -> tuple[int, str]:
    async with who.connect(server) as client:
        resumption = {"sessionResumption": {"handle": handle}}
        setup = {"model": "models/local", **TEXT, **resumption}
        await client.send(json.dumps({"setup": setup}))
        return await ending(client)


@pytest.fixture
async def engine() -> AsyncIterator[LiveEngine]:
    """The real engine, on scripted stages."""
    engine = LiveEngine(registry=ScriptedRegistry())
    yield engine
    await engine.close()


async def callers(server: LiveServer) -> dict[str, Caller]:
    return {
        "first": key(FIRST),
        "second": key(SECOND),
        "token": await token(server),
        "other token": await token(server),
        "token of second": await token(server, SECOND),
    }


@pytest.mark.parametrize("owner", ["first", "second", "token", "other token", "token of second"])
async def test_anothers_handle_is_an_unknown_one_and_its_owner_goes_on(
    engine: LiveEngine, owner: str
) -> None:
    async with running_server(engine, keys=[FIRST, SECOND]) as server:
        everybody = await callers(server)
        own = everybody.pop(owner)
        async with own.connect(server) as open_session:
            assert "setupComplete" in await begin(open_session)
            handle = await handle_of(open_session)
            for name, other in everybody.items():
                stolen = await refusal(server, other, handle)
                assert stolen == await refusal(server, other, INVENTED), name
                assert stolen[0] == 1008
                assert await handle_of(open_session) != handle  # it goes on, and answers
            async with own.connect(server) as again:
                assert "setupComplete" in await begin(again, handle)
                closed = await ending(open_session)
                assert closed == (RESUMED_ELSEWHERE.code, RESUMED_ELSEWHERE.reason)


async def test_a_tokens_handle_is_none_of_nobodys_on_an_open_server(engine: LiveEngine) -> None:
    async with running_server(engine) as server:
        nobody, holder = Caller(PATH, {}), await token(server, None)
        anybody = Caller(PATH, {"x-goog-api-key": "whatever"})
        async with holder.connect(server) as its, nobody.connect(server) as ours:
            await begin(its)
            await begin(ours)
            its_handle, our_handle = await handle_of(its), await handle_of(ours)
            assert (await refusal(server, nobody, its_handle))[0] == 1008
            assert (await refusal(server, holder, our_handle))[0] == 1008
            async with anybody.connect(server) as again:  # one principal, whatever it shows
                assert "setupComplete" in await begin(again, our_handle)
            await handle_of(its)


async def test_a_refused_thief_uses_up_nothing_of_the_owners_session() -> None:
    """Before the engine is asked at all: the session that a handle stands for is not found."""
    async with (
        running_server(keys=[FIRST, SECOND]) as server,
        key(FIRST).connect(server) as owner,
    ):
        await begin(owner)
        await owner.send(say("handle h1"))
        await receive(owner)
        async with key(SECOND).connect(server) as thief:
            assert "setupComplete" in await begin(thief, "h1")  # this engine knows no handles
            await owner.send(say("still here"))
            assert said(await receive(owner)) == "still here"
            await thief.send(say("handle h1"))  # and its own of that name is its own
            await receive(thief)
        async with key(FIRST).connect(server) as again:
            await begin(again, "h1")
            assert (await ending(owner))[0] == RESUMED_ELSEWHERE.code


# --- shares ------------------------------------------------------------------------------------


async def test_a_flood_of_sessions_takes_no_place_from_another_principal() -> None:
    """Five thousand handles of a token over a socket; the canary is the owner's one."""
    async with running_server(keys=[FIRST]) as server:
        flooding = await token(server)
        async with key(FIRST).connect(server) as owner:
            await begin(owner)
            await owner.send(say("handle mine"))
            await receive(owner)
            async with flooding.connect(server) as flood:
                await begin(flood)
                for start in range(0, 5000, 500):
                    for number in range(start, start + 500):
                        await flood.send(say(f"handle {number}"))
                    for _ in range(500):
                        await receive(flood)
            async with key(FIRST).connect(server) as again:
                await begin(again, "mine")
                assert (await ending(owner))[0] == RESUMED_ELSEWHERE.code


def engine_store() -> tuple[Callable[[str], str], Callable[[str, str], bool]]:
    handles, snapshot = Handles(), History("", ContextWindow(1000)).snapshot()

    def keep(principal: str) -> str:
        return handles.issue(principal, "local", snapshot, now=0.0)

    def knows(principal: str, handle: str) -> bool:
        with contextlib.suppress(UnsupportedError):
            handles.snapshot_of(principal, handle, "local", now=1.0)
            return True
        return False

    return keep, knows


def server_store() -> tuple[Callable[[str], str], Callable[[str, str], bool]]:
    sessions, issued = ResumableSessions(most=1000), iter(range(10**6))

    def keep(principal: str) -> str:
        handle = str(next(issued))
        sessions.note(handle, ResumableSession(principal))
        return handle

    return keep, lambda principal, handle: sessions.find(principal, handle) is not None


@pytest.mark.parametrize("store", [engine_store, server_store])
@pytest.mark.parametrize(
    "flood",
    [
        lambda n: "key:2",
        lambda n: "/token:a",
        lambda n: f"key:2/token:{n}",
        lambda n: f"key:2/token:{n % 400}",
    ],
)
def test_whoever_keeps_most_makes_room(store: Any, flood: Callable[[int], str]) -> None:
    keep, knows = store()
    mine = [(who, keep(who)) for who in [OWNER, "key:3", "key:3/token:x"] for _ in range(20)]
    theirs = [(flood(n), keep(flood(n))) for n in range(2500)]
    assert all(knows(*one) for one in mine)
    assert sum(knows(*one) for one in theirs) == 1000 - len(mine)
    assert knows(*theirs[-1])
    assert not any(knows(who + "x", handle) for who, handle in mine)


@given(
    st.dictionaries(
        st.sampled_from(["", "/token:1", "/token:2", "key:a", "key:a/token:1", "key:b/token:1"]),
        st.integers(1, 50),
        min_size=1,
    )
)
def test_nobody_within_its_share_makes_room(held: dict[str, int]) -> None:
    loser = largest_holder(held)
    accounts = Counter[str]()
    for principal, amount in held.items():
        accounts[account_of(principal)] += amount
    assert accounts[account_of(loser)] == max(accounts.values())
    members = [amount for name, amount in held.items() if account_of(name) == account_of(loser)]
    assert held[loser] == max(members)


async def test_one_key_that_makes_a_thousand_tokens_leaves_another_its_own() -> None:
    async with running_server(keys=[FIRST, SECOND], limits=Limits(tokens=20)) as server:
        mine = await token(server)
        statuses = [(await made(server, SECOND))[0] for _ in range(30)]
        assert statuses == [200] * 20 + [429] * 10
        assert (await made(server, FIRST))[0] == 200
        async with mine.connect(server) as client:
            assert "setupComplete" in await begin(client)


async def test_a_token_without_a_limit_cannot_take_the_last_place() -> None:
    async with (
        running_server(keys=[FIRST], limits=Limits(sessions=3)) as server,
        contextlib.AsyncExitStack() as opened,
    ):
        holder = await token(server)
        for _ in range(2):
            client = await opened.enter_async_context(holder.connect(server))
            assert "setupComplete" in await begin(client)
        async with holder.connect(server) as refused:
            assert (await ending(refused))[0] == 1013
        async with key(FIRST).connect(server) as owner:
            assert "setupComplete" in await begin(owner)


# --- the engine's name for a principal ---------------------------------------------------------


async def test_the_chat_model_is_told_whose_a_request_is() -> None:
    chat = ScriptedChatModel(["Yes."])
    read_ahead: list[str] = []
    chat.prefill = lambda messages, tools=(), salt="": read_ahead.append(salt)  # type: ignore[method-assign]
    engine = LiveEngine(registry=ScriptedRegistry(chat=chat))
    salts: list[str] = []
    async with running_server(engine, keys=[FIRST, SECOND]) as server:
        for who in (await callers(server)).values():
            chat.requests.clear()
            read_ahead.clear()
            async with who.connect(server) as client:
                setup = {"model": "models/local", "systemInstruction": {"parts": [{"text": "x"}]}}
                await client.send(json.dumps({"setup": {**setup, **TEXT, "sessionResumption": {}}}))
                await receive(client)
                await handle_of(client)
            (salt,) = {request.salt for request in chat.requests}
            assert salt in read_ahead
            assert set(read_ahead) <= {salt, *salts[-1:]}  # after the answer to the one before
            salts.append(salt)
    await engine.close()
    assert salts[0] == OWNER
    assert len(set(salts)) == len(salts)
    assert account_of(salts[4]) == salts[1]
    assert not any(name in "".join(salts) for name in (FIRST, SECOND))


def test_a_principal_shows_no_credential() -> None:
    second = principal_of_key(SECOND, is_first=False)
    holder = principal_of_token(digest_of("auth_tokens/secret"), second)
    assert principal_of_key(FIRST, is_first=True).id == NOBODY.id == OWNER
    assert holder.id.startswith(f"{second.id}/")
    for one in (second, holder):
        assert SECOND not in repr(one)
        assert "secret" not in repr(one)


async def test_two_who_resume_at_once_are_told_apart(engine: LiveEngine) -> None:
    """A flood of thefts beside the owner's own session, which answers through all of it."""
    async with (
        running_server(engine, keys=[FIRST, SECOND]) as server,
        key(FIRST).connect(server) as owner,
    ):
        await begin(owner)
        handle = await handle_of(owner)
        thefts = [asyncio.create_task(refusal(server, key(SECOND), handle)) for _ in range(10)]
        for _ in range(5):
            await handle_of(owner)
        assert {code for code, _ in await asyncio.gather(*thefts)} == {1008}
        await handle_of(owner)
