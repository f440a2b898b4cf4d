"""A client that meets a failing server: it comes back in pauses that grow, and it ends.

The rule alone, for any order of failures; then over real sockets against each kind of failing
server, in time that the pauses alone make pass: the fastest that a client can come back.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.net.client.reconnect_policy import LONGEST_PAUSE_S, ReconnectPolicy
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.net.client.retry_after import seconds_in_header, seconds_in_reason
from live_cli.net.close_codes import explain
from live_cli.protocol import compose
from live_cli.protocol.events import (
    Event,
    Reconnecting,
    SessionClosed,
    SessionOpened,
    TextChunk,
    TurnComplete,
)
from live_cli.protocol.messages import SessionResumptionConfig, Setup
from tests.harness import mean_server as mean
from tests.harness.command import live_cli
from tests.harness.mean_server import DONE, PING, Caller, MeanServer, Script, frame, handle, text
from tests.harness.speech import QUESTION

A_MINUTE: Final = 30
"""Attempts in any minute, at most; a server that accepts and closes was met with 38,400."""
LIMIT_S: Final = 300.0
WITHIN_S: Final = 60.0  # a bound on waiting, not a measure
SETUP: Final = Setup(model="models/m", session_resumption=SessionResumptionConfig())


def most_in_a_minute(attempts: list[float]) -> int:
    return max(
        (sum(0 <= later - first < 60 for later in attempts) for first in attempts), default=0
    )


# --- the rule --------------------------------------------------------------------------------

SECONDS = st.floats(0, 100) | st.sampled_from([0.0, 9.99, 10.0, 10.01, 59.9, 60.0, 61.0])
WAITS = st.none() | st.floats(0, 1000)
PASSED = st.tuples(st.just("failed"), st.floats(0, 20), st.booleans(), st.booleans(), WAITS)
LIVED = st.tuples(st.just("lived"), SECONDS, st.booleans(), st.booleans(), WAITS)


@given(
    fates=st.lists(PASSED | LIVED, min_size=30, max_size=150),
    draws=st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_in_any_minute_attempts_are_few_whatever_the_connections_do(
    fates: list[tuple[str, float, bool, bool, float | None]], draws: list[float]
) -> None:
    now, at = 0.0, []
    chance = itertools.cycle(draws)
    policy = ReconnectPolicy(now, limit_s=1e9, random=lambda: next(chance))
    policy.lost(now)
    for fate, seconds, turn, unanswered, wait_s in fates:
        pause_s = policy.next_pause(now, wait_s)
        assert pause_s is not None
        assert pause_s >= (wait_s or 0.0) - 1e-6
        now += pause_s
        at.append(now)
        if fate == "failed":
            now += seconds
            policy.failed(now)
            continue
        policy.connected(now)
        now += seconds
        if turn:
            policy.turn_completed(answers=not unanswered)
        policy.lost(now, unanswered=unanswered)
    assert most_in_a_minute(at) <= A_MINUTE


@pytest.mark.parametrize(("lived_s", "attempts"), [(10.0, 25), (0.0, 8)])
def test_the_fastest_that_a_server_can_make_a_client_come_back(
    lived_s: float, attempts: int
) -> None:
    """A turn each time, and the shortest pauses; a reset as soon as one is to be had, or never."""
    best = 0
    for burst in range(1, 12):
        now, at = 0.0, []
        policy = ReconnectPolicy(now, limit_s=1e9, random=lambda: 1.0)
        policy.lost(now)
        for number in range(1, 200):
            now += policy.next_pause(now) or 0.0
            at.append(now)
            policy.connected(now)
            policy.turn_completed(answers=True)
            now += lived_s if number % burst == 0 else 0.0
            policy.lost(now)
        best = max(best, most_in_a_minute(at))
    assert best == pytest.approx(attempts, abs=2)


def pauses(count: int, draw: float) -> list[float]:
    policy, now, taken = ReconnectPolicy(0.0, limit_s=1e9, random=lambda: draw), 0.0, []
    policy.lost(now)
    for _ in range(count):
        taken.append(policy.next_pause(now) or 0.0)
        now += taken[-1]
        policy.failed(now)
    return taken


def test_pauses_grow_to_a_minute_less_a_part_that_is_random() -> None:
    assert pauses(10, 0.0) == [0, 0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert pauses(10, 1.0) == [0, 0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pauses(2000, 0.0)[-1] == LONGEST_PAUSE_S


def test_clients_that_lost_one_server_together_do_not_come_back_together() -> None:
    seconds = []
    for _ in range(40):
        policy = ReconnectPolicy(0.0)
        policy.lost(0.0)
        for _ in range(6):
            pause_s = policy.next_pause(0.0)
        seconds.append(pause_s)
    assert len(set(seconds)) == 40
    assert all(second is not None and 4.0 <= second <= 8.0 for second in seconds)
    assert max(filter(None, seconds)) - min(filter(None, seconds)) > 1.0


@pytest.mark.parametrize(
    ("lived_s", "turn", "unanswered", "begins_anew"),
    [
        (9.9, True, False, False),
        (10.0, True, False, True),
        (10.0, True, True, True),
        (59.9, False, False, False),
        (60.0, False, False, True),
        (60.0, False, True, False),
        (6000.0, False, True, False),
        (0.0, True, False, False),
    ],
)
def test_only_a_connection_of_use_begins_the_pauses_anew(
    lived_s: float, turn: bool, unanswered: bool, begins_anew: bool
) -> None:
    policy = ReconnectPolicy(0.0, limit_s=1e9, random=lambda: 0.0)
    policy.lost(0.0)
    for _ in range(6):
        policy.next_pause(0.0)
    policy.connected(100.0)
    if turn:
        policy.turn_completed(answers=False)
    policy.lost(100.0 + lived_s, unanswered=unanswered)
    assert policy.next_pause(100.0 + lived_s) == (0.0 if begins_anew else 16.0)


@given(
    limit_s=st.floats(1, 5000),
    fates=st.lists(st.tuples(st.floats(0, 40), st.booleans(), st.booleans(), WAITS), max_size=400),
    draw=st.floats(0, 1),
)
def test_what_is_of_no_use_ends_in_time(
    limit_s: float, fates: list[tuple[float, bool, bool, float | None]], draw: float
) -> None:
    now = 0.0
    policy = ReconnectPolicy(now, limit_s=limit_s, random=lambda: draw)
    policy.lost(now)
    for seconds, connects, turn, wait_s in itertools.chain(
        fates, itertools.repeat((0.0, False, False, None))
    ):
        pause_s = policy.next_pause(now, wait_s)
        if pause_s is None:
            break
        now += pause_s
        assert now <= limit_s
        if not connects:
            now += seconds
            policy.failed(now)
            continue
        policy.connected(now)
        if turn and seconds < 10:
            policy.turn_completed(answers=False)  # turns that nobody asked for are no progress
        now += seconds
        policy.lost(now)


# --- what servers ask for --------------------------------------------------------------------

NOW: Final = datetime(2026, 11, 29, 8, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("Sun, 29 Nov 2026 08:00:30 GMT", 30.0),
        ("Sunday, 29-Nov-26 08:00:30 GMT", 30.0),
        ("Sun Nov 29 08:00:30 2026", 30.0),
        ("Sun, 29 Nov 2026 08:00:30 -0000", 30.0),
        ("Sun, 29 Nov 2026 09:00:30 +0100", 30.0),
        ("Sun, 29 Nov 2026 07:00:00 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("999999999", 999_999_999.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("+5", None),
        ("1e3", None),
        ("0x10", None),
        ("nan", None),
        ("inf", None),
        ("٣", None),
        ("5 5", None),
        ("5, 10", None),
        ("soon", None),
        ("9" * 400, None),
        ("Sun, 99 Nov 2026 08:00:30 GMT", None),
        ("Sun, 29 Nov 99999999 08:00:30 GMT", None),
        ("\x1b[2J", None),
    ],
)
def test_a_header_is_seconds_or_a_date_or_nothing(
    header: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert seconds_in_header(header, NOW.timestamp()) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, ?\d+ [A-Z][a-z]{2} \d+ \d+:\d+:?\d* ?\S*"))
def test_no_header_breaks_the_client(header: str) -> None:
    seconds = seconds_in_header(header, NOW.timestamp())
    assert seconds is None or seconds >= 0.0


@pytest.mark.parametrize(
    ("reason", "seconds"),
    [
        ("All sessions are in use. Try again in 5 s.", 5.0),
        ("Try again in 1.5 seconds", 1.5),
        ("retry after 30", 30.0),
        ("Retry-After: 12", 12.0),
        ("retryDelay: 34s", 34.0),
        ('"retry_after": "3"', 3.0),
        ("busy, please wait 2 minutes", 120.0),
        ("back in 1 hour", 3600.0),
        ("retry in 250ms", 0.25),
        ("TRY AGAIN IN 5 S", 5.0),
        ("", None),
        ("Try again later.", None),
        ("The limit of 10 minutes is over.", None),
        ("5 of 5 sessions are in use", None),
        ("in 5 years", None),
        ("in -5 s", None),
        ("in ٣ s", None),
        ("wait for it", None),
    ],
)
def test_a_reason_names_a_wait_or_none(reason: str, seconds: float | None) -> None:
    assert seconds_in_reason(reason) == seconds


@given(st.text(max_size=123))
def test_no_reason_breaks_the_client(reason: str) -> None:
    seconds = seconds_in_reason(reason)
    assert seconds is None or seconds >= 0.0


# --- each kind of server ---------------------------------------------------------------------


async def breaks_after_it_opened(caller: Caller) -> None:
    await caller.set_up(handle("h1"))


async def accepts_and_hangs_up(caller: Caller) -> None:
    pass


async def hangs_up_in_order(caller: Caller) -> None:
    caller.writer.write_eof()
    await caller.head()


async def hangs_up_within_the_handshake(caller: Caller) -> None:
    await caller.head()
    caller.writer.write(b"HTTP/1.1 101 Switching Pro")
    await caller.writer.drain()


async def talks_garbage(caller: Caller) -> None:
    await caller.head()
    caller.writer.write(b"\x00\xff\x13SSH-2.0-no\n" * 1000)
    await caller.writer.drain()
    await caller.head()


async def never_ends_its_headers(caller: Caller) -> None:
    await caller.head()
    caller.writer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        caller.writer.write(b"X-Filler: 1\r\n" * 1000)
        await caller.writer.drain()


async def drips_its_headers(caller: Caller) -> None:
    await caller.head()
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n" + b"X" * 1000:
        caller.writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


async def hangs_in_the_handshake(caller: Caller) -> None:
    await caller.head()
    await caller.freeze()


async def hangs_before_setup_complete(caller: Caller) -> None:
    await caller.upgrade()
    await caller.next()
    await caller.freeze()


async def sends_notices_before_setup_complete(caller: Caller) -> None:
    await caller.upgrade()
    await caller.next()
    while True:
        await caller.say(handle("h2"))
        await asyncio.sleep(0.01)


async def goes_away_at_once(caller: Caller) -> None:
    await caller.set_up(handle(f"h{caller.number}"), {"goAway": {"timeLeft": "0s"}})
    await caller.listen()


async def goes_away_and_closes(caller: Caller) -> None:
    await caller.set_up({"goAway": {"timeLeft": "0s"}})
    await caller.close(1000)


async def gives_a_handle_and_refuses_it(caller: Caller) -> None:
    await caller.upgrade()
    setup = (await caller.next())["setup"]
    if "handle" in setup["sessionResumption"]:
        await caller.close(1008, "The session handle is not known.")
        return
    await caller.say(mean.OPEN, handle(f"h{caller.number}"))


async def refuses_all_that_is_resumed_and_all_that_is_new(caller: Caller) -> None:
    await caller.upgrade()
    setup = (await caller.next())["setup"]
    code = 1008 if "handle" in setup["sessionResumption"] else 1011
    await caller.close(code, "")


async def opens_and_resets(caller: Caller) -> None:
    await caller.set_up()


async def ends_turns_that_nobody_asked_for(caller: Caller) -> None:
    await caller.set_up(text("Buy this!"), DONE, handle(f"h{caller.number}"))


def opens_and_closes(code: int, reason: str = "") -> Script:
    async def script(caller: Caller) -> None:
        await caller.set_up()
        await caller.close(code, reason)

    return script


def closes_before_it_opens(code: int, reason: str = "") -> Script:
    async def script(caller: Caller) -> None:
        await caller.upgrade()
        await caller.next()
        await caller.close(code, reason)

    return script


def answers(status: str, *headers: str) -> Script:
    async def script(caller: Caller) -> None:
        await caller.answer(status, *headers)

    return script


async def floods_with_pings(caller: Caller) -> None:
    await caller.set_up()
    while True:
        caller.writer.write(frame(PING) * 10_000)
        await caller.writer.drain()


async def floods_with_pings_before_it_opens(caller: Caller) -> None:
    await caller.upgrade()
    while True:
        caller.writer.write(frame(PING, b"x" * 125) * 1000)
        await caller.writer.drain()


async def breaks_the_protocol_and_stays(caller: Caller) -> None:
    await caller.set_up()
    caller.writer.write(b"\xff" * 20)
    await caller.freeze()


async def says_what_is_no_message(caller: Caller) -> None:
    await caller.upgrade()
    await caller.next()
    await caller.say("hello")
    await caller.listen()


FAILING: dict[str, Script] = {
    "accepts, hangs up": accepts_and_hangs_up,
    "accepts, hangs up in order": hangs_up_in_order,
    "hangs up within the handshake": hangs_up_within_the_handshake,
    "garbage": talks_garbage,
    "headers without end": never_ends_its_headers,
    "headers that drip": drips_its_headers,
    "hangs in the handshake": hangs_in_the_handshake,
    "hangs before setupComplete": hangs_before_setup_complete,
    "notices, no setupComplete": sends_notices_before_setup_complete,
    "goAway of 0 s": goes_away_at_once,
    "goAway, 1000": goes_away_and_closes,
    "every handle refused": gives_a_handle_and_refuses_it,
    "handles refused, new ones fail": refuses_all_that_is_resumed_and_all_that_is_new,
    "opens, resets": opens_and_resets,
    "turns unasked, resets": ends_turns_that_nobody_asked_for,
    "opens, 1006": opens_and_closes(1011, "Deadline expired before operation could complete."),
    "opens, 1011": opens_and_closes(1011),
    "opens, 1012": opens_and_closes(1012),
    "opens, 1013": opens_and_closes(1013, "No room."),
    "1011 for setupComplete": closes_before_it_opens(1011),
    "1013 for setupComplete": closes_before_it_opens(1013, "No room. Try again in 0 s."),
    "1000 for setupComplete": closes_before_it_opens(1000),
    "HTTP 500": answers("500 Internal Server Error"),
    "HTTP 503": answers("503 Service Unavailable"),
    "HTTP 503, Retry-After 0": answers("503 Service Unavailable", "Retry-After: 0"),
    "HTTP 503, Retry-After -1": answers("503 Service Unavailable", "Retry-After: -1"),
    "HTTP 429": answers("429 Too Many Requests"),
    "HTTP 429, a date in the past": answers(
        "429 Too Many Requests", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"
    ),
}
HOPELESS: dict[str, Script] = {
    "HTTP 401": answers("401 Unauthorized"),
    "HTTP 404": answers("404 Not Found"),
    "HTTP 400": answers("400 Bad Request"),
    "HTTP 302": answers("302 Found", "Location: ws://127.0.0.1:1/"),
    "HTTP 200": answers("200 OK"),
    "1008 for setupComplete": closes_before_it_opens(1008, "No."),
    "no message for setupComplete": says_what_is_no_message,
    "pings before setupComplete": floods_with_pings_before_it_opens,
}


class PassingTime:
    """Time that passes in pauses alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now

    @property
    def attempts(self) -> list[float]:
        return [*itertools.accumulate(self.pauses)]


