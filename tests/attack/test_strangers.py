"""Callers who were not let in: what they make a server read, keep, wait for and refuse to others.

A stranger is silent, slow, or refused. The canary is the owner, who comes to the same address.
"""

import asyncio
import contextlib
import json
import struct
import tracemalloc
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.places import ConnectionPlace, ConnectionPlaces
from live_cli.net.server.rest import ListedModel
from tests.harness.live_client import PATH, SETUP, ending, receive, said, say, set_up
from tests.harness.live_server import LiveServer, running_server
from tests.harness.raw_client import frame, raw, read_to_end, sent_until_cut

KEY: Final = "the-right-key-of-the-owner"
RIGHT: Final = {"x-goog-api-key": KEY}
WRONG: Final = {"x-goog-api-key": "a-wrong-key-of-somebody"}
ENOUGH_S: Final = 30.0  # a bound on waiting, not a measure


def setup_of(size: int) -> str:
    """A setup message of ``size`` bytes."""
    setup: dict[str, Any] = {
        "model": "models/local",
        "systemInstruction": {"parts": [{"text": ""}]},
    }
    empty = json.dumps({"setup": setup})
    setup["systemInstruction"]["parts"][0]["text"] = "x" * (size - len(empty))
    return json.dumps({"setup": setup})


async def owner_is_served(server: LiveServer) -> None:
    async with server.connect(additional_headers=RIGHT) as client:
        await set_up(client)
        await client.send(say("Here?"))
        assert said(await receive(client)) == "Here?"


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


# --- before a setup is accepted ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "limit"), [((), Limits().stranger_bytes), ((KEY,), Limits().setup_bytes)]
)
async def test_a_first_message_is_as_large_as_who_sends_it_may(
    keys: tuple[str, ...], limit: int
) -> None:
    async with running_server(keys=keys) as server:
        for size in (limit - 1000, limit):
            async with server.connect(additional_headers=RIGHT) as client:
                await client.send(setup_of(size))
                assert await receive(client) == {"setupComplete": {}}
        async with server.connect(additional_headers=RIGHT) as client:
            with contextlib.suppress(ConnectionClosed):
                await client.send(setup_of(limit + 20_000))
            code, reason = await ending(client)
            assert (code, str(limit) in reason) == (1009, True)


async def test_what_follows_a_good_setup_at_once_may_be_larger() -> None:
    async with running_server() as server, server.connect() as client:
        await client.send(json.dumps(SETUP))
        await client.send(say("x" * 500_000))
        assert await receive(client) == {"setupComplete": {}}
        assert len(said(await receive(client))) == 500_000


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("way", ["refused", "first", "unanswered"])
async def test_a_hundred_who_send_megabytes_are_hardly_read(way: str) -> None:
    """Refused by their key; with a first message without end; before their handshake's answer."""
    limits = Limits(wrong_keys_per_min=0, request_s=2.0)
    headers = {"refused": "x-goog-api-key: a-wrong-key-of-somebody"}.get(
        way, f"x-goog-api-key: {KEY}"
    )

    async def attack() -> int:
        async with raw(server.port, headers) as (_, writer):
            writer.write(struct.pack("!BBQI", 0x81, 0xFF, 15_000_000, 0))
            return await sent_until_cut(writer, 15_000_000)

    async def attack_early() -> int:
        async with raw(server.port, upgraded=False) as (_, writer):
            head = (
                f"GET {PATH} HTTP/1.1\r\nhost: localhost\r\nx-goog-api-key: wrong-wrong-wrong\r\n"
            )
            head += "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
            writer.write((head + "sec-websocket-key: " + "0" * 22 + "==\r\n\r\n").encode())
            writer.write(struct.pack("!BBQI", 0x81, 0xFF, 15_000_000, 0))
            return await sent_until_cut(writer, 15_000_000)

    async with running_server(keys=[KEY], limits=limits) as server:
        await owner_is_served(server)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        act = attack_early if way == "unanswered" else attack
        attacks = [asyncio.create_task(act()) for _ in range(100)]
        await owner_is_served(server)
        await asyncio.gather(*attacks)
        # each end of a hundred connections holds buffers in this process: 0.5 MB, of 15
        held = tracemalloc.get_traced_memory()[1] - before
        assert held < 100 * (1_000_000 if way == "first" else 500_000) + 50_000_000, held
        await owner_is_served(server)


@pytest.mark.parametrize("first", ["nothing", "a setup", "all it can"])
async def test_a_refused_connection_is_told_why_and_cut(first: str) -> None:
    async with (
        running_server(keys=[KEY], limits=Limits(wrong_keys_per_min=0)) as server,
        raw(server.port, "x-goog-api-key: a-wrong-key-of-somebody") as (reader, writer),
    ):
        reading = asyncio.create_task(read_to_end(reader))
        if first == "a setup":
            writer.write(frame(1, json.dumps(SETUP).encode()))
        elif first == "all it can":
            writer.write(struct.pack("!BBQI", 0x81, 0xFF, 15_000_000, 0))
            await sent_until_cut(writer, 15_000_000)
        assert b"API key not valid" in await reading or first == "all it can"


