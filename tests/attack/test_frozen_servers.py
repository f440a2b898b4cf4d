"""A server that freezes with its socket open is noticed, told, left and asked again; one that has
a reason to be silent is not.

The watchdog alone, then a client over real sockets, then the real command.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.net.client.reconnect_policy import ReconnectPolicy
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.net.client.watchdog import NO_LIMITS, Alarm, Awaited, StallLimits, Watchdog
from live_cli.protocol import compose, events
from live_cli.protocol.events import Event, Reconnected, Reconnecting, Stalled, TextChunk
from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    Content,
    FunctionCall,
    FunctionDeclaration,
    FunctionResponse,
    HistoryConfig,
    RealtimeInputConfig,
    SessionResumptionConfig,
    Setup,
    Tool,
)
from live_cli.ui.transcript.reducer import reduce
from live_cli.ui.transcript.state import ViewState, with_status
from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.mean_server import (
    DONE,
    Caller,
    MeanServer,
    Script,
    handle,
    mean_server,
    sound,
    text,
)
from tests.harness.speech import QUESTION

SAID_S, RECONNECT_S = 8.0, 20.0
HOUR_S: Final = 3600.0
STALLED, PING, FROZEN = Alarm.STALLED, Alarm.PING, Alarm.FROZEN

# --- the watchdog alone ----------------------------------------------------------------------


@dataclass
class Watched:
    """A watchdog in a time of its own, and its alarms: when, and which."""

    watchdog: Watchdog
    pongs: bool = False
    reconnects: bool = False
    now: float = 0.0
    alarms: list[tuple[float, Alarm]] = field(default_factory=list)

    def until(self, end: float) -> None:
        """Let time pass as `ResumingClient` does: from one alarm that is due to the next."""
        while (due := self.watchdog.due()) is not None and due <= end:
            self.now = max(self.now, due)
            alarm = self.watchdog.tick(self.now)
            if alarm is not None:
                self.alarms.append((self.now, alarm))
                assert len(self.alarms) < 1000
            if alarm is PING and self.pongs:
                self.watchdog.ponged(self.now)
            if alarm is FROZEN and not self.reconnects:
                return
            if alarm is FROZEN:
                self.watchdog.reconnected(self.now)
        self.now = max(self.now, end)

    def happens(self, *steps: tuple[float, object]) -> "Watched":
        """``steps``: when, and a message sent, an event that came, or what else is called."""
        for at, what in steps:
            self.until(at)
            if isinstance(what, Event):
                self.watchdog.received(what, at)
            elif callable(what):
                what(self.watchdog, at)
            else:
                self.watchdog.sent(what, at)  # type: ignore[arg-type]
        return self


def spoke(watchdog: Watchdog, now: float) -> None:
    watchdog.spoke(now)


def silenced(watchdog: Watchdog, now: float) -> None:
    watchdog.silenced(now)


def any_sign(watchdog: Watchdog, now: float) -> None:
    watchdog.signed(now)


def words(turn: int = 1) -> TextChunk:
    return TextChunk(turn, "word ")


def heard(seconds: float, turn: int = 1) -> events.AudioChunk:
    return events.AudioChunk(turn, bytes(2 * int(24_000 * seconds)), 24_000)


def called(name: str, call: str = "c1") -> events.ToolCallRequested:
    return events.ToolCallRequested([FunctionCall(call, name)])


def result(call: str = "c1", **more: bool) -> object:
    return compose.tool_response([FunctionResponse(call, "f", {}, **more)])  # type: ignore[arg-type]


ASKED: Final = compose.text("?")
COMPLETE: Final = events.TurnComplete(1)
TWO_KINDS: Final = Setup(
    model="models/m",
    tools=[
        Tool(
            function_declarations=[
                FunctionDeclaration("quick"),
                FunctionDeclaration("slow", behavior="NON_BLOCKING"),
            ]
        )
    ],
)
WITH_HISTORY: Final = Setup(
    model="models/m", history_config=HistoryConfig(initial_history_in_client_content=True)
)
Steps = list[tuple[float, object]]

FROZEN_AT: dict[str, tuple[Steps, float]] = {
    "a question": ([(1, ASKED)], 1),
    "a turn of content": ([(1, compose.turns([Content(role="user")]))], 1),
    "speech by the meter": ([(1, spoke), (2, spoke), (3, spoke)], 3),
    "the talk key released": ([(0, compose.activity_start()), (40, compose.activity_end())], 40),
    "speech that was written down": ([(1, spoke), (2, events.InputTranscript("Hi"))], 2),
    "speech that the server heard": (
        [(1, spoke), (2, events.VoiceActivityChanged(active=False))],
        2,
    ),
    "a written answer": ([(1, ASKED), (2, words()), (4, words())], 4),
    "a thought": ([(1, ASKED), (2, events.Thought(1, "hm"))], 2),
    "a spoken answer, until it is played": ([(1, ASKED), (2, heard(5)), (2.5, heard(30))], 37),
    "an answer without its end": ([(1, ASKED), (2, words()), (3, events.GenerationComplete(1))], 3),
    "after a barge-in": (
        [(1, ASKED), (2, heard(30)), (4, spoke), (5, events.Interrupted(1))],
        5,
    ),
    "after a barge-in that was completed": (
        [
            (1, ASKED),
            (2, heard(30)),
            (5, events.Interrupted(1)),
            (5, events.TurnComplete(1, interrupted=True)),
            (6, spoke),
        ],
        6,
    ),
    "a second question": ([(1, ASKED), (2, words()), (3, COMPLETE), (30, ASKED)], 30),
    "a question over an answer": ([(1, ASKED), (2, heard(1)), (2.5, ASKED)], 3),
    "the result of a call": ([(1, ASKED), (2, called("quick")), (60, result())], 60),
    "the last of two results": (
        [
            (2, called("quick", "a")),
            (2, called("quick", "b")),
            (60, result("a")),
            (90, result("b")),
        ],
        90,
    ),
    "speaking on beside a call": ([(1, ASKED), (2, called("slow")), (3, words())], 3),
    "a question while a call is open": ([(2, called("slow")), (3, COMPLETE), (9, ASKED)], 9),
    "signs of life that end": ([(1, ASKED), *((at, any_sign) for at in range(2, 60))], 59),
    "a question typed with the talk key held": ([(0, compose.activity_start()), (5, ASKED)], 5),
    "a question after a silent turn": ([(1, ASKED), (2, COMPLETE), (5, ASKED)], 5),
    "speech after a turn that was silenced": (
        [(1, ASKED), (2, heard(5)), (3, silenced), (9, spoke)],
        9,
    ),
}


@pytest.mark.parametrize("what", FROZEN_AT)
def test_silence_is_told_and_ended(what: str) -> None:
    steps, silent_from = FROZEN_AT[what]
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S), TWO_KINDS)).happens(*steps)
    watched.until(HOUR_S)
    assert watched.alarms == [(silent_from + SAID_S, STALLED), (silent_from + RECONNECT_S, FROZEN)]


SILENT_WITH_REASON: dict[str, Steps] = {
    "nothing was ever said": [],
    "sound alone is streamed": [(at, compose.audio(bytes(640))) for at in range(100)],
    "an answer is whole": [(1, ASKED), (2, heard(60)), (3, COMPLETE)],
    "an answer is whole, and empty": [(1, ASKED), (2, COMPLETE)],
    "the talk key is held": [(1, compose.activity_start()), (2, compose.audio(bytes(640)))],
    "the talk key is held over an answer": [
        (1, ASKED),
        (2, words()),
        (3, compose.activity_start()),
    ],
    "a call is open": [(1, ASKED), (2, called("quick"))],
    "a call that is not waited for is open": [(1, ASKED), (2, called("slow"))],
    "the same, in the middle of words": [(1, ASKED), (2, words()), (3, called("slow"))],
    "the same, after the turn": [(1, ASKED), (2, called("slow")), (3, words()), (4, COMPLETE)],
    "the same, with its result": [(1, ASKED), (2, called("slow")), (3, COMPLETE), (90, result())],
    "one of two results is there": [
        (2, called("quick", "a")),
        (2, called("quick", "b")),
        (60, result("a")),
    ],
    "a part of a result is there": [(2, called("quick")), (60, result(will_continue=True))],
    "a call was cancelled": [(2, called("quick")), (5, events.ToolCallCancelled(["c1"]))],
    "the answer was silenced": [(1, ASKED), (2, heard(5)), (3, silenced)],
    "the answer was interrupted by content": [
        (1, ASKED),
        (2, words()),
        (3, compose.interruption()),
    ],
    "a turn was cut": [
        (1, ASKED),
        (2, words()),
        (3, events.TurnComplete(1, interrupted=True)),
    ],
    "notices come": [(1, events.GoingAway(3000.0)), (2, events.ResumptionUpdated("h"))],
    "usage comes late": [(1, ASKED), (2, words()), (3, COMPLETE), (4, any_sign)],
    "an empty transcript comes": [(1, events.InputTranscript(" "))],
    "a transcript comes late": [
        (1, ASKED),
        (2, words()),
        (3, COMPLETE),
        (4, events.InputTranscript("Hi")),
    ],
    "the user is heard to begin": [(1, events.VoiceActivityChanged(active=True))],
}


@pytest.mark.parametrize("why", SILENT_WITH_REASON)
def test_silence_in_order_raises_no_alarm(why: str) -> None:
    steps = SILENT_WITH_REASON[why]
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S), TWO_KINDS)).happens(*steps)
    watched.until(HOUR_S)
    assert watched.alarms == []


def test_who_speaks_on_is_not_answered_yet() -> None:
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S)))
    watched.happens(*((float(at), spoke) for at in range(300)))
    assert watched.alarms == []


def test_a_history_is_not_answered_but_the_question_after_it_is() -> None:
    told = (1.0, compose.turns([Content(role="user")]))
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S), WITH_HISTORY))
    watched.happens(told).until(HOUR_S)
    assert watched.alarms == []
    watched.happens((HOUR_S, ASKED)).until(2 * HOUR_S)
    assert [alarm for _, alarm in watched.alarms] == [STALLED, FROZEN]


@pytest.mark.parametrize("every_s", [1.0, 5.0, 7.9])
def test_long_thinking_with_signs_of_life_raises_no_alarm(every_s: float) -> None:
    thinking = [(1 + every_s * number, any_sign) for number in range(1, 100)]
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S)))
    watched.happens((1, ASKED), *thinking)
    assert watched.alarms == []


@pytest.mark.parametrize(
    ("limits", "alarms"),
    [
        (NO_LIMITS, []),
        (StallLimits(8.0, 0.0), [(9.0, STALLED)]),
        (StallLimits(0.0, 20.0), [(21.0, FROZEN)]),
        (StallLimits(30.0, 20.0), [(21.0, FROZEN)]),
        (StallLimits(0.5, 0.7), [(1.5, STALLED), (1.7, FROZEN)]),
    ],
)
def test_each_limit_may_be_off(limits: StallLimits, alarms: list[tuple[float, Alarm]]) -> None:
    watched = Watched(Watchdog(0.0, limits)).happens((1, ASKED))
    watched.until(HOUR_S)
    assert watched.alarms == [(pytest.approx(at), alarm) for at, alarm in alarms]


def test_a_server_that_stays_slow_gets_ever_longer() -> None:
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S)), reconnects=True)
    watched.happens((0, ASKED)).until(500)
    assert [at for at, alarm in watched.alarms if alarm is FROZEN] == [
        20,
        60,
        140,
        220,
        300,
        380,
        460,
    ]
    assert len([at for at, alarm in watched.alarms if alarm is STALLED]) == 8


def test_what_may_have_been_no_speech_is_asked_again_once() -> None:
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S)), reconnects=True)
    watched.happens((0, spoke)).until(HOUR_S)
    assert [at for at, alarm in watched.alarms if alarm is FROZEN] == [20]
    assert watched.watchdog.awaited is Awaited.NOTHING


@pytest.mark.parametrize("pongs", [True, False])
def test_a_model_that_may_choose_silence_is_only_asked_whether_it_lives(pongs: bool) -> None:
    watchdog = Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S), proactive=True)
    watched = Watched(watchdog, pongs=pongs).happens((1, spoke))
    watched.until(HOUR_S)
    assert watched.alarms == [(11, PING)] if pongs else [(11, PING), (21, FROZEN)]


@pytest.mark.parametrize("typed", [ASKED, events.InputTranscript("Hi")])
def test_what_a_proactive_model_got_for_certain_is_awaited(typed: object) -> None:
    watchdog = Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S), proactive=True)
    watched = Watched(watchdog, pongs=True).happens((1, spoke), (2, typed))
    watched.until(HOUR_S)
    assert watched.alarms == [(10, STALLED), (22, FROZEN)]


def test_an_announced_turn_is_waited_for_as_long_as_the_connection_lives() -> None:
    watched = Watched(Watchdog(0.0, StallLimits(SAID_S, RECONNECT_S)), pongs=True)
    watched.happens((1, ASKED), (2, words()), (3, events.TurnComplete(1, more_follows=True)))
    watched.until(600.0)
    assert {alarm for _, alarm in watched.alarms} == {PING}
    watched.pongs = False
    watched.until(HOUR_S)
    died_at = 600.0
    assert watched.alarms[-1][1] is FROZEN
    assert watched.alarms[-1][0] <= died_at + RECONNECT_S


STEPS: Final = st.sampled_from(
    [
        ASKED, compose.activity_start(), compose.activity_end(), compose.audio(bytes(640)),
        compose.interruption(), result("c1"), result("c2"), spoke, silenced, any_sign,
        words(), heard(3), events.Thought(1, ""), events.OutputTranscript(1, "a"),
        events.InputTranscript("a"), events.VoiceActivityChanged(active=False),
        events.Interrupted(1), events.GenerationComplete(1), COMPLETE,
        events.TurnComplete(1, interrupted=True), events.TurnComplete(1, more_follows=True),
        called("quick"), called("slow", "c2"), events.ToolCallCancelled(["c1"]),
        events.GoingAway(1.0), events.ResumptionUpdated("h"), events.ResumptionUpdated(None),
    ]
)  # fmt: skip
ANY_ORDER: Final = st.lists(st.tuples(st.floats(0, 30), STEPS), max_size=40)
SIGNS: Final = (any_sign, spoke)


@given(ANY_ORDER, st.booleans(), st.booleans())
def test_in_any_order_no_alarm_comes_early_and_none_that_is_due_stays_away(
    steps: list[tuple[float, object]], proactive: bool, pongs: bool
) -> None:
    limits = StallLimits(SAID_S, RECONNECT_S)
    watchdog = Watchdog(0.0, limits, TWO_KINDS, proactive=proactive)
    watched = Watched(watchdog, pongs=pongs, reconnects=True)
    at, signed_at = 0.0, 0.0
    for pause_s, what in steps:
        at += pause_s
        before = len(watched.alarms)
        watched.until(at)
        for when, alarm in watched.alarms[before:]:
            least = {STALLED: SAID_S, PING: RECONNECT_S / 2, FROZEN: RECONNECT_S}[alarm]
            assert when >= signed_at + least - 1e-6
        watched.happens((at, what))
        if isinstance(what, Event) or what in SIGNS:
            signed_at = at
    before = len(watched.alarms)
    certain = watchdog.awaited in (Awaited.ANSWER, Awaited.TURN)
    awaits = watchdog.awaits
    watched.until(at + HOUR_S)
    alarms = {alarm for _, alarm in watched.alarms[before:]}
    assert not certain or FROZEN in alarms
    assert awaits or not alarms


@given(ANY_ORDER, st.booleans())
def test_off_is_off_in_any_order(steps: list[tuple[float, object]], proactive: bool) -> None:
    watched = Watched(Watchdog(0.0, NO_LIMITS, TWO_KINDS, proactive=proactive))
    at = 0.0
    for pause_s, what in steps:
        at += pause_s
        watched.happens((at, what))
    watched.until(at + HOUR_S)
    assert watched.alarms == []


def test_the_live_view_shows_it_until_something_comes() -> None:
    state = reduce(with_status(ViewState(), connection="connected"), Stalled(8.2))
    assert state.activity == "stalled"
    assert state.lines[-1].text == "No sign of the server for 8 s."
    assert reduce(state, words()).activity != "stalled"


# --- a client over real sockets --------------------------------------------------------------

WITHIN_S: Final = 30.0  # a bound on waiting, not a measure
QUICK: Final = StallLimits(0.2, 0.5)
SETUP: Final = Setup(model="models/m", session_resumption=SessionResumptionConfig())


@asynccontextmanager
async def watching(
    *scripts: Script, limits: StallLimits = QUICK, setup: Setup = SETUP, proactive: bool = False
) -> AsyncIterator[tuple[MeanServer, ResumingClient]]:
    server = MeanServer(*scripts)
    async with asyncio.timeout(WITHIN_S), server.running():
        address = Address(server.address, None, "v1beta", "the test server")

        async def connect(setup: Setup, first_turn: int) -> LiveClient:
            return await LiveClient.connect(address, setup, first_turn=first_turn)

        first = await connect(setup, 1)
        client = ResumingClient(
            first,
            setup,
            connect,
            policy=ReconnectPolicy(first.clock(), random=lambda: 1.0),
            watchdog=Watchdog(first.clock(), limits, setup, proactive=proactive),
        )
        yield server, client
        await client.connection.close()


async def until(client: ResumingClient, kind: type[Event]) -> list[Event]:
    seen: list[Event] = []
    async for event in client:
        seen.append(event)
        if isinstance(event, kind):
            return seen
    raise AssertionError(seen)


async def during(client: ResumingClient, seconds: float) -> list[Event]:
    seen: list[Event] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                seen.append(await anext(client))
    return seen


async def answers(caller: Caller) -> None:
    await caller.set_up()
    await caller.until_asked()
    await caller.say(text("Yes."), DONE)
    await caller.listen()


async def freezes_after_the_setup(caller: Caller) -> None:
    await caller.set_up()
    await caller.freeze()


async def freezes_after_the_question(caller: Caller) -> None:
    await caller.set_up()
    await caller.until_asked()
    await caller.freeze()


async def reads_on_and_says_nothing(caller: Caller) -> None:
    await caller.set_up()
    await caller.listen()


async def pongs_and_says_nothing(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    await caller.until_asked()
    while True:
        caller.writer.write(b"\x89\x00\x8a\x00")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "freezes",
    [
        freezes_after_the_setup,
        freezes_after_the_question,
        reads_on_and_says_nothing,
        pongs_and_says_nothing,
    ],
)
async def test_a_question_to_a_frozen_server_is_asked_again(freezes: Script) -> None:
    async with watching(freezes, answers) as (server, client):
        await client.send(compose.text("Really?"))
        seen = await until(client, TextChunk)
    kinds = [type(event) for event in seen if not isinstance(event, events.ResumptionUpdated)]
    assert kinds == [
        events.SessionOpened, Stalled, Reconnecting, Reconnected, events.SessionOpened, TextChunk,
    ]  # fmt: skip
    assert [message["realtimeInput"]["text"] for message in server.callers[1].messages] == [
        "Really?"
    ]


async def test_sound_that_no_one_reads_does_not_hold_who_sends_it() -> None:
    """Half-dead TCP: the send buffers fill, then sending waits, until the connection is left."""
    chunk = bytes(64_000)

    async def takes(caller: Caller) -> None:
        await caller.set_up()
        await caller.until_asked()
        await caller.say(text("Yes."), DONE)
        await caller.listen()

    async with watching(freezes_after_the_setup, takes) as (server, client):

        async def sends() -> None:
            for _ in range(200):  # more than all buffers on the way hold
                await client.send(compose.audio(chunk))
                client.note_speech(client.connection.clock())
            await client.send(compose.text("Well?"))

        sending = asyncio.create_task(sends())
        seen = await until(client, TextChunk)
        await sending
    assert any(isinstance(event, Reconnecting) for event in seen)
    sent = [message["realtimeInput"] for message in server.callers[1].messages]
    assert len(sent) == 201  # all of it, in its order, though most was on the way already
    assert [*sent[-1]] == ["text"]


async def test_an_answer_that_froze_is_not_waited_for() -> None:
    async def freezes(caller: Caller) -> None:
        await caller.set_up()
        await caller.until_asked()
        await caller.say(text("Well, "))
        await caller.freeze()

    async with watching(freezes, answers) as (server, client):
        await client.send(compose.text("?"))
        seen = await until(client, Reconnected)
        [lost] = [event.lost for event in seen if isinstance(event, Reconnecting)]
        assert lost.turn_lost
        await client.send(compose.text("And?"))
        assert isinstance((await until(client, TextChunk))[-1], TextChunk)
    assert [message["realtimeInput"]["text"] for message in server.callers[1].messages] == ["And?"]


async def test_an_answer_that_plays_longer_than_the_limits_is_no_silence() -> None:
    async def speaks(caller: Caller) -> None:
        await caller.set_up()
        await caller.until_asked()
        await caller.say(sound(2.0))
        await asyncio.sleep(1.5)
        await caller.say(DONE)
        await caller.listen()

    async with watching(speaks) as (server, client):
        await client.send(compose.text("?"))
        seen = await during(client, 2.5)
    assert not any(isinstance(event, Stalled | Reconnecting) for event in seen)
    assert len(server.callers) == 1


LIFE: dict[str, Callable[[Caller], Iterator[object]]] = {
    "handles": lambda _: (handle(f"h{number}") for number in range(1000)),
    "empty messages": lambda _: ({} for _ in range(1000)),
    "thoughts": lambda _: (
        {"serverContent": {"modelTurn": {"parts": [{"text": "hm", "thought": True}]}}}
        for _ in range(1000)
    ),
}


@pytest.mark.parametrize("kind", LIFE)
async def test_long_thinking_that_shows_life_is_waited_for(kind: str) -> None:
    async def thinks(caller: Caller) -> None:
        await caller.set_up()
        await caller.until_asked()
        signs = iter(LIFE[kind](caller))
        for _ in range(30):
            await caller.say(next(signs))
            await asyncio.sleep(0.05)
        await caller.say(text("Yes."), DONE)
        await caller.listen()

    limits = StallLimits(0.6, 1.0)
    async with watching(thinks, limits=limits) as (server, client):
        await client.send(compose.text("?"))
        seen = await until(client, TextChunk)
    assert not any(isinstance(event, Stalled | Reconnecting) for event in seen)
    assert len(server.callers) == 1


@pytest.mark.parametrize("behavior", [None, "NON_BLOCKING"])
async def test_a_call_that_takes_its_time_is_ours(behavior: str | None) -> None:
    functions = [FunctionDeclaration("work", behavior=behavior)]
    setup = Setup(
        model="models/m",
        session_resumption=SessionResumptionConfig(),
        tools=[Tool(function_declarations=functions)],
    )

    async def calls(caller: Caller) -> None:
        await caller.set_up()
        await caller.until_asked()
        await caller.say({"toolCall": {"functionCalls": [{"id": "c1", "name": "work"}]}})
        await caller.listen()

    async with watching(calls, setup=setup) as (server, client):
        await client.send(compose.text("?"))
        seen = await during(client, 1.5)
    assert not any(isinstance(event, Stalled | Reconnecting) for event in seen)
    assert len(server.callers) == 1


async def test_a_model_that_chooses_silence_is_left_alone() -> None:
    async with watching(reads_on_and_says_nothing, proactive=True) as (server, client):
        client.note_speech(client.connection.clock())
        seen = await during(client, 1.5)
    assert not any(isinstance(event, Stalled | Reconnecting) for event in seen)
    assert [caller.pings for caller in server.callers] == [1]


@pytest.mark.parametrize("pongs", [True, False])
async def test_an_announced_turn_is_waited_for_while_pongs_come(pongs: bool) -> None:
    async def thinks(caller: Caller) -> None:
        await caller.set_up()
        await caller.until_asked()
        more = {"turnComplete": True, "interactionStatus": "GENERATING"}
        await caller.say(text("A moment."), {"serverContent": more})
        caller.answers_pings = pongs
        await caller.listen()

    async with watching(thinks, reads_on_and_says_nothing) as (server, client):
        await client.send(compose.text("?"))
        seen = await during(client, 2.0)
    [turn] = [event for event in seen if isinstance(event, events.TurnComplete)]
    assert turn.more_follows
    assert not any(isinstance(event, Stalled) for event in seen)
    assert any(isinstance(event, Reconnecting) for event in seen) is not pongs
    assert server.callers[0].pings >= 3 if pongs else server.callers[0].pings == 1


async def test_a_half_dead_connection_behind_a_silence_in_order_is_left() -> None:
    async def dies(caller: Caller) -> None:
        await caller.set_up()
        caller.answers_pings = False
        await caller.listen()

    async with watching(dies, reads_on_and_says_nothing, proactive=True) as (server, client):
        client.note_speech(client.connection.clock())
        seen = await until(client, Reconnected)
    assert any(isinstance(event, Reconnecting) for event in seen)
    assert not any(isinstance(event, Stalled) for event in seen)
    assert server.callers[0].pings == 1


@pytest.mark.parametrize("idle", [lambda _: None, lambda client: client.note_silenced()])
async def test_who_asks_nothing_waits_for_nothing(idle: Callable[[ResumingClient], None]) -> None:
    async with watching(freezes_after_the_setup) as (server, client):
        idle(client)
        for _ in range(10):
            await client.send(compose.audio(bytes(640)))
        seen = await during(client, 1.5)
    assert [type(event) for event in seen] == [events.SessionOpened]
    assert len(server.callers) == 1


async def test_the_talk_key_may_be_held_for_long() -> None:
    detection = AutomaticActivityDetection(disabled=True)
    manual = RealtimeInputConfig(automatic_activity_detection=detection)
    setup = replace(SETUP, realtime_input_config=manual)
    async with watching(reads_on_and_says_nothing, setup=setup) as (server, client):
        await client.send(compose.activity_start())
        await client.send(compose.audio(bytes(640)))
        seen = await during(client, 1.5)
        assert [type(event) for event in seen] == [events.SessionOpened]
        await client.send(compose.activity_end())
        assert isinstance((await until(client, Stalled))[-1], Stalled)
    assert len(server.callers) == 1


# --- the command -----------------------------------------------------------------------------

SECONDS: Final = {"LIVE_CLI_STALL_S": "1", "LIVE_CLI_STALL_RECONNECT_S": "2"}
"""The shortest that may be set."""
OFF: Final = {"LIVE_CLI_STALL_S": "0", "LIVE_CLI_STALL_RECONNECT_S": "0"}


async def freezes_within_the_answer(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    await caller.until_asked()
    await caller.say(text("Wel"))
    await caller.freeze()


TEXT_FREEZES: Final = {
    "after the setup": freezes_after_the_setup,
    "after the question": freezes_after_the_question,
    "within the answer": freezes_within_the_answer,
    "reads on": reads_on_and_says_nothing,
    "pings": pongs_and_says_nothing,
}


@pytest.mark.parametrize("moment", TEXT_FREEZES)
def test_text_gets_its_answer_from_a_server_that_froze(tmp_path: Path, moment: str) -> None:
    with mean_server(TEXT_FREEZES[moment], answers) as server:
        done = live_cli("text", "Hi", "--server", server.address, home=tmp_path, env=SECONDS)
    assert (done.returncode, done.stdout) == (0, b"Yes.\n"), done.stderr
    told = ["No sign of the server for 1 s.", "Reconnecting …", "Reconnected."]
    assert [line for line in done.stderr.decode().splitlines() if line in told] == told
    assert len(server.callers) == 2


def test_programs_are_told_too(tmp_path: Path) -> None:
    with mean_server(freezes_after_the_question, answers) as server:
        done = live_cli(
            "text", "Hi", "--json", "--server", server.address, home=tmp_path, env=SECONDS
        )
    assert done.returncode == 0, done.stderr
    records = json_lines(done.stdout)
    kinds = [record["type"] for record in records]
    wanted = ["stalled", "reconnecting", "reconnected", "text", "turn_complete"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    [stalled] = of_type(records, "stalled")
    assert stalled["silent_s"] >= 1.0
    [reconnecting] = of_type(records, "reconnecting")
    assert (reconnecting["code"], reconnecting["turn_lost"]) == (1006, False)
    assert reconnecting["reason"].startswith("no sign for ")


@pytest.mark.parametrize("verb", ["text", "talk"])
def test_a_server_that_stays_frozen_ends_in_one_sentence(tmp_path: Path, verb: str) -> None:
    args: dict[str, list[str | Path]] = {
        "text": ["text", "Hi"],
        "talk": ["talk", "--input", QUESTION, "--output", tmp_path / "answer.wav"],
    }
    env = {**SECONDS, "LIVE_CLI_RECONNECT_S": "8"}
    with mean_server(freezes_after_the_setup) as server:
        done = live_cli(*args[verb], "--server", server.address, home=tmp_path, env=env)
    assert done.returncode == 6
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("live-cli: ")
    assert b"Traceback" not in done.stderr
    assert 2 <= len(server.callers) <= 4


async def freezes_within_the_speech(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    for _ in range(40):
        await caller.next()
    await caller.freeze()


async def freezes_after_the_speech(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    await listens(caller)
    await caller.freeze()


async def hears_and_freezes(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    await listens(caller)
    await caller.say({"serverContent": {"inputTranscription": {"text": "How many?"}}})
    await caller.freeze()


async def speaks_and_freezes(caller: Caller) -> None:
    await caller.set_up(handle("h1"))
    await listens(caller)
    await caller.say(sound(0.5))
    await caller.freeze()


async def listens(caller: Caller) -> int:
    """Take sound to the end of the stream; its bytes."""
    taken = 0
    while True:
        given = (await caller.next()).get("realtimeInput", {})
        taken += len(given.get("audio", {}).get("data", ""))
        if "audioStreamEnd" in given or "activityEnd" in given:
            return taken


async def answers_speech(caller: Caller) -> None:
    await caller.set_up(handle("h2"))
    await listens(caller)
    await caller.say(sound(1.0), DONE)
    await caller.listen()


def talk(
    home: Path, server: MeanServer, *args: str | Path, **env: str
) -> tuple[CompletedProcess[bytes], list[dict[str, Any]]]:
    files = ("--input", QUESTION, "--output", home / "answer.wav")
    given = files if "--input" not in args else ("--output", home / "answer.wav")
    done = live_cli("talk", "--json", "--server", server.address, *given, *args, home=home, env=env)
    return done, json_lines(done.stdout)


@pytest.mark.parametrize(
    "freezes", [freezes_within_the_speech, freezes_after_the_speech, hears_and_freezes]
)
def test_talk_gets_its_answer_from_a_server_that_froze(tmp_path: Path, freezes: Script) -> None:
    with mean_server(freezes, answers_speech) as server:
        done, records = talk(tmp_path, server, **SECONDS)
    assert done.returncode == 0, done.stderr
    kinds = [record["type"] for record in records]
    wanted = ["stalled", "reconnecting", "reconnected", "audio", "turn_complete"]
    assert [kind for kind in dict.fromkeys(kinds) if kind in wanted] == wanted
    assert soundfile.info(tmp_path / "answer.wav").duration >= 1.0
    assert server.handles == [None, "h1"]
    # all that was said is said again
    second = server.callers[1].messages
    given = [message["realtimeInput"] for message in second if "realtimeInput" in message]
    heard_s = sum(len(each["audio"]["data"]) for each in given if "audio" in each) * 3 / 4 / 32_000
    assert heard_s >= soundfile.info(QUESTION).duration - 0.1


def test_talk_asks_again_after_an_answer_that_froze(tmp_path: Path) -> None:
    with mean_server(speaks_and_freezes, answers_speech) as server:
        done, records = talk(tmp_path, server, **SECONDS)
    assert done.returncode == 0, done.stderr
    assert of_type(records, "stalled")
    assert [record["turn_lost"] for record in of_type(records, "reconnecting")] == [True]
    assert len(server.callers) == 2
    # what had come of the first answer is there, and all of the second
    assert soundfile.info(tmp_path / "answer.wav").duration >= 0.5 + 1.0


@pytest.mark.parametrize("env", [OFF, {**SECONDS, "LIVE_CLI_STALL_RECONNECT_S": "0"}])
def test_off_waits_for_a_server_that_is_slow(tmp_path: Path, env: dict[str, str]) -> None:
    async def is_slow(caller: Caller) -> None:
        await caller.set_up(handle("h1"))
        await caller.until_asked()
        await asyncio.sleep(4)
        await caller.say(text("Yes."), DONE)
        await caller.listen()

    with mean_server(is_slow) as server:
        done = live_cli("text", "Hi", "--server", server.address, home=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (0, b"Yes.\n")
    assert len(server.callers) == 1
    assert (b"No sign" in done.stderr) is (env is not OFF)


@pytest.mark.parametrize("env", [OFF, {**SECONDS, "LIVE_CLI_STALL_RECONNECT_S": "0"}])
def test_a_slow_answer_to_speech_is_waited_for(tmp_path: Path, env: dict[str, str]) -> None:
    async def is_slow(caller: Caller) -> None:
        await caller.set_up(handle("h1"))
        await listens(caller)
        await asyncio.sleep(5)
        await caller.say(sound(1.0), DONE)
        await caller.listen()

    with mean_server(is_slow) as server:
        done, records = talk(tmp_path, server, **env)
    assert done.returncode == 0, done.stderr
    assert bool(of_type(records, "stalled")) is (env is not OFF)
    assert len(of_type(records, "audio")) == 1
    assert len(server.callers) == 1


def silence(folder: Path) -> Path:
    path = folder / "silence.wav"
    soundfile.write(path, np.zeros(16_000 * 4, np.float32), 16_000)
    return path


def test_a_person_who_does_not_speak_is_not_told_of_a_silent_server(tmp_path: Path) -> None:
    with mean_server(reads_on_and_says_nothing) as server:
        done, records = talk(tmp_path, server, "--input", silence(tmp_path), **SECONDS)
    assert done.returncode == 0, done.stderr
    assert of_type(records, "stalled") == of_type(records, "reconnecting") == []
    assert len(server.callers) == 1


def test_a_model_that_may_choose_silence_may_be_silent_in_a_talk(tmp_path: Path) -> None:
    with mean_server(reads_on_and_says_nothing) as server:
        done, records = talk(tmp_path, server, "--proactive", **SECONDS)
    assert done.returncode == 0, done.stderr
    assert of_type(records, "stalled") == of_type(records, "reconnecting") == []
    assert len(server.callers) == 1


def test_a_talk_key_that_is_held_asks_nothing_yet(tmp_path: Path) -> None:
    """A file is one activity: held over its 3.3 s, which are longer than the limits."""
    with mean_server(answers_speech) as server:
        done, records = talk(tmp_path, server, "--push-to-talk", **SECONDS)
    assert done.returncode == 0, done.stderr
    assert of_type(records, "stalled") == of_type(records, "reconnecting") == []
    assert len(server.callers) == 1