@asynccontextmanager
async def meeting(
    *scripts: Script, goes_on: bool = False
) -> AsyncIterator[tuple[MeanServer, ResumingClient, PassingTime]]:
    """A client, connected by the first script; it has the shortest pauses that are to be had."""
    passing, server = PassingTime(), MeanServer(*scripts)
    async with asyncio.timeout(WITHIN_S), server.running():
        address = Address(server.address, None, "v1beta", "the test server")

        async def connect(setup: Setup, first_turn: int) -> LiveClient:
            return await LiveClient.connect(
                address, setup, setup_limit_s=0.3, first_turn=first_turn
            )

        client = ResumingClient(
            await connect(SETUP, 1),
            SETUP,
            connect,
            goes_on=goes_on,
            policy=ReconnectPolicy(0.0, limit_s=LIMIT_S, random=lambda: 1.0),
            sleep=passing.sleep,
            clock=passing.clock,
        )
        yield server, client, passing
        await client.connection.close()


async def all_of(client: ResumingClient) -> list[Event]:
    return [event async for event in client]


@pytest.mark.parametrize("kind", FAILING)
async def test_a_server_that_fails_is_not_stormed_and_not_tried_for_ever(kind: str) -> None:
    async with meeting(breaks_after_it_opened, FAILING[kind]) as (server, client, passing):
        assert isinstance((await all_of(client))[-1], SessionClosed)
        assert client.gave_up is not None
    assert "Connecting again did not help, " in client.gave_up
    assert "\n" not in client.gave_up
    assert len(server.callers) == len(passing.attempts) + 1
    assert 10 <= len(passing.attempts) <= 20
    assert most_in_a_minute(passing.attempts) <= 10
    assert LIMIT_S / 2 < passing.attempts[-1] <= LIMIT_S


