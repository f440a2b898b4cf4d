"""The server's line over real sockets, with a scripted engine behind it."""

import asyncio
import base64
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from live_cli.errors import ConnectError, EngineError, UnsupportedError
from live_cli.net.limits import Limits
from live_cli.net.listening import listen, port_of
from live_cli.net.server import Emit, build_app, serve, serve_on
from live_cli.protocol.events import ActivityStarted, AudioReceived, Event, TextReceived
from live_cli.protocol.messages import Blob, Content, Part, ServerContent, ServerMessage, Setup

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
SETUP = {"setup": {"model": "models/local"}}
WITHIN_S = 20.0  # a bound on waiting, not a measure


def audio(size: int) -> ServerMessage:
    blob = Blob(data=b"\1\2" * (size // 2), mime_type="audio/pcm;rate=24000")
    turn = Content(role="model", parts=[Part(inline_data=blob)])
    return ServerMessage(server_content=ServerContent(model_turn=turn))


def text(words: str) -> ServerMessage:
    turn = Content(role="model", parts=[Part(text=words)])
    return ServerMessage(server_content=ServerContent(model_turn=turn))


class ScriptedSession:
    """Does what the text says: crash, fail, hang, flood, audio N, text N; else it echoes it."""

    def __init__(self, setup: Setup, emit: Emit) -> None:
        self.emit = emit
        self.events: list[Event] = []
        self.hanging = asyncio.Event()
        self.closed = asyncio.Event()
        self.flood: asyncio.Task[None] | None = None
        self.failure: asyncio.Future[EngineError] = asyncio.get_running_loop().create_future()

    async def handle(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, AudioReceived):
            await self.emit(text(f"{len(event.data)} bytes at {event.sample_rate}"))
        if not isinstance(event, TextReceived):
            return
        word, _, rest = event.text.partition(" ")
        if word == "crash":
            raise RuntimeError("secret detail")
        if word == "hang":
            self.hanging.set()
            await asyncio.Event().wait()
        elif word == "fail":
            self.failure.set_result(EngineError("The model broke while it spoke."))
        elif word == "flood":
            self.flood = asyncio.create_task(self._flood())
        elif word == "audio":
            await self.emit(audio(int(rest)))
        elif word == "text":
            await self.emit(text("x" * int(rest)))
        else:
            await self.emit(text(event.text))

    async def failed(self) -> EngineError:
        return await self.failure

    async def _flood(self) -> None:
        while True:
            await self.emit(audio(100_000))

    async def close(self) -> None:
        if self.flood is not None:
            self.flood.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.flood
        self.closed.set()


@dataclass
class ScriptedEngine:
    sessions: list[ScriptedSession] = field(default_factory=list)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, setup: Setup, emit: Emit) -> ScriptedSession:
        if setup.model == "models/unsupported":
            raise UnsupportedError("The engine cannot sing.", 1007)
        if setup.model == "models/missing":
            raise EngineError("No model named 'é" + "é" * 200)
        if setup.model == "models/crash":
            raise ZeroDivisionError
        if setup.model == "models/slow":
            await self.loaded.wait()
        session = ScriptedSession(setup, emit)
        self.sessions.append(session)
        self.opened.set()
        return session


@dataclass
class House:
    """A running server."""

    engine: ScriptedEngine
    port: int
    stop: asyncio.Event
    task: asyncio.Task[None]

    def connect(self, path: str = PATH, **options: Any) -> Any:
        options.setdefault("proxy", None)
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    async def get(self, path: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        writer.write(request.encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return int(head.split()[1]), body


Open = Callable[..., Any]


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[House]:
    engine = ScriptedEngine()
    listeners = listen("127.0.0.1", 0)
    stop = asyncio.Event()
    task = asyncio.create_task(serve_on(build_app(engine, **options), listeners, stop=stop))
    try:
        yield House(engine, port_of(listeners), stop, task)
    finally:
        stop.set()
        async with asyncio.timeout(WITHIN_S):
            await task
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert left == []


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running() as house:
        yield house


async def receive(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        frame = await client.recv()
    assert isinstance(frame, bytes)  # Google sends binary frames
    message: dict[str, Any] = json.loads(frame)
    return message


async def ending(client: ClientConnection) -> tuple[int, str]:
    """The close code and reason, after whatever still comes."""
    with pytest.raises(ConnectionClosed) as closed:
        await _receive_all(client)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def _receive_all(client: ClientConnection) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            await client.recv()


async def set_up(client: ClientConnection) -> None:
    await client.send(json.dumps(SETUP))
    assert await receive(client) == {"setupComplete": {}}


def say(words: str) -> str:
    return json.dumps({"realtimeInput": {"text": words}})


def said(message: dict[str, Any]) -> str:
    part: dict[str, Any] = message["serverContent"]["modelTurn"]["parts"][0]
    words: str = part["text"]
    return words


VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"


@pytest.mark.parametrize("path", [PATH, "/" + PATH, "/proxy" + PATH, VERTEX, "/", ""])
@pytest.mark.parametrize("binary", [False, True])
async def test_a_session_opens_at_every_door(house: House, path: str, binary: bool) -> None:
    async with house.connect(path) as client:
        setup = json.dumps(SETUP)
        await client.send(setup.encode() if binary else setup)
        assert await receive(client) == {"setupComplete": {}}
        await client.send(say("hello").encode() if binary else say("hello"))
        assert said(await receive(client)) == "hello"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {"x-goog-api-key": "s3cret"}),
        (PATH, {"authorization": "Bearer s3cret"}),
        (PATH + "?key=s3cret", {}),
    ],
)
async def test_the_key_opens_and_is_never_logged(
    path: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(keys=["s3cret"]) as house:
        async with house.connect(path, additional_headers=headers) as client:
            await set_up(client)
        wrong = {name: value.replace("s3cret", "s3cret2") for name, value in headers.items()}
        async with house.connect(path.replace("s3cret", "s3cret2"), additional_headers=wrong) as c:
            assert await ending(c) == (1007, "API key not valid. Please pass a valid API key.")
        async with house.connect() as client:
            assert (await ending(client))[0] == 1008
    ours = [record for record in caplog.records if not record.name.startswith("websockets.client")]
    assert any("closed" in record.message or "left" in record.message for record in ours)
    assert not any("s3cret" in record.message for record in ours)


@pytest.mark.parametrize(
    ("path", "headers", "code", "words"),
    [
        ("/ws/nothing", {}, 1008, "No such path"),
        (PATH + "Constrained", {}, 1008, "Ephemeral tokens"),
        (PATH, {"origin": "https://evil.example"}, 1008, "Web pages"),
        (PATH, {"origin": "http://localhost:3000"}, 0, ""),
    ],
)
async def test_refusals_come_by_close_code(
    house: House, path: str, headers: dict[str, str], code: int, words: str
) -> None:
    async with house.connect(path, additional_headers=headers) as client:
        if not code:
            await set_up(client)
            return
        got = await ending(client)
        assert got[0] == code
        assert words in got[1]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([b"\xff\xfe\x00"], 1007),
        (["not json"], 1007),
        (["[]"], 1007),
        (["{}"], 1007),
        ([b""], 1007),
        ([say("first")], 1007),
        ([json.dumps(SETUP), json.dumps(SETUP)], 1007),
        ([json.dumps(SETUP), "garbage"], 1007),
        ([json.dumps(SETUP), '{"realtimeInput": {"audio": {"data": "***"}}}'], 1007),
        ([json.dumps({"setup": {"model": "models/unsupported"}})], 1007),
        ([json.dumps({"setup": {"model": "models/missing"}})], 1011),
        ([json.dumps({"setup": {"model": "models/crash"}})], 1011),
    ],
)
async def test_bad_frames_close_with_a_code_and_a_reason(
    house: House, frames: list[str | bytes], code: int
) -> None:
    async with house.connect() as client:
        for frame in frames:
            await client.send(frame)
        got = await ending(client)
        assert got[0] == code
        assert 0 < len(got[1].encode()) <= 123
        assert "Traceback" not in got[1]
    async with house.connect() as client:
        await set_up(client)  # and the server goes on


