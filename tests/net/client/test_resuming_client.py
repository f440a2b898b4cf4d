"""A session that outlives its connections, against real sockets on loopback."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from websockets.asyncio.server import ServerConnection, serve

from live_cli.net.address import Address
from live_cli.net.client import unanswered_input
from live_cli.net.client.client import LiveClient
from live_cli.net.client.reconnect_policy import ReconnectPolicy
from live_cli.net.client.resuming_client import IMAGE_INTERVAL_S, ResumingClient
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    Reconnected,
    Reconnecting,
    SessionClosed,
    TextChunk,
    TurnComplete,
)
from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    FunctionDeclaration,
    FunctionResponse,
    RealtimeInputConfig,
    SessionResumptionConfig,
    Setup,
    Tool,
)

SETUP = Setup(model="models/m", session_resumption=SessionResumptionConfig())
WITHIN_S = 20.0
Script = Callable[["Server", ServerConnection], Awaitable[None]]


@dataclass
class Server:
    """Plays one script a connection, the last one again and again."""

    scripts: list[Script]
    setups: list[dict[str, Any]] = field(default_factory=list)
    received: list[list[str]] = field(default_factory=list)
    pauses_s: list[float] = field(default_factory=list)
    now: float = 0.0
    port: int = 0

    async def handle(self, socket: ServerConnection) -> None:
        self.setups.append(json.loads(await socket.recv())["setup"])
        self.received.append([])
        await self.scripts[min(len(self.setups), len(self.scripts)) - 1](self, socket)

    async def connect(self, setup: Setup, first_turn: int) -> LiveClient:
        address = Address(f"ws://127.0.0.1:{self.port}", None, "v1beta", "the test server")
        return await LiveClient.connect(address, setup, first_turn=first_turn)

    async def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now

    async def receive(self, socket: ServerConnection) -> None:
        payload = await socket.recv()
        self.received[-1].append(payload if isinstance(payload, str) else payload.decode())

    @property
    def handles(self) -> list[str | None]:
        return [setup["sessionResumption"].get("handle") for setup in self.setups]


@asynccontextmanager
async def serving(
    *scripts: Script, setup: Setup = SETUP, resumes: bool = True, keeps_images: bool = False
) -> AsyncIterator[tuple[Server, ResumingClient]]:
    server = Server(list(scripts))
    async with asyncio.timeout(WITHIN_S), serve(server.handle, "127.0.0.1", 0) as listener:
        server.port = listener.sockets[0].getsockname()[1]
        first = await server.connect(setup, 1)
        client = ResumingClient(
            first,
            setup,
            server.connect,
            resumes=resumes,
            keeps_images=keeps_images,
            policy=ReconnectPolicy(0.0, random=lambda: 0.0),
            sleep=server.pause,
            clock=server.clock,
        )
        yield server, client
        await client.connection.close()


async def say(socket: ServerConnection, *messages: object) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


OPEN = {"setupComplete": {}}
DONE = {"serverContent": {"turnComplete": True}}


def text(words: str) -> object:
    return {"serverContent": {"modelTurn": {"parts": [{"text": words}]}}}


def handle(name: str) -> object:
    return {"sessionResumptionUpdate": {"newHandle": name, "resumable": True}}


async def events_of(client: ResumingClient) -> list[Event]:
    kinds = (Reconnecting, Reconnected, SessionClosed, TextChunk, TurnComplete, AudioChunk)
    return [event async for event in client if isinstance(event, kinds)]


async def test_a_lost_connection_is_resumed_and_what_was_not_answered_is_sent_again() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, text("One."), DONE, handle("h1"))
        await server.receive(socket)
        socket.transport.abort()

    async def goes_on(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await server.receive(socket)
        await say(socket, text("Two."), DONE)
        await socket.close(1000)

    async with serving(breaks, goes_on) as (server, client):
        await client.send(compose.text("answered"))
        seen = [await anext(client) for _ in range(3)]
        assert seen[1:] == [TextChunk(1, "One."), TurnComplete(1)]
        await client.send(compose.text("and?"))
        assert await events_of(client) == [
            Reconnecting(SessionClosed(1006, "")),
            Reconnected(restored=True),
            TextChunk(3, "Two."),
            TurnComplete(3),
            SessionClosed(1000, ""),
        ]
    assert server.handles == [None, "h1"]
    assert "answered" not in server.received[1][0]
    assert "and?" in server.received[1][0]


async def test_a_resumed_session_declares_the_tools_that_are_there_now() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, handle("h1"))
        await server.receive(socket)
        socket.transport.abort()

    async def goes_on(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await socket.close(1000)

    functions = [FunctionDeclaration(name="gone"), FunctionDeclaration(name="here")]
    declaring = replace(SETUP, tools=[Tool(function_declarations=functions)])
    async with serving(breaks, goes_on, setup=declaring) as (server, client):
        client.redeclare([Tool(function_declarations=functions[1:])])
        await client.send(compose.text("and?"))
        await events_of(client)
    declared = [setup["tools"][0]["functionDeclarations"] for setup in server.setups]
    assert declared[1] == [{"name": "here"}]


async def test_an_announced_end_is_not_waited_for() -> None:
    left: list[int | None] = []

    async def announces(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, text("One."), {"goAway": {"timeLeft": "3600s"}}, DONE, handle("h1"))
        await socket.wait_closed()
        left.append(socket.close_code)

    async def goes_on(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await socket.close(1000)

    async with serving(announces, goes_on) as (server, client):
        seen = await events_of(client)
    assert seen[:2] == [TextChunk(1, "One."), TurnComplete(1)]
    assert seen[2:] == [
        Reconnecting(SessionClosed(1001, "")),
        Reconnected(restored=True),
        SessionClosed(1000, ""),
    ]
    assert left == [1000]
    assert server.handles == [None, "h1"]


async def test_a_handle_that_is_not_known_any_more_begins_anew() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, text("One."), DONE, handle("h1"))
        await socket.close(1011, "The service is currently unavailable.")

    async def refuses(server: Server, socket: ServerConnection) -> None:
        await socket.close(1008, "The session handle is not known.")

    async def begins(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await socket.close(1000)

    async with serving(breaks, refuses, begins) as (server, client):
        assert Reconnected(restored=False) in await events_of(client)
    assert server.handles == [None, "h1", None]


async def test_a_server_that_stays_away_ends_the_session_after_a_bounded_time() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, text("One"))
        socket.transport.abort()

    async def hangs_up(server: Server, socket: ServerConnection) -> None:
        await socket.close(1013, "All sessions are in use.")

    async with serving(breaks, hangs_up) as (server, client):
        seen = await events_of(client)
        assert seen[-2:] == [Reconnecting(lost := SessionClosed(1006, "", turn_lost=True)), lost]
        await client.send(compose.text("nobody hears this, and nothing hangs"))
        assert client.gave_up is not None
        assert client.gave_up.startswith("Connecting again did not help, 11 times in 244 s. ")
        assert "All sessions are in use" in client.gave_up
    assert server.pauses_s == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, ""),
        (1007, "Request contains an invalid argument."),
        (1008, "Requested entity was not found"),
        (1011, "You exceeded your current quota, please check your plan."),
    ],
)
async def test_an_end_that_would_only_come_again_is_the_end(code: int, reason: str) -> None:
    async def ends(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, handle("h1"))
        await socket.close(code, reason)

    async with serving(ends) as (server, client):
        assert await events_of(client) == [SessionClosed(code, reason)]
    assert len(server.setups) == 1


async def test_a_session_that_may_not_be_resumed_ends_with_its_connection() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN, handle("h1"))
        socket.transport.abort()

    async with serving(breaks, resumes=False) as (server, client):
        assert await events_of(client) == [SessionClosed(1006, "")]
    assert len(server.setups) == 1


async def test_who_sends_meanwhile_waits_and_is_heard_once() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await server.receive(socket)
        socket.transport.abort()

    async def listens(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(3):
            await server.receive(socket)
        await socket.close(1000)

    async with serving(breaks, listens) as (server, client):
        await client.send(compose.text("first"))
        while not isinstance(await anext(client), Reconnecting):
            pass
        waiting = asyncio.create_task(client.send(compose.text("second")))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert await anext(client) == Reconnected(restored=True)  # nothing was said before
        await waiting
        await client.send(compose.text("third"))
        await events_of(client)
    words = [json.loads(payload)["realtimeInput"]["text"] for payload in server.received[1]]
    assert words == ["first", "second", "third"]


async def test_sound_of_the_time_without_a_connection_goes_to_the_next() -> None:
    """More of it than waits anywhere else, and it holds up nobody."""
    frames = 600

    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await server.receive(socket)
        socket.transport.abort()

    async def listens(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(frames + 2):
            await server.receive(socket)
        await socket.close(1000)

    async with serving(breaks, listens) as (server, client):
        await client.send(compose.audio(b"\0\0"))
        while not isinstance(await anext(client), Reconnecting):
            pass
        for number in range(frames):
            await client.send(compose.audio(number.to_bytes(2, "big")))
        assert await anext(client) == Reconnected(restored=True)
        await client.send(compose.text("And this?"))
        await events_of(client)
    sounds = [json.loads(payload)["realtimeInput"].get("audio") for payload in server.received[1]]
    numbers = [int.from_bytes(base64.b64decode(each["data"]), "big") for each in sounds if each]
    assert numbers == [0, *range(frames)]
    assert sounds[-1] is None


async def test_a_result_of_a_call_goes_to_no_other_connection() -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        await server.receive(socket)
        await server.receive(socket)
        socket.transport.abort()

    async def listens(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(2):
            await server.receive(socket)
        await socket.close(1000)

    result = compose.tool_response([FunctionResponse(id="of-the-first", response={})])
    async with serving(breaks, listens) as (server, client):
        await client.send(compose.text("first"))
        await client.send(result)
        while not isinstance(await anext(client), Reconnecting):
            pass
        await client.send(result)
        assert await anext(client) == Reconnected(restored=True)
        await client.send(compose.text("second"))
        await events_of(client)
    assert "of-the-first" in server.received[0][1]
    words = [json.loads(payload)["realtimeInput"]["text"] for payload in server.received[1]]
    assert words == ["first", "second"]


async def test_the_end_of_an_activity_gets_its_start_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unanswered_input, "KEPT_WITH_SPEECH", 2)
    detection = AutomaticActivityDetection(disabled=True)
    manual = RealtimeInputConfig(automatic_activity_detection=detection)

    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(3):
            await server.receive(socket)
        socket.transport.abort()

    async def listens(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(3):
            await server.receive(socket)
        await socket.close(1000)

    setup = replace(SETUP, realtime_input_config=manual)
    async with serving(breaks, listens, setup=setup) as (server, client):
        for message in (
            compose.activity_start(),
            compose.audio(b"\0\0"),
            compose.activity_end(),
        ):
            await client.send(message)
        await events_of(client)
    assert [[*json.loads(payload)["realtimeInput"]] for payload in server.received[1]] == [
        ["activityStart"],
        ["audio"],
        ["activityEnd"],
    ]


@pytest.mark.parametrize("keeps_images", [False, True])
async def test_of_a_cameras_images_the_newest_is_sent_again_of_named_pictures_each(
    keeps_images: bool,
) -> None:
    async def breaks(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(5):
            await server.receive(socket)
        socket.transport.abort()

    async def goes_on(server: Server, socket: ServerConnection) -> None:
        await say(socket, OPEN)
        for _ in range(5 if keeps_images else 3):
            await server.receive(socket)
        await say(socket, text("Red."), DONE)
        await socket.close(1000)

    async with serving(breaks, goes_on, keeps_images=keeps_images) as (server, client):
        images = [compose.video(bytes([number]), "image/jpeg") for number in range(3)]
        for message in (images[0], compose.text("What"), images[1], images[2], compose.text("is?")):
            await client.send(message)
        await events_of(client)
        first, again = server.received
        assert again == (first if keeps_images else [first[1], first[3], first[4]])
        assert server.pauses_s.count(IMAGE_INTERVAL_S) == (2 if keeps_images else 0)
