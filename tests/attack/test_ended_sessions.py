"""An ended session leaves nothing that only the garbage collector can free.

Counted with the collector off: an object in a reference cycle would stay. What a session holds
(audio, images, a history) is large, and a collection comes when few objects have been made.
"""

import asyncio
import base64
import gc
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.engine import LiveEngine
from live_cli.engine.stages import ChatDelta, ChatRequest, ChatUsage, ToolUse
from live_cli.errors import EngineError
from tests.harness.live_client import receive, say
from tests.harness.live_server import LiveServer, running_server
from tests.harness.scripted_session import ScriptedRegistry, utterance

SESSIONS = 5
SETTLED_S = 3.0  # a bound on waiting, not a measure
COUNTED = ("live_cli.", "uvicorn.", "websockets.server.", "starlette.")
"""Packages whose objects are counted; a server has some of them without any session."""
OF_A_HANDLE = (
    "live_cli.engine.conversation.handles.",
    "live_cli.engine.conversation.history.entries.",
    "live_cli.engine.conversation.kept_bytes.",
    "live_cli.net.server.limits.lifetime.ResumableSession",
)
SETTLING_S = 0.5
"""For a server to close its side of a connection, before what it has is counted."""


Conduct = Callable[[LiveServer, ClientConnection], Awaitable[None]]
"""What a client does on an open WebSocket, from its setup message on."""
MODEL = "models/local"
SOUND = base64.b64encode(pcm16_from_float(utterance(0.6, 1.2))).decode()
TOOLS = [{"functionDeclarations": [{"name": "lock"}, {"name": "ring", "behavior": "NON_BLOCKING"}]}]


async def _begin(client: ClientConnection, **fields: Any) -> None:
    generation = {"responseModalities": ["TEXT"]}
    setup = {"model": MODEL, "generationConfig": generation} | fields
    await client.send(json.dumps({"setup": setup}))
    assert await receive(client) == {"setupComplete": {}}


async def _until(client: ClientConnection, field: str) -> dict[str, Any]:
    """The next message with ``field``, or with server content that has it."""
    while True:
        message = await receive(client)
        if field in message or field in message.get("serverContent", {}):
            return message


async def _speak(client: ClientConnection) -> None:
    blob = {"data": SOUND, "mimeType": "audio/pcm;rate=16000"}
    await client.send(json.dumps({"realtimeInput": {"audio": blob}}))