async def test_what_the_engine_refuses_is_said_in_its_words(house: House) -> None:
    async with house.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/unsupported"}}))
        assert await ending(client) == (1007, "The engine cannot sing.")


async def test_nothing_sent_is_closed_at_the_limit() -> None:
    async with running(limits=Limits(setup_s=0.05)) as house, house.connect() as client:
        code, reason = await ending(client)
        assert code == 1008
        assert "setup" in reason


async def test_audio_of_two_mebibytes_gets_in(house: House) -> None:
    blob = {"data": base64.b64encode(b"\0" * 2**21).decode(), "mimeType": "audio/pcm;rate=48000"}
    async with house.connect() as client:
        await set_up(client)
        await client.send(json.dumps({"realtimeInput": {"audio": blob}}))
        assert said(await receive(client)) == f"{2**21} bytes at 48000"


async def test_a_message_beyond_the_limit_is_too_big() -> None:
    async with running(limits=Limits(message_bytes=10_000)) as house, house.connect() as client:
        await set_up(client)
        await client.send(say("x" * 20_000))
        assert (await ending(client))[0] == 1009
        async with asyncio.timeout(WITHIN_S):
            await house.engine.sessions[0].closed.wait()


async def test_every_frame_sent_is_below_a_mebibyte(house: House) -> None:
    async with house.connect(max_size=2**20 - 1) as client:
        await set_up(client)
        await client.send(say("audio 3000000"))
        heard = b""
        while len(heard) < 3_000_000:
            parts = (await receive(client))["serverContent"]["modelTurn"]["parts"]
            heard += base64.b64decode(parts[0]["inlineData"]["data"])
        assert heard == b"\1\2" * 1_500_000


