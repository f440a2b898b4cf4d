"""Two `serve` behind HAProxy with one store, under every failure that lasts minutes to show.

Not part of the test run: `make scale`. What takes seconds is in the tests beside.
"""

import asyncio
import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
import soundfile
from redis import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from live_cli.engine.backends.stt.openai import OpenAITranscriber
from live_cli.engine.backends.tts.openai import OpenAISynthesizer
from live_cli.engine.stages import VoiceTraits
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.balancer import DIRECT
from tests.harness.chat_endpoint import Body, chunk, serving_endpoint
from tests.harness.command import LIMIT_S, json_lines, live_cli, of_type, started
from tests.harness.cut_link import cut_link
from tests.harness.live_client import PATH, SETUP, ending, receive
from tests.harness.redis_server import RedisServer, free_port
from tests.harness.replicas import SCRIPTED, Replicas, replicas
from tests.harness.serve_process import Serve
from tests.harness.speech import speech_like
from tests.net.server.store.test_replicas import answered, opened
from tests.scale.reading import Moment, Reading
from tests.scale.test_killed_replicas import number_in, user_texts

TALKERS, QUESTIONS = 8, 6
REQUESTS = 400
"""Of transcripts and as many of speech, eight at a time."""


def test_two_hundred_words_are_read_and_none_is_lost_or_doubled(
    redis: RedisServer, tmp_path: Path
) -> None:
    moments = itertools.cycle(Moment)
    kills = {turn: next(moments) for turn in range(1, 19, 3)}
    Reading(words_a_turn=10, turns=20, kills=kills).check(redis, tmp_path)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Questions a second long, with time for an answer after each."""
    file = tmp_path / "questions.wav"
    quiet = np.zeros(4 * INPUT_SAMPLE_RATE, np.float32)
    pieces = [piece for _ in range(QUESTIONS) for piece in (speech_like(1.0), quiet)]
    soundfile.write(file, np.concatenate([quiet[::4], *pieces]), INPUT_SAMPLE_RATE)
    return file


def test_eight_talkers_notice_nothing_of_a_rolling_drain(
    redis: RedisServer, questions: Path, tmp_path: Path
) -> None:
    answer = {"LIVE_CLI_ENGINE_CHAT": "scripted:Well, that is a good question."}
    with replicas(tmp_path, redis, SCRIPTED | answer) as (running, address):
        calm = talks(tmp_path, address, questions, lambda: None)

        def roll() -> None:
            for number in (0, 1):
                sleep(5.0)
                running.drain(number)
                running.start(number)

        rolled = talks(tmp_path, address, questions, roll)
    assert sum(len(of_type(each, "reconnected")) for each in rolled) >= TALKERS
    for each in rolled:
        assert len(of_type(each, "turn_complete")) == QUESTIONS
    print("longest gap, ms:", longest_gap_ms(calm), longest_gap_ms(rolled))
    print("longest wait, ms:", longest_wait_ms(calm), longest_wait_ms(rolled))
    assert longest_gap_ms(rolled) <= max(300.0, longest_gap_ms(calm))
    assert longest_wait_ms(rolled) <= 2 * longest_wait_ms(calm) + 300.0


def talks(
    home: Path, address: str, sound: Path, meanwhile: Callable[[], None]
) -> list[list[dict[str, Any]]]:
    """What eight `talk` that ask the same at the same time say, each to its end."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                started(
                    *("talk", "--json", "--server", address, "--input", sound),
                    *("--output", home / f"answer{number}.wav"),
                    home=home,
                    stdin=subprocess.DEVNULL,
                    stdout=stack.enter_context((home / f"talk{number}.json").open("wb")),
                )
            )
            for number in range(TALKERS)
        ]
        meanwhile()
        assert [each.wait(3 * LIMIT_S) for each in running] == [0] * TALKERS
    return [json_lines((home / f"talk{number}.json").read_bytes()) for number in range(TALKERS)]


def longest_gap_ms(talked: list[list[dict[str, Any]]]) -> float:
    turns = [turn for each in talked for turn in of_type(each, "turn_complete")]
    return max(turn["dry_ms"] or 0.0 for turn in turns)


def longest_wait_ms(talked: list[list[dict[str, Any]]]) -> float:
    turns = [turn for each in talked for turn in of_type(each, "turn_complete")]
    return max(turn["latency_ms"] or 0.0 for turn in turns)


async def test_one_use_of_a_token_is_taken_once_of_two_hundred_races(
    redis: RedisServer, tmp_path: Path
) -> None:
    with replicas(tmp_path, redis) as (running, address):
        for _ in range(200):
            token = await asyncio.to_thread(new_token, address)
            racing = [opens(port, token) for port in running.ports for _ in range(2)]
            assert sorted(await asyncio.gather(*racing)) == [0, 1008, 1008, 1008]


def new_token(address: str) -> str:
    with DIRECT.open(f"{address}/v1alpha/auth_tokens", data=b"{}", timeout=30.0) as answer:
        name: str = json.loads(answer.read())["name"]
    return name


