"""Wrong keys and tokens are counted, told in the log once in a while, and answered ever slower."""

import asyncio
import json
import logging
import time
from collections import Counter
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import WebSocketException

from live_cli.net.server.access.refusal_log import EVERY_S, RefusalLog
from live_cli.net.server.access.wrong_keys import (
    LONGEST_DELAY_S,
    MOST_WAITING,
    WrongKeyRate,
    network_of,
)
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.stats.prometheus import PrometheusCounts
from tests.harness.live_client import PATH, SETUP, ending, set_up
from tests.harness.live_server import LiveServer, running_server

KEY: Final = "the-right-key-of-the-owner"
LOCAL: Final = "host: localhost"
RIGHT: Final = {"x-goog-api-key": KEY}
CONSTRAINED: Final = PATH.replace("v1beta", "v1alpha") + "Constrained"
BURST: Final = int(Limits().wrong_keys_per_min)
WRONG: Final[list[tuple[str, str, str]]] = [
    ("GET", "/v1beta/models", "x-goog-api-key: guess"),
    ("GET", "/v1beta/models/x?key=guess", "accept: */*"),
    ("POST", "/v1alpha/auth_tokens", "authorization: Bearer guess"),
    ("GET", "/metrics", "x-goog-api-key: guess"),
    ("GET", "/metrics", "accept: */*"),
]


async def asked(server: LiveServer, method: str, path: str, *headers: str) -> int:
    """The status of the answer, 0 where the connection was cut without one."""
    try:
        return (await server.ask(method, path, LOCAL, *headers))[0]
    except (ConnectionError, IndexError):
        return 0


async def shown(server: LiveServer, path: str, headers: dict[str, str]) -> int:
    """The close code that credentials get, 0 where the connection was cut without one."""
    try:
        async with server.connect(path, additional_headers=headers) as client:
            await client.send(json.dumps(SETUP))
            return (await ending(client))[0]
    except (ConnectionError, WebSocketException, EOFError):
        return 0


async def first_answer_s(server: LiveServer) -> float:
    """How long a session with the right key takes to open."""
    begun = time.monotonic()
    async with server.connect(additional_headers=RIGHT) as client:
        await set_up(client)
        return time.monotonic() - begun


async def finished(tasks: list[asyncio.Task[int]], count: int) -> Counter[int]:
    """The outcomes of the tasks, once ``count`` of them are there."""
    pending = set(tasks)
    async with asyncio.timeout(60):
        while len(tasks) - len(pending) < count:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    return Counter(task.result() for task in tasks if task.done())


@pytest.mark.parametrize("way", ["key", "token", "rest"])
async def test_a_flood_of_wrong_keys_is_hardly_answered_and_the_owner_is_served(way: str) -> None:
    """The canary is the owner, from the same address, while answers wait."""
    async with running_server(keys=[KEY], counts=PrometheusCounts()) as server:

        def attempt(number: int) -> Any:
            if way == "rest":
                method, path, header = WRONG[number % len(WRONG)]
                return asked(server, method, path, header)
            if way == "token":
                return shown(server, f"{CONSTRAINED}?access_token=auth_tokens/{number}", {})
            return shown(server, PATH, {"x-goog-api-key": f"guess{number}"})

        tasks = [asyncio.create_task(attempt(number)) for number in range(80)]
        outcomes = await finished(tasks, 80 - MOST_WAITING)
        waiting = [task for task in tasks if not task.done()]
        assert outcomes[0] == 80 - BURST - MOST_WAITING
        assert len(waiting) == MOST_WAITING
        for _ in range(3):
            assert await first_answer_s(server) < LONGEST_DELAY_S
            assert await asked(server, "GET", "/v1beta/models", f"x-goog-api-key: {KEY}") == 200
        assert not any(task.done() for task in waiting)  # the owner did not wait for them
        assert 0 not in await finished(tasks, 80) - Counter({0: outcomes[0]})


async def test_those_who_wait_are_let_go_when_the_server_stops() -> None:
    async with running_server(keys=[KEY], limits=Limits(wrong_keys_per_min=1)) as server:
        tasks = [
            asyncio.create_task(asked(server, "GET", "/metrics", "x-goog-api-key: guess"))
            for _ in range(3)
        ]
        await finished(tasks, 1)
    await asyncio.wait(tasks)


async def test_without_a_limit_all_are_answered() -> None:
    async with running_server(keys=[KEY], limits=Limits(wrong_keys_per_min=0)) as server:
        tasks = [
            asyncio.create_task(asked(server, "GET", "/v1beta/models", "x-goog-api-key: guess"))
            for _ in range(40)
        ]
        assert await finished(tasks, 40) == {400: 40}