async def test_text_too_long_for_a_frame_ends_that_session(house: House) -> None:
    async with house.connect() as client:
        await set_up(client)
        await client.send(say("text 1100000"))
        code, reason = await ending(client)
        assert code == 1011
        assert "frame" in reason


async def test_one_crash_leaves_the_other_session(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.connect() as one, house.connect() as other:
        await set_up(one)
        await set_up(other)
        await one.send(say("crash"))
        assert await ending(one) == (1011, "Internal error encountered.")
        await other.send(say("still here"))
        assert said(await receive(other)) == "still here"
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert house.engine.sessions[0].closed.is_set()


async def test_a_turn_that_fails_by_itself_ends_its_session(house: House) -> None:
    async with house.connect() as client:
        await set_up(client)
        await client.send(say("fail"))
        assert await ending(client) == (1011, "The model broke while it spoke.")


async def test_a_client_that_leaves_mid_turn_releases_the_engine(house: House) -> None:
    client = await house.connect()
    await set_up(client)
    session = house.engine.sessions[0]
    await client.send(say("hang"))
    async with asyncio.timeout(WITHIN_S):
        await session.hanging.wait()
        client.transport.abort()  # no close frame: the network went
        await session.closed.wait()
        await client.wait_closed()


async def test_a_client_that_leaves_while_the_models_load_is_let_go(house: House) -> None:
    async with house.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/slow"}}))
    async with house.connect() as client:
        await set_up(client)
    assert len(house.engine.sessions) == 1


async def test_what_comes_before_setup_complete_waits_for_it(house: House) -> None:
    async with house.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/slow"}}))
        await client.send(say("early"))
        house.engine.loaded.set()
        assert await receive(client) == {"setupComplete": {}}
        assert said(await receive(client)) == "early"


async def test_a_slow_reader_is_cut_off_not_buffered() -> None:
    async with running(limits=Limits(unsent_s=0.2)) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=2**10)
        key = base64.b64encode(b"0" * 16).decode()
        head = [f"GET {PATH} HTTP/1.1", "host: localhost", "upgrade: websocket"]
        head += ["connection: upgrade", "sec-websocket-version: 13", f"sec-websocket-key: {key}"]
        writer.write("\r\n".join([*head, "", ""]).encode())
        await reader.readuntil(b"\r\n\r\n")
        for frame in (json.dumps(SETUP), say("flood")):
            data = frame.encode()
            writer.write(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)
        async with asyncio.timeout(WITHIN_S):
            await house.engine.opened.wait()
            await house.engine.sessions[0].closed.wait()
            with contextlib.suppress(ConnectionError):
                while await reader.read(2**16):
                    pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_audio_waits_in_the_socket_while_the_engine_is_busy() -> None:
    """Back pressure: what the engine has not taken is bounded, and all of it still arrives."""
    async with running(limits=Limits(held_bytes=50_000)) as house, house.connect() as client:
        await client.send(json.dumps({"setup": {"model": "models/slow"}}))
        blob = {"data": base64.b64encode(b"\0" * 640).decode(), "mimeType": "audio/pcm;rate=16000"}
        frame = json.dumps({"realtimeInput": {"audio": blob}})
        sending = asyncio.create_task(_send_all(client, [frame] * 500))
        await asyncio.sleep(0.1)
        house.engine.loaded.set()
        assert await receive(client) == {"setupComplete": {}}
        for _ in range(500):
            assert said(await receive(client)) == "640 bytes at 16000"
        await sending


