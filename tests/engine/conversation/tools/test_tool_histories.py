"""Any order of events, with calls among them: the messages stay legal and the history readable."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from live_cli.engine.backends.scripted import ScriptedChatModel, ScriptedTranscriber
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioStreamEnded,
    ContextUpdated,
    TextReceived,
    ToolResponseReceived,
)
from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    ClientMessage,
    FunctionDeclaration,
    FunctionResponse,
    GenerationConfig,
    RealtimeInputConfig,
    ServerMessage,
    SessionResumptionConfig,
    Setup,
    SetupComplete,
    Tool,
)
from live_cli.protocol.session import Role, Session
from live_cli.protocol.wire import encode
from tests.harness.scripted_session import ScriptedRegistry, SessionHarness, parts_of, utterance

MODELS = ("models/local", "models/gemini-live-2.5-flash-preview")
REPLIES = (
    "call:wait", "Well, this is what I say to that.", "One moment. call:go", "call:wait call:go",
    "call:go call:go", "call:wait {bad", "Yes.", "call:unheard_of", "Soon. call:wait call:wait",
)  # fmt: skip
TOOLS = [
    Tool(
        function_declarations=[
            FunctionDeclaration(name="wait"),
            FunctionDeclaration(name="go", behavior="NON_BLOCKING"),
        ]
    )
]


def setup_of(chance: random.Random) -> Setup:
    realtime = RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection(disabled=chance.random() < 0.3),
        activity_handling=chance.choice([None, None, "NO_INTERRUPTION"]),
    )
    return Setup(
        model=chance.choice(MODELS),
        generation_config=GenerationConfig(response_modalities=[chance.choice(["TEXT", "AUDIO"])]),
        tools=TOOLS,
        realtime_input_config=realtime,
        session_resumption=SessionResumptionConfig(),
    )


@dataclass
class Client:
    """A client that does whatever it may, in any order; it answers some calls, some twice."""

    harness: SessionHarness
    chance: random.Random
    manual: bool
    active: bool = field(default=False)
    answered: list[tuple[int, str]] = field(default_factory=list)
    """Final responses: how many messages had come before, and the call's id."""

    async def step(self) -> None:
        moves: list[Any] = [self._respond] * 4 + [self._wait] * 4 + [self._play] * 2
        moves += [self._ask, self._type, self._speak, self._change]
        await self.chance.choice(moves)()

    async def _ask(self) -> None:
        await self.harness.ask("Well?", complete=self.chance.random() < 0.8)

    async def _type(self) -> None:
        await self.harness.session.handle(TextReceived("Hm?"))

    async def _speak(self) -> None:
        handle = self.harness.session.handle
        if self.manual:
            await handle(ActivityEnded() if self.active else ActivityStarted())
            self.active = not self.active
        await self.harness.say(utterance(0.4, self.chance.choice([0.0, 1.0])), message_ms=100)
        if not self.manual and self.chance.random() < 0.5:
            await handle(AudioStreamEnded())

    async def _change(self) -> None:
        await self.harness.session.handle(ContextUpdated(None, self.chance.choice([[], TOOLS])))

    async def _respond(self) -> None:
        if calls := self.harness.calls():
            some = self.chance.sample(calls, min(len(calls), self.chance.randint(1, 3)))
            await self.answer([self._response(call) for call in some])

    async def answer(self, responses: list[FunctionResponse]) -> None:
        final = [response.id for response in responses if not response.will_continue]
        self.answered += [(len(self.harness.messages), call_id) for call_id in final]
        await self.harness.session.handle(ToolResponseReceived(responses))

    def _response(self, call: Any) -> FunctionResponse:
        return FunctionResponse(
            id=call.id,
            name=call.name,
            response=self.chance.choice([None, {"output": "fine"}, {"error": "no"}]),
            scheduling=self.chance.choice([None, "SILENT", "INTERRUPT", "WHEN_IDLE"]),
            will_continue=self.chance.random() < 0.2,
        )

    async def _wait(self) -> None:
        await asyncio.sleep(0.002)

    async def _play(self) -> None:
        self.harness.time.advance(self.chance.choice([0.3, 60.0]))
        await asyncio.sleep(0)


def assert_readable(messages: Any) -> None:
    """Check what chat templates want: results right after their calls, turns that alternate."""
    expected: list[str] = []
    before = ""
    for message in messages:
        if expected:
            assert (message.role, message.call_id) == ("tool", expected.pop(0))
            before = "tool"
            continue
        assert message.role != "tool"
        assert (before, message.role) not in {("tool", "user"), ("user", "user")}
        before = message.role
        expected = [call.id for call in message.calls]
    assert not expected
    spoken = [message.role for message in messages if message.role != "tool"]
    assert spoken[-1] == "user" or messages[-1].role == "tool"


def assert_waits(client: Client) -> None:
    """Check that a waiting model is silent, and that its calls are answered or cancelled."""
    waits: set[str] = set()
    answers = list(client.answered)
    for index, message in enumerate(client.harness.messages):
        while answers and answers[0][0] <= index:
            waits.discard(answers.pop(0)[1])
        if parts_of(message) or message.tool_call:
            assert not waits
        if message.tool_call:
            waits |= {call.id for call in message.tool_call.function_calls if call.name == "wait"}
        if message.tool_call_cancellation:
            cancelled = set(message.tool_call_cancellation.ids)
            assert cancelled == waits
            waits = set()


async def settle(harness: SessionHarness, client: Client) -> None:
    """Let all turns end: the user is silent, every call is answered, all audio is played."""
    if client.active:
        client.active = False
        await harness.session.handle(ActivityEnded())
    elif not client.manual:
        await harness.session.handle(AudioStreamEnded())
    quiet = 0
    async with asyncio.timeout(20):
        while quiet < 5:
            before = len(harness.messages)
            await client.answer([FunctionResponse(id=c.id, response={}) for c in harness.calls()])
            harness.time.advance(60)
            await asyncio.sleep(0.005)
            quiet = 0 if harness.session.busy or len(harness.messages) > before else quiet + 1


@pytest.mark.parametrize("seed", range(60))
async def test_any_order_of_events_leaves_a_legal_line_and_a_readable_history(connect, seed):
    chance = random.Random(seed)
    setup = setup_of(chance)
    chat = ScriptedChatModel(chance.sample(REPLIES, len(REPLIES)))
    transcriber = ScriptedTranscriber(["Stop.", "", "What else?"])
    harness = await connect(setup, ScriptedRegistry(chat, transcriber))
    detection = setup.realtime_input_config.automatic_activity_detection
    client = Client(harness, chance, manual=bool(detection.disabled))
    for _ in range(50):
        await client.step()

    for request in chat.requests:
        assert_readable(request.messages)
    server = Session(Role.SERVER)
    server.receive(encode(ClientMessage(setup=setup)), 0.0)
    for message in [ServerMessage(setup_complete=SetupComplete()), *harness.messages]:
        server.send(message, 0.0)
    told = [call.id for call in harness.calls()]
    assert len(told) == len(set(told))
    assert_waits(client)

    await settle(harness, client)
    done = harness.words().count("turnComplete+usage")
    await harness.session.handle(TextReceived("Are you still there?"))
    await settle(harness, client)
    assert harness.words().count("turnComplete+usage") > done