async def test_every_refusal_of_either_kind_is_in_the_metrics() -> None:
    async with running_server(keys=[KEY], counts=PrometheusCounts()) as server:
        for method, path, header in WRONG:
            assert await asked(server, method, path, header) in (400, 403)
        assert await asked(server, "GET", "/v1/models", "origin: https://evil.example") == 403
        assert await shown(server, PATH, {"x-goog-api-key": "guess"}) == 1007
        assert await shown(server, f"{CONSTRAINED}?access_token=auth_tokens/0", {}) == 1008
        _, _, text = await server.ask("GET", "/metrics", LOCAL, f"x-goog-api-key: {KEY}")
    counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if "refused_total{" in line)
    assert {name.split('"')[1]: float(count) for name, count in counted.items()} == {
        "key": len(WRONG) + 1,
        "origin": 1,
        "token": 1,
    }


async def test_the_log_tells_a_flood_in_few_lines_and_no_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with running_server(keys=[KEY], limits=Limits(wrong_keys_per_min=0)) as server:
        for number in range(30):
            await asked(server, "GET", "/v1/models", f"x-goog-api-key: guess{number}")
            await shown(server, PATH, {"x-goog-api-key": f"guess{number}"})
        await shown(server, f"{CONSTRAINED}?access_token=auth_tokens/0", {})
    lines = [each.getMessage() for each in caplog.records if "refused" in each.getMessage()]
    assert len(lines) == 3  # the first key, the first token, and at the end all others
    assert "127.0.0.1" in lines[0]
    assert "59 more times" in lines[-1]
    assert "guess" not in caplog.text


def test_the_log_has_a_line_a_minute_for_each_address_and_few_for_very_many() -> None:
    log, why = RefusalLog(), CloseReason(1007, "no", "key")
    lines = [log.note("a", why, now=at / 100) for at in range(5000)]
    assert [line is not None for line in lines] == [True] + [False] * 4999
    assert log.due(50.0) == []
    assert log.due(EVERY_S) == ["refused a 4999 more times in 60 s: 1007 'no'"]
    assert log.due(2 * EVERY_S) == []
    assert log.is_empty
    lines = [log.note(f"10.0.{n % 250}.{n // 250}", why, now=200.0) for n in range(50_000)]
    assert sum(line is not None for line in lines) < 300
    assert sum("more times" in line for line in log.due(300.0)) < 300


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 20)), max_size=200),
    st.sampled_from([1.0, 10.0, 60.0]),
)
def test_the_rate_holds_for_any_order_of_attempts(
    attempts: list[tuple[str, float]], per_min: float
) -> None:
    """At once: the reserve and what is refilled; late: five seconds at most, four at a time."""
    rate, now, waiting = WrongKeyRate(per_min), 1000.0, Counter[str]()
    ends: list[tuple[float, str]] = []
    at_once = Counter[str]()
    for address, after in attempts:
        now += after
        for end in [each for each in ends if each[0] <= now]:
            ends.remove(end)
            waiting[end[1]] -= 1
            rate.answered(end[1])
        delay_s = rate.delay_s(address, now)
        if delay_s is None:
            assert waiting[address] == MOST_WAITING
        elif delay_s == 0:
            at_once[address] += 1
            assert at_once[address] <= per_min * (1 + (now - 1000.0) / 60) + 1
        else:
            assert 0 < delay_s <= LONGEST_DELAY_S
            waiting[address] += 1
            ends.append((now + delay_s, address))
        assert max(waiting.values(), default=0) <= MOST_WAITING


def test_an_address_is_as_good_as_new_a_little_over_a_minute_after_the_longest_attack() -> None:
    rate = WrongKeyRate(10)
    for at in range(36_000):
        if rate.delay_s("a", at / 10):
            rate.answered("a")
    after = 3600 + 60 + LONGEST_DELAY_S
    assert [rate.delay_s("a", after) for _ in range(10)] == [0.0] * 10


def test_very_many_addresses_do_not_grow_the_table_nor_wait_all_at_once() -> None:
    rate = WrongKeyRate(1)
    delays = [rate.delay_s(f"10.{n % 50_000}", 0.0) for n in range(150_000)]
    assert len(rate._paid_at) <= 4096
    rate = WrongKeyRate(1)
    delays = [rate.delay_s(f"10.{n % 1000}", 0.0) for n in range(5000)]
    assert sum(bool(delay) for delay in delays) <= 64


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_whoever_has_many_ipv6_addresses_counts_once(address: str, network: str) -> None:
    assert network_of(address) == network