async def text(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    await client.send(say("Hello."))
    await _until(client, "turnComplete")


async def content(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    turn = {"role": "user", "parts": [{"text": "Hello."}]}
    await client.send(json.dumps({"clientContent": {"turns": [turn], "turnComplete": True}}))
    await _until(client, "turnComplete")


async def sound(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, generationConfig={"responseModalities": ["AUDIO"]})
    await _speak(client)
    await _until(client, "generationComplete")


async def interruption(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, generationConfig={"responseModalities": ["AUDIO"]})
    await client.send(say("Tell me a long story, please."))
    await _until(client, "modelTurn")
    await client.send(say("No, a short one."))
    await _until(client, "interrupted")


async def leaving_amid_a_turn(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, generationConfig={"responseModalities": ["AUDIO"]})
    await client.send(say("Tell me a long story, please."))
    await _until(client, "modelTurn")


async def leaving_amid_speech(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    await _speak(client)
    client.transport.abort()


async def a_drop(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    await client.send(say("Hello."))
    client.transport.abort()


async def tools(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, tools=TOOLS)
    await client.send(say("call:lock"))
    call = (await _until(client, "toolCall"))["toolCall"]["functionCalls"][0]
    answer = {"id": call["id"], "name": "lock", "response": {"output": "ok"}}
    await client.send(json.dumps({"toolResponse": {"functionResponses": [answer]}}))
    await _until(client, "turnComplete")


async def leaving_amid_a_call(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, tools=TOOLS)
    await client.send(say("call:lock"))
    await _until(client, "toolCall")


async def transcription(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, model="models/gemini-3.5-transcribe-live")
    await _speak(client)
    await client.send('{"realtimeInput":{"audioStreamEnd":true}}')
    await _until(client, "turnComplete")


async def leaving_amid_a_transcription(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client, model="models/gemini-3.5-transcribe-live")
    await _speak(client)


async def resumption(server: LiveServer, client: ClientConnection) -> None:
    await _begin(client, sessionResumption={})
    await client.send(say("Hello."))
    update = (await _until(client, "sessionResumptionUpdate"))["sessionResumptionUpdate"]
    while "newHandle" not in update:
        update = (await _until(client, "sessionResumptionUpdate"))["sessionResumptionUpdate"]
    async with server.connect() as other:
        await _begin(other, sessionResumption={"handle": update["newHandle"]})


async def a_refused_setup(_: LiveServer, client: ClientConnection) -> None:
    generation = {"responseModalities": ["IMAGE"]}
    await client.send(json.dumps({"setup": {"model": MODEL, "generationConfig": generation}}))
    await client.wait_closed()


async def no_setup(_: LiveServer, client: ClientConnection) -> None:
    await client.send('{"realtimeInput":{"text":"Hello."}}')
    await client.wait_closed()


async def no_json(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    await client.send("{")
    await client.wait_closed()


async def an_unknown_handle(_: LiveServer, client: ClientConnection) -> None:
    setup = {"model": MODEL, "sessionResumption": {"handle": "nobody's"}}
    await client.send(json.dumps({"setup": setup}))
    await client.wait_closed()


async def a_failing_stage(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    await client.send(say("fail"))
    await client.wait_closed()


async def a_crashing_stage(_: LiveServer, client: ClientConnection) -> None:
    await _begin(client)
    await client.send(say("crash"))
    await client.wait_closed()


async def nothing_said(_: LiveServer, client: ClientConnection) -> None:
    await client.close()


CONDUCTS: tuple[Conduct, ...] = (
    text, content, sound, interruption, leaving_amid_a_turn, leaving_amid_speech, a_drop, tools,
    leaving_amid_a_call, transcription, leaving_amid_a_transcription, a_refused_setup,
    no_setup, no_json, an_unknown_handle, a_failing_stage, a_crashing_stage, nothing_said,
)  # fmt: skip


class ObedientChatModel(ScriptedChatModel):
    """Calls a function, fails or crashes, as the user's last words say; else it repeats them."""

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        last = request.messages[-1]
        if last.text == "fail":
            raise EngineError("The chat model has no memory left.")
        if last.text == "crash":
            raise ZeroDivisionError
        if last.role == "user" and last.text.startswith("call:"):
            on_delta(ChatDelta("", call=ToolUse("", last.text.removeprefix("call:"), {})))
            return ChatUsage()
        usage = super().generate(request, on_delta)
        self.requests.clear()
        return usage


@pytest_asyncio.fixture
async def server() -> AsyncIterator[LiveServer]:
    engine = LiveEngine(registry=ScriptedRegistry(ObedientChatModel()))
    log = logging.getLogger("ended_sessions")
    log.disabled = True  # pytest keeps what is logged, and with it the errors of sessions
    async with running_server(engine, log=log) as running:
        yield running
    await engine.close()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage collection within the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def counted() -> Counter[str]:
    """How many objects of the server there are, by class."""
    kinds = (type(each) for each in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    return Counter(name for name in names if name.startswith(COUNTED))


async def _run(server: LiveServer, conduct: Conduct) -> None:
    async with server.connect(max_queue=None) as client:
        await conduct(server, client)


async def _left_of(before: Counter[str]) -> Counter[str]:
    """What there is beyond ``before``, once the sessions have had time to end."""
    deadline = asyncio.get_running_loop().time() + SETTLED_S
    while left := counted() - before:
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.1)
    return left


@pytest.mark.parametrize("conduct", CONDUCTS, ids=lambda conduct: conduct.__name__)
async def test_nothing_is_left_for_the_collector(
    server: LiveServer, conduct: Conduct, uncollected: None
) -> None:
    await _run(server, conduct)  # what is made once is made now
    await asyncio.sleep(SETTLING_S)
    before = counted()
    for _ in range(SESSIONS):
        await _run(server, conduct)
    assert await _left_of(before) == Counter()


async def test_a_handle_keeps_the_history_alone(server: LiveServer, uncollected: None) -> None:
    await _run(server, resumption)
    await asyncio.sleep(SETTLING_S)
    before = counted()
    for _ in range(SESSIONS):
        await _run(server, resumption)
    await asyncio.sleep(SETTLING_S)
    left = set(counted() - before)
    assert {name for name in left if not name.startswith(OF_A_HANDLE)} == set()