async def opens(port: int, token: str) -> int:
    """0 when a session opens with the token, else its close code."""
    path = PATH.replace("v1beta", "v1alpha") + f"Constrained?access_token={token}"
    async with connect(f"ws://127.0.0.1:{port}{path}", proxy=None) as client:
        with suppress(ConnectionClosed):
            await client.send(json.dumps(SETUP))
            assert "setupComplete" in await receive(client)
            return 0
    assert client.close_code is not None
    return client.close_code


def test_the_store_dies_and_comes_back_and_a_replica_dies_after_it(
    redis: RedisServer, tmp_path: Path
) -> None:
    """A store that keeps nothing on a disk: what is said while it is away is in the next handle."""
    lines = [f"This is line {number}." for number in range(40)]
    with serving_endpoint() as endpoint:
        settings = SCRIPTED | {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}
        with replicas(tmp_path, redis, settings) as (running, address):

            def answer(body: Body) -> Iterator[Any]:
                number = number_in(user_texts(body)[-1])
                if number == 10:
                    redis.kill()
                elif number == 20:
                    redis.start()
                    until_ready(running, "ready\n")
                elif number == 30 and not killed:
                    killed.append(running.serving())
                    running.kill(killed[0])
                yield chunk(f"You said: {lines[number]}")
                yield "[DONE]"

            killed: list[int] = []
            endpoint.answer = answer
            to = ("text", "-", "--server", address)
            done = live_cli(*to, home=tmp_path, stdin="\n".join(lines))
            assert done.returncode == 0, done.stderr
            assert done.stdout.decode().splitlines() == [f"You said: {line}" for line in lines]
            assert user_texts(endpoint.asked[-1][2]) == lines
            assert killed


def until_ready(running: Replicas, words: str) -> None:
    """Wait until both replicas say so of themselves."""
    for port in running.ports:
        until = monotonic() + LIMIT_S
        while DIRECT.open(f"http://127.0.0.1:{port}/readyz").read().decode() != words:
            assert monotonic() < until
            sleep(0.1)


async def test_a_zombie_s_history_is_never_newer_than_that_of_who_took_the_session(
    redis: RedisServer, tmp_path: Path
) -> None:
    """One replica is cut off from the store, and its client goes on with it meanwhile."""
    with (
        serving_endpoint() as endpoint,
        cut_link(redis.port) as link,
        replicas(
            tmp_path,
            redis,
            SCRIPTED | {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"},
            first=f"redis://127.0.0.1:{link.port}/0",
        ) as (running, _),
    ):
        endpoint.answer = lambda body: [chunk(f"Yes: {user_texts(body)[-1]}"), "[DONE]"]
        there, here = (f"ws://127.0.0.1:{port}{PATH}" for port in running.ports)
        async with connect(there, proxy=None) as zombie:
            await opened(zombie)
            _, update = await answered(zombie, "I am Ada.")
            link.cut()
            assert await answered(zombie, "One to the zombie.") == ("Yes: One to the zombie.", {})
            async with connect(here, proxy=None) as living:
                await opened(living, update["newHandle"])
                _, newer = await answered(living, "Who am I?")
            await answered(zombie, "Two to the zombie.")
            link.mend()
            assert (await ending(zombie))[0] == 1000
        async with connect(there, proxy=None) as later:
            await opened(later, newer["newHandle"])
            await answered(later, "And now?")
        assert user_texts(endpoint.asked[-1][2]) == ["I am Ada.", "Who am I?", "And now?"]
        client = Redis(port=redis.port)
        kept = [client.hget(key, "data") for key in client.scan_iter("live-cli:handle:*")]
        assert kept
        assert not [data for data in kept if data and b"zombie" in data]
        client.close()


def test_a_server_of_stages_dies_under_load_and_no_request_is_lost(tmp_path: Path) -> None:
    """Two `live-cli stages`, used by their addresses alone; one is killed, and later the other."""
    with ExitStack() as stack:

        def started_stages(port: int) -> Serve:
            command = ("stages", "--port", str(port))
            process = stack.enter_context(
                started(*command, home=tmp_path, env=SCRIPTED, stderr=subprocess.PIPE)
            )
            stages = Serve(process, tmp_path)
            stages.until(r"^Ready\.$")
            return stages

        ports = [free_port() for _ in range(2)]
        served = [started_stages(port) for port in ports]
        spec = ",".join(f"http://127.0.0.1:{port}/v1" for port in ports)
        transcriber, synthesizer = OpenAITranscriber(spec), OpenAISynthesizer(spec)
        sound = np.zeros(INPUT_SAMPLE_RATE, np.float32)
        asked = itertools.count()

        def ask(_: int) -> tuple[str, int]:
            if (number := next(asked)) == REQUESTS // 4:
                served[0].process.kill()
            elif number == REQUESTS // 2:
                served[0] = started_stages(ports[0])
                served[1].process.kill()
            speech = synthesizer.speak("Well, that is a question.", VoiceTraits(name="Kore"))
            return transcriber.transcribe(sound), sum(map(len, speech))

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(REQUESTS)))
        assert set(answers) == {answers[0]}
        assert answers[0][0] == "Hello."
        assert answers[0][1] > 24_000