@pytest.mark.parametrize("kind", HOPELESS)
async def test_a_refusal_that_would_come_again_is_not_asked_for_again(kind: str) -> None:
    async with meeting(breaks_after_it_opened, HOPELESS[kind]) as (server, client, _):
        assert isinstance((await all_of(client))[-1], SessionClosed)
    assert client.gave_up is not None
    assert client.gave_up.startswith("It cannot be made anew. ")
    assert len(server.callers) <= 3  # with the handle, and without


async def test_a_server_that_is_gone_is_called_as_seldom() -> None:
    async def breaks(caller: Caller) -> None:
        await breaks_after_it_opened(caller)
        caller.server.refuse()

    async with meeting(breaks) as (_, client, passing):
        await all_of(client)
    assert client.gave_up is not None
    assert "Nothing listens" in client.gave_up
    assert 10 <= len(passing.attempts) <= 20
    assert most_in_a_minute(passing.attempts) <= 10


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (floods_with_pings, "sent pings without end"),
        (breaks_the_protocol_and_stays, "invalid opcode"),
    ],
)
async def test_a_server_that_floods_or_babbles_is_left_for_good(script: Script, said: str) -> None:
    async with meeting(script) as (server, client, _):
        last = (await all_of(client))[-1]
    assert isinstance(last, SessionClosed)
    assert said in str(explain(last.code, last.reason, "the test server"))
    assert type(last.code) is int
    assert len(server.callers) == 1


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012, 1013])
async def test_a_server_that_closes_and_keeps_tcp_open_does_not_hold_the_client(code: int) -> None:
    async def stays(caller: Caller) -> None:
        await caller.set_up()
        caller.writer.write(frame(mean.CLOSE, code.to_bytes(2)))
        await caller.freeze()

    async with meeting(stays) as (_, client, _):
        assert isinstance(await anext(client), SessionOpened)
        assert isinstance(await anext(client), SessionClosed | Reconnecting)