async def test_the_sdks_see_why_they_are_refused_whatever_their_setup_weighs() -> None:
    async with running_server(keys=[KEY]) as server:
        for size in (1000, 60_000, 200_000):
            async with server.connect(additional_headers=WRONG) as client:
                with contextlib.suppress(ConnectionClosed):
                    await client.send(setup_of(size))
                code, reason = await ending(client)
                assert (code, reason) == (1007, "API key not valid. Please pass a valid API key.")


# --- fragments and other small frames ----------------------------------------------------------

EMPTY: Final = {
    "empty fragments": frame(0, b"", final=False),
    "tiny fragments": frame(0, b" ", final=False),
    "pings": frame(9, b""),
    "pongs": frame(10, b"x"),
    "fragments of 255 bytes": frame(0, b" " * 255, final=False),
}


@pytest.mark.parametrize("small", EMPTY.values(), ids=EMPTY)
async def test_small_frames_count_like_messages(small: bytes) -> None:
    limits = Limits(small_messages_per_s=100)  # 500 in hand
    async with (
        running_server(keys=[KEY], limits=limits) as server,
        raw(server.port, f"x-goog-api-key: {KEY}") as (reader, writer),
    ):
        writer.write(frame(1, json.dumps(SETUP).encode()))
        await reader.readuntil(b"setupComplete")
        reading = asyncio.create_task(read_to_end(reader))
        writer.write(frame(1, b"{", final=False))
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                writer.write(small * 100)
                await writer.drain()
        await owner_is_served(server)
        end = await reading
        assert struct.pack("!H", 1008) + b"More than 100 messages a second" in end


async def test_small_frames_before_the_setup_count_too() -> None:
    limits = Limits(small_messages_per_s=100)
    async with running_server(limits=limits) as server, raw(server.port) as (reader, writer):
        reading = asyncio.create_task(read_to_end(reader))
        writer.write(frame(1, b"{", final=False) + frame(0, b"", final=False) * 2000)
        assert b"More than 100 messages a second" in await reading


@pytest.mark.usefixtures("traced")
async def test_fragments_take_no_more_memory_than_their_content() -> None:
    limits = Limits(small_messages_per_s=0)
    async with running_server(limits=limits) as server, raw(server.port) as (reader, writer):
        writer.write(frame(1, json.dumps(SETUP).encode()))
        await reader.readuntil(b"setupComplete")
        before = tracemalloc.get_traced_memory()[0]
        writer.write(frame(1, b'{"realtimeInput":{"text":"', final=False))
        for _ in range(20):
            writer.write((frame(0, b"", final=False) + frame(0, b"x", final=False)) * 1000)
            await writer.drain()
        writer.write(frame(0, b'"}}'))
        answer = await reader.readuntil(b"x" * 500)
        held = tracemalloc.get_traced_memory()[0] - before
        assert answer
        assert held < 1_000_000  # of 4 MB for forty thousand objects


async def test_a_packet_of_tiny_frames_is_parsed_in_turns() -> None:
    """Forty thousand frames in one write: the loop turns many times before they are read."""
    limits = Limits(small_messages_per_s=0)
    async with (
        running_server(limits=limits) as server,
        server.connect() as canary,
        raw(server.port) as (reader, writer),
    ):
        await set_up(canary)
        writer.write(frame(1, json.dumps(SETUP).encode()))
        await reader.readuntil(b"setupComplete")
        writer.write(frame(1, b"{", final=False) + frame(0, b"", final=False) * 40_000)
        turns = 0
        writer.write(frame(9, b"the end"))
        reading = asyncio.create_task(reader.readuntil(b"the end"))
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns > 20
        await canary.send(say("Here?"))
        assert said(await receive(canary)) == "Here?"


# --- HTTP that does not end --------------------------------------------------------------------

HEAD: Final = f"GET /v1beta/models HTTP/1.1\r\nhost: localhost\r\nx-goog-api-key: {KEY}\r\n"
QUICK: Final = Limits(request_s=0.5, connections=500)


@pytest.mark.parametrize("begun", ["", "GET / HT", HEAD, "POST /v1/auth_tokens HTTP/1.1\r\n"])
async def test_a_second_request_has_a_deadline_as_the_first_has(begun: str) -> None:
    async with (
        running_server(keys=[KEY], limits=QUICK) as server,
        raw(server.port, upgraded=False) as (reader, writer),
    ):
        for _ in range(2):
            writer.write((HEAD + "\r\n").encode())
            await reader.readuntil(b"}")
        writer.write(begun.encode())
        dripping = asyncio.create_task(drip(writer))
        await read_to_end(reader)
        dripping.cancel()
        await owner_is_served(server)


async def drip(writer: asyncio.StreamWriter) -> None:
    """One header after the other, for ever."""
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"x-a: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)


