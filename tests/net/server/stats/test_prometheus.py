"""The server's counts, read back from the text that Prometheus reads."""

import asyncio
import base64
import json
import subprocess
import sys

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.engine import LiveEngine
from live_cli.engine.stages import StageNames
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.stats.counts import AnswerTimer, NoCounts
from live_cli.net.server.stats.prometheus import PrometheusCounts
from live_cli.protocol.events import (
    ActivityEnded,
    AudioReceived,
    AudioStreamEnded,
    ContentReceived,
    Event,
    TextReceived,
)
from live_cli.protocol.messages import ServerContent, ServerMessage
from tests.harness.live_client import WITHIN_S, ending, receive, say, set_up
from tests.harness.live_server import LiveServer, running_server
from tests.harness.scripted_engine import text
from tests.harness.speech import speech_like

Samples = dict[tuple[str, ...], float]


def read(body: str) -> Samples:
    """(name, values of its labels in their alphabetical order…) -> value."""
    return {
        (
            sample.name.removeprefix("live_cli_"),
            *map(sample.labels.get, sorted(sample.labels)),
        ): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }


async def samples(server: LiveServer) -> Samples:
    status, headers, body = await server.ask("GET", "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    return read(body)


async def test_sessions_turns_and_bytes_are_counted() -> None:
    stages = [("chat", "gguf", True), ("transcriber", "moonshine", False)]
    limits = Limits(sessions=2)
    async with running_server(counts=PrometheusCounts(lambda: stages), limits=limits) as server:
        async with server.connect() as one, server.connect() as other:
            await set_up(one)
            await one.send(say("turn"))
            await receive(one)
            server.engine.sessions[0].finish.set()
            await receive(one)
            await set_up(other)
            async with server.connect() as third:
                assert (await ending(third))[0] == 1013
            async with server.connect("/nowhere") as lost:
                assert (await ending(lost))[0] == 1008
            assert (await samples(server))["sessions_open",] == 2
            await other.send("garbage")
            assert (await ending(other))[0] == 1007
        async with asyncio.timeout(WITHIN_S):
            for session in server.engine.sessions:
                await session.closed.wait()
        while (got := await samples(server))["sessions_open",]:
            pass
    expected = {
        ("sessions_total",): 2,
        ("refused_total", "full"): 1,
        ("refused_total", "path"): 1,
        ("sessions_ended_total", "1007"): 1,
        ("sessions_ended_total", "1000"): 1,
        ("messages_total", "in"): 4,
        ("messages_total", "out"): 4,
        ("turns_total",): 1,
        ("interruptions_total",): 0,
        ("first_answer_seconds_count",): 1,
        ("stage_ready", "gguf", "chat"): 1,
        ("stage_ready", "moonshine", "transcriber"): 0,
    }
    assert {name: got[name] for name in expected} == expected
    assert got["message_bytes_total", "in"] > len(say("turn"))


async def test_the_event_loop_is_watched() -> None:
    async with running_server(counts=PrometheusCounts()) as server, asyncio.timeout(WITHIN_S):
        await asyncio.sleep(0.3)
        while not (await samples(server))["event_loop_lag_seconds_count",]:
            pass


async def test_spoken_turns_are_timed_where_the_server_detects_them() -> None:
    names = StageNames("scripted", "scripted", "scripted:Good day.", "scripted", "silence")
    engine = LiveEngine(names)
    sound = pcm16_from_float(np.concatenate([speech_like(1.0), np.zeros(24_000, np.float32)]))
    async with running_server(engine=engine, counts=PrometheusCounts()) as server:
        async with server.connect() as client:
            await set_up(client)
            data = base64.b64encode(sound).decode()
            for start in range(0, len(data), 4000):
                blob = {"data": data[start : start + 4000], "mimeType": "audio/pcm;rate=16000"}
                await client.send(json.dumps({"realtimeInput": {"audio": blob}}))
            while "modelTurn" not in (await receive(client)).get("serverContent", {}):
                pass
        got = await samples(server)
        assert got["first_answer_seconds_count",] == 1
        assert got["first_answer_seconds_sum",] > 0
    await engine.close()


def test_codes_of_clients_do_not_swell_it() -> None:
    counts = PrometheusCounts()
    for code in range(3000, 4999):
        counts.open()
        counts.close(code)
    counted = read(counts.text().decode())
    assert counted["sessions_ended_total", "other"] == 1999
    assert len(counted) < 100


async def test_it_is_behind_the_key() -> None:
    async with running_server(counts=PrometheusCounts(), keys=["s3cret"]) as server:
        for headers, status in ((), 403), (("x-goog-api-key: s3cret",), 200):
            assert (await server.ask("GET", "/metrics", "host: localhost", *headers))[0] == status
    async with running_server() as server:
        assert (await server.get("/metrics"))[0] == 404


class Answers(NoCounts):
    def __init__(self) -> None:
        self.timed: list[float] = []

    def answer(self, seconds: float) -> None:
        self.timed.append(seconds)


REPLY, DONE = text("well"), ServerMessage(server_content=ServerContent(turn_complete=True))
CUT = ServerMessage(server_content=ServerContent(interrupted=True))
TURN_BEGINS = None
ASKS = TextReceived("hello")


@pytest.mark.parametrize(
    ("happens", "timed"),
    [
        ([ASKS, REPLY, REPLY, DONE], [1]),
        ([ActivityEnded(), REPLY, DONE], [1]),
        ([AudioStreamEnded(), REPLY, DONE], [1]),
        ([ContentReceived([], False), REPLY], []),
        ([ContentReceived([], True), ASKS, REPLY], [1]),
        ([AudioReceived(b"", 1), REPLY, DONE], []),
        ([AudioReceived(b"", 1), TURN_BEGINS, AudioReceived(b"", 1), REPLY, DONE], [2]),
        ([TURN_BEGINS, REPLY, TURN_BEGINS, CUT, DONE, REPLY], [1, 3]),
        ([ASKS, DONE, REPLY], []),  # the model chose silence; what comes next is not its answer
        ([ASKS, REPLY, ASKS, CUT, DONE, REPLY, DONE], [1, 3]),
        ([ASKS, REPLY, DONE, ASKS, REPLY, DONE], [1, 1]),
    ],
)
def test_answers_are_timed_from_the_end_of_the_input(
    happens: list[Event | ServerMessage | None], timed: list[float]
) -> None:
    answers = Answers()
    timer = AnswerTimer(answers)
    for now, what in enumerate(happens):
        if what is TURN_BEGINS:
            timer.note_turn(now)
        elif isinstance(what, Event):
            timer.note_event(what, now)
        else:
            timer.note_message(what, now)
    assert answers.timed == timed


def test_the_child_of_a_command_carries_none_of_it() -> None:
    loaded = (
        "import sys, live_cli.commands.serve.child, live_cli.net.server.app\n"
        "print('prometheus_client' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=WITHIN_S
    )
    assert done.stdout == "False\n"