async def test_questions_are_answered_in_ever_longer_pauses_where_each_turn_ends_in_a_close() -> (
    None
):
    async def answers_once(caller: Caller) -> None:
        await caller.set_up(handle(f"h{caller.number}"))
        await caller.until_asked()
        await caller.say(text("Yes."), DONE)
        await caller.close(1011)

    async with meeting(answers_once, goes_on=True) as (server, client, passing):
        answered = 0
        await client.send(compose.text("?"))
        async for event in client:
            if isinstance(event, TextChunk):
                answered += 1
                if answered == 25:
                    break
                while client.is_connected:
                    await anext(client)
                await anext(client)
                await client.send(compose.text("?"))
    # each question got its answer, on one connection; after the last one may be opened already
    assert len(server.callers) in (25, 26)
    assert most_in_a_minute(passing.attempts) <= 10
    assert passing.pauses[-1] == LONGEST_PAUSE_S / 2


async def test_an_empty_answer_is_an_answer_and_its_question_is_not_sent_again() -> None:
    asked: list[object] = []

    async def says_nothing(caller: Caller) -> None:
        await caller.set_up(handle(f"h{caller.number}"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                asked.append(await caller.until_asked())
                await caller.say(DONE)

    async with meeting(says_nothing) as (_, client, passing):
        await client.send(compose.text("?"))
        while len(passing.pauses) < 4:
            await anext(client)
    assert len(asked) == 1


async def test_a_connection_that_was_of_use_begins_the_pauses_anew() -> None:
    over = asyncio.Event()

    async def serves_for_a_while(caller: Caller) -> None:
        await caller.set_up(text("One."), DONE)
        await over.wait()

    async with meeting(*[opens_and_resets] * 7, serves_for_a_while, accepts_and_hangs_up) as (
        _,
        client,
        passing,
    ):
        async for event in client:
            if isinstance(event, TurnComplete):
                passing.now += 10.0
                over.set()
    # 7 attempts for nothing; the 8th connection served, so that the next attempt is a first one
    assert passing.pauses[:10] == [0, 0.25, 0.5, 1, 2, 4, 8, 0, 0.25, 0.5]


async def test_a_long_life_without_the_answer_is_of_no_use() -> None:
    """As behind a proxy that ends every connection after 70 s."""
    over = asyncio.Event()

    async def never_answers(caller: Caller) -> None:
        await caller.set_up()
        await over.wait()
        over.clear()

    async with meeting(never_answers) as (server, client, passing):
        await client.send(compose.text("?"))
        async for event in client:
            assert len(server.callers) < 20, "for ever"
            if isinstance(event, SessionOpened):
                passing.now += 70.0
                over.set()
    assert client.gave_up is not None
    assert len(server.callers) <= 6


# --- what a server asks for, over a socket ----------------------------------------------------


def in_two_minutes() -> str:
    return format_datetime(datetime.fromtimestamp(time.time() + 120, UTC), usegmt=True)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("wait", "least_s", "most_s"),
    [
        (lambda: "40", 40, 41),
        (in_two_minutes, 110, 121),
        (lambda: "0", 0, 1),
        (lambda: "-40", 0, 1),
        (lambda: "soon", 0, 1),
        (lambda: "40\r\nRetry-After: 50", 0, 1),
    ],
)
async def test_retry_after_is_waited_for(
    status: str, wait: Callable[[], str], least_s: float, most_s: float
) -> None:
    async def asks(caller: Caller) -> None:
        await caller.answer(status, f"Retry-After: {wait()}")

    scripts = (breaks_after_it_opened, asks, breaks_after_it_opened)
    async with meeting(*scripts) as (_, client, passing):
        while len(passing.pauses) < 2:
            await anext(client)
    assert least_s <= passing.pauses[1] <= most_s


@pytest.mark.parametrize("script", [opens_and_closes, closes_before_it_opens])
async def test_the_reason_of_a_1013_is_waited_for(script: Callable[[int, str], Script]) -> None:
    full = script(1013, "All sessions are in use. Try again in 25 s.")
    scripts = (breaks_after_it_opened, full, breaks_after_it_opened)
    async with meeting(*scripts) as (_, client, passing):
        while len(passing.pauses) < 2:
            await anext(client)
    assert 25 <= passing.pauses[1] <= 26


@pytest.mark.parametrize("seconds", [301, 86_400, 999_999_999])
async def test_a_wait_that_is_too_long_ends_the_session_at_once(seconds: int) -> None:
    asks = answers("503 Service Unavailable", f"Retry-After: {seconds}")
    async with meeting(breaks_after_it_opened, asks) as (server, client, passing):
        await all_of(client)
    assert client.gave_up == f"The server asks to wait for {seconds:,} s, which is too long."
    assert len(server.callers) == 2
    assert passing.pauses == [0]


# --- the command -----------------------------------------------------------------------------


async def answers_a_question(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    await caller.until_asked()
    await caller.say(text("Yes."), DONE)
    await caller.listen()


QUICK: Final = {"LIVE_CLI_RECONNECT_S": "3"}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("accepts, hangs up", 4),
        ("garbage", 4),
        ("HTTP 500", 4),
        ("1011 for setupComplete", 4),
        ("opens, 1011", 6),
        ("opens, resets", 6),
        ("goAway of 0 s", 6),
        ("every handle refused", 6),
        ("turns unasked, resets", 0),
    ],
)
def test_the_command_ends_in_one_sentence(tmp_path: Path, kind: str, code: int) -> None:
    with mean.mean_server(FAILING[kind]) as server:
        done = live_cli("text", "Hi", "--server", server.address, home=tmp_path, env=QUICK)
    assert done.returncode == code, done.stderr
    assert len(server.callers) <= 8
    *news, last = done.stderr.decode().splitlines() or [""]
    assert {*news} <= {"Reconnecting …", "Reconnected."}
    assert last.startswith("live-cli: ") is (code != 0)
    assert "1 times" not in last