async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    async with running_server(keys=[KEY], limits=QUICK) as server:
        post = f"POST /v1/auth_tokens HTTP/1.1\r\nhost: a\r\nx-goog-api-key: {KEY}\r\n"
        for rest in ("content-length: 9999\r\n\r\n", "transfer-encoding: chunked\r\n\r\n5\r\nab"):
            async with raw(server.port, upgraded=False) as (reader, writer):
                writer.write((post + rest).encode())
                assert b" 408 " in await read_to_end(reader)


@pytest.mark.parametrize("path", ["POST /v1/auth_tokens", "POST /nowhere", "GET /v1beta/models"])
async def test_a_body_that_nobody_reads_is_cut(path: str) -> None:
    head = f"{path} HTTP/1.1\r\nhost: localhost\r\nx-goog-api-key: {KEY}\r\n"
    head += "content-length: 900000000\r\n\r\n"
    async with running_server(keys=[KEY]) as server:
        async with raw(server.port, upgraded=False) as (_, writer):
            writer.write(head.encode())
            assert await sent_until_cut(writer, 100_000_000) < 50_000_000
        await owner_is_served(server)


async def ask_for_ever(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(ENOUGH_S):
        while True:
            writer.write((HEAD + "\r\n").encode() * 100)
            await writer.drain()


async def test_answers_that_nobody_reads_are_cut() -> None:
    limits = Limits(request_s=0.3)
    models = [ListedModel("m", "M", "x" * 500_000)]
    async with running_server(keys=[KEY], limits=limits, models=models) as server:
        async with raw(server.port, upgraded=False) as (reader, writer):
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionError):
                await ask_for_ever(writer)
        await owner_is_served(server)


# --- who gets a place --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["silent", "half a head", "a slow second head", "a WebSocket"])
async def test_the_owner_gets_in_when_strangers_have_all_places(how: str) -> None:
    limits = Limits(
        connections=40, request_s=60.0, setup_s=60.0, wrong_keys_per_min=0, refused_s=60
    )
    async with (
        running_server(keys=[KEY], limits=limits) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        wrong = "x-goog-api-key: a-wrong-key-of-somebody"
        for _ in range(60):
            upgraded = how == "a WebSocket"
            reader, writer = await stack.enter_async_context(
                raw(server.port, wrong, upgraded=upgraded)
            )
            if how == "half a head":
                writer.write(b"GET / HT")
            elif how == "a slow second head":
                writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                await reader.readuntil(b"ok")
                writer.write(b"GET / HT")
        owners = []
        for _ in range(16):
            owners.append(await stack.enter_async_context(server.connect(additional_headers=RIGHT)))
            await set_up(owners[-1])
        for owner in owners:
            await owner.send(say("Here?"))
            assert said(await receive(owner)) == "Here?"


async def test_one_address_has_a_number_of_places_and_those_let_in_keep_theirs() -> None:
    limits = Limits(connections_per_address=10, request_s=60.0)
    async with (
        running_server(keys=[KEY], limits=limits) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        owners = [
            await stack.enter_async_context(server.connect(additional_headers=RIGHT))
            for _ in range(5)
        ]
        for owner in owners:
            await set_up(owner)
        readers = []
        for _ in range(30):
            reader, _ = await stack.enter_async_context(raw(server.port, upgraded=False))
            readers.append(reader)
        ends = [asyncio.create_task(read_to_end(reader)) for reader in readers]
        await asyncio.wait(ends[:25])
        assert sum(end.done() for end in ends) == 25
        for owner in owners:
            await owner.send(say("Here?"))
            assert said(await receive(owner)) == "Here?"
        for end in ends:
            end.cancel()


steps = st.lists(
    st.tuples(st.sampled_from(["take", "admit", "leave"]), st.integers(0, 3)), max_size=80
)


@given(steps, st.integers(1, 6), st.integers(0, 4))
def test_places_hold_their_limits_and_never_cut_who_was_let_in(
    steps: list[tuple[str, int]], most: int, of_address: int
) -> None:
    places = ConnectionPlaces(most, of_address)
    held: list[tuple[int, ConnectionPlace, list[str]]] = []

    def live() -> list[tuple[int, ConnectionPlace, list[str]]]:
        return [entry for entry in held if "cut" not in entry[2] and "left" not in entry[2]]

    for step, number in steps:
        if step == "take":
            state: list[str] = []
            admitted = [entry for entry in live() if "in" in entry[2]]
            own = [entry for entry in admitted if entry[0] == number]
            place = places.take(str(number), lambda state=state: state.append("cut"))  # type: ignore[misc]
            if place is None:
                assert len(admitted) == most or len(own) == of_address
            else:
                held.append((number, place, state))
        elif live():
            _, place, state = live()[number % len(live())]
            if step == "admit":
                place.admit()
                state.append("in")
            else:
                place.leave()
                state.append("left")
        assert len(live()) <= most
        if of_address:
            assert all(sum(e[0] == n for e in live()) <= of_address for n in range(4))
        assert not any("in" in state and "cut" in state for _, _, state in held)