async def _send_all(client: ClientConnection, frames: list[str]) -> None:
    for frame in frames:
        await client.send(frame)


async def test_sessions_are_limited_and_places_come_back() -> None:
    async with running(limits=Limits(sessions=1)) as house:
        async with house.connect() as client:
            await set_up(client)
            async with house.connect() as late:
                code, reason = await ending(late)
                assert code == 1013
                assert "sessions" in reason
        async with asyncio.timeout(WITHIN_S):
            await house.engine.sessions[0].closed.wait()
        async with house.connect() as client:
            await set_up(client)


async def test_stopping_closes_sessions_with_1001_and_releases_them(house: House) -> None:
    async with house.connect() as idle, house.connect() as busy:
        await set_up(idle)
        await set_up(busy)
        await busy.send(say("hang"))
        await house.engine.sessions[1].hanging.wait()
        house.stop.set()
        assert (await ending(idle))[0] == (await ending(busy))[0] == 1001
    async with asyncio.timeout(WITHIN_S):
        await house.task
    assert all(session.closed.is_set() for session in house.engine.sessions)


async def test_health_and_readiness_are_told_apart() -> None:
    loaded = False
    async with running(ready=lambda: loaded) as house:
        assert await house.get("/healthz") == (200, "ok\n")
        assert (await house.get("/readyz"))[0] == 503
        loaded = True
        assert (await house.get("/readyz"))[0] == 200
        assert (await house.get("/elsewhere"))[0] == 404


async def test_serve_takes_a_free_port_and_says_which() -> None:
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    app = build_app(ScriptedEngine())
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, told.set_result, stop=stop))
    async with connect(f"ws://127.0.0.1:{await told}{PATH}", proxy=None) as client:
        await set_up(client)
    stop.set()
    await task


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConnectError, match=rf"Port {port} is in use.*--port"):
            listen("127.0.0.1", port)


def test_localhost_listens_on_all_its_addresses_at_one_port() -> None:
    listeners = listen("localhost", 0)
    assert {listener.getsockname()[1] for listener in listeners} == {port_of(listeners)}
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_ours_is_one_sentence(host: str) -> None:
    with pytest.raises(ConnectError, match=r"--host 127\.0\.0\.1"):
        listen(host, 0)


async def test_manual_activity_reaches_the_engine_in_order(house: House) -> None:
    detection = {"automaticActivityDetection": {"disabled": True}}
    async with house.connect() as client:
        setup = {**SETUP["setup"], "realtimeInputConfig": detection}
        await client.send(json.dumps({"setup": setup}))
        await receive(client)
        await client.send('{"realtimeInput": {"activityStart": {}}}')
        await client.send(say("now"))
        assert said(await receive(client)) == "now"
    assert house.engine.sessions[0].events == [ActivityStarted(), TextReceived("now")]