@pytest.mark.parametrize("kind", HOPELESS)
def test_the_command_tries_once_where_more_would_not_help(tmp_path: Path, kind: str) -> None:
    with mean.mean_server(HOPELESS[kind]) as server:
        done = live_cli("text", "Hi", "--server", server.address, home=tmp_path)
    assert done.returncode == 4
    assert done.stderr.count(b"\n") == 1
    assert len(server.callers) == 1


@pytest.mark.parametrize(
    "busy",
    [
        answers("503 Service Unavailable", "Retry-After: 1"),
        answers("429 Too Many Requests"),
        answers("502 Bad Gateway"),
        closes_before_it_opens(1012),
        closes_before_it_opens(1013, "All sessions are in use. Try again in 1 s."),
        closes_before_it_opens(1011, "The service is currently unavailable."),
    ],
)
def test_a_first_connection_to_a_busy_server_is_tried_again(tmp_path: Path, busy: Script) -> None:
    with mean.mean_server(busy, busy, answers_a_question) as server:
        done = live_cli("text", "Hi", "--server", server.address, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"Yes.\n"), done.stderr
    assert done.stderr.count(b"Trying for 30 s") == 1
    assert len(server.callers) == 3


def test_a_busy_server_is_waited_for_by_each_verb(tmp_path: Path) -> None:
    async def writes_down(caller: Caller) -> None:
        await caller.set_up()
        while "activityEnd" not in (await caller.next()).get("realtimeInput", {}):
            pass
        words = {"serverContent": {"inputTranscription": {"text": "How many legs?"}}}
        await caller.say(words, DONE)
        await caller.listen()

    busy = answers("503 Service Unavailable")
    with mean.mean_server(busy, writes_down) as server:
        done = live_cli("transcribe", QUESTION, "--server", server.address, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"How many legs?" in done.stdout
    assert done.stderr.count(b"Trying for 30 s") == 1
    output = ("--input", QUESTION, "--output", tmp_path / "answer.wav")
    with mean.mean_server(busy, busy, hears_out) as server:
        done = live_cli("talk", "--server", server.address, *output, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"Trying for 30 s") == 1


async def hears_out(caller: Caller) -> None:
    await caller.set_up()
    while "audioStreamEnd" not in (await caller.next()).get("realtimeInput", {}):
        pass
    await caller.say(mean.sound(0.5), DONE)
    await caller.listen()


def test_a_first_wait_that_is_too_long_is_said_and_not_waited_for(tmp_path: Path) -> None:
    asks = answers("503 Service Unavailable", "Retry-After: 3600")
    with mean.mean_server(asks) as server:
        done = live_cli("text", "Hi", "--server", server.address, home=tmp_path)
    assert done.returncode == 4
    assert b"Try again in 3,600 s, as it asks." in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert len(server.callers) == 1
