"""`live-cli` behind HAProxy while replicas are killed: nothing of a session is lost or doubled."""

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Any

from tests.harness.chat_endpoint import Body, called, chunk, serving_endpoint
from tests.harness.command import LIMIT_S, started
from tests.harness.redis_server import RedisServer
from tests.harness.replicas import SCRIPTED, Replicas, replicas
from tests.scale.reading import Moment, Reading

LINES = [f"This is line {number}." for number in range(50)]
ASKS = tuple(number for number in range(50) if number % 5 in (2, 4))
"""The lines at which the model calls a function: twenty."""
TOOL = '''
def look(number: int) -> str:
    """Look something up."""
    with open("{runs}", "a") as file:
        file.write(f"{{number}}\\n")
    return f"found {{number}}"
'''


class When(Enum):
    """When, within the turn of a line, a replica is killed."""

    BEFORE_THE_ANSWER = auto()
    AMID_THE_ANSWER = auto()
    AFTER_THE_RESULT = auto()


class EchoModel:
    """Repeats each line, some after a function call; kills the replica that asks at ``kills``."""

    def __init__(self, running: Replicas, kills: dict[int, When]) -> None:
        self._running = running
        self._kills = kills
        self._whole = threading.Event()
        self._whole.set()

    def answer(self, body: Body) -> Iterator[Any]:
        last = body["messages"][-1]
        number = number_in(user_texts(body)[-1])
        if last["role"] == "user":
            self._strike(number, When.BEFORE_THE_ANSWER)
            if number in ASKS:
                yield called("look", f"c{number}", number=number)
                yield "[DONE]"
                return
        else:
            self._strike(number, When.AFTER_THE_RESULT)
        yield chunk("You said: This ")
        self._strike(number, When.AMID_THE_ANSWER)
        yield chunk(f"is line {number}.")
        yield "[DONE]"

    def _strike(self, number: int, moment: When) -> None:
        """Kill whoever asks, once, and start it anew."""
        if self._kills.get(number) is moment:
            del self._kills[number]
            assert self._whole.wait(LIMIT_S)  # both run
            self._whole.clear()
            at = self._running.serving()
            self._running.kill(at)
            threading.Thread(target=self._start, args=(at,)).start()

    def _start(self, number: int) -> None:
        self._running.start(number)
        self._whole.set()

    def until_whole(self) -> None:
        assert self._whole.wait(LIMIT_S)


def number_in(line: str) -> int:
    found = re.search(r"\d+", line)
    assert found is not None
    return int(found[0])


def user_texts(body: Body) -> list[str]:
    return [each["content"] for each in body["messages"] if each["role"] == "user"]


def test_typed_lines_and_results_of_functions(redis: RedisServer, tmp_path: Path) -> None:
    """Fifty lines, twenty of which make the model call a function, and four kills."""
    runs, tools = tmp_path / "runs", tmp_path / "tools.py"
    tools.write_text(TOOL.format(runs=runs))
    kills = {
        6: When.AMID_THE_ANSWER,
        15: When.BEFORE_THE_ANSWER,
        24: When.AFTER_THE_RESULT,
        37: When.AMID_THE_ANSWER,  # of a line with a call
    }
    with serving_endpoint() as endpoint:
        settings = SCRIPTED | {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}
        with replicas(tmp_path, redis, settings) as (running, address):
            model = EchoModel(running, kills)
            endpoint.answer = model.answer
            with started(
                *("text", "-", "--server", address, "--tools", tools, "--allow", "look"),
                home=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as text:
                said, noted = text.communicate("\n".join(LINES), LIMIT_S)
            model.until_whole()
            assert text.returncode == 0, noted
            assert kills == {}
            assert noted.count("Reconnected.") == 4
            assert said.splitlines() == [f"You said: {line}" for line in LINES]
            last = endpoint.asked[-1][2]
            assert user_texts(last) == LINES
            results = [each["content"] for each in last["messages"] if each["role"] == "tool"]
            assert [number_in(each) for each in results] == [*ASKS]
            ran = Counter(int(each) for each in runs.read_text().split())
            assert ran == Counter(ASKS)


def test_what_is_said_aloud(redis: RedisServer, tmp_path: Path) -> None:
    """Read by `talk`: replicas die while they listen, answer, and have answered."""
    kills = {0: Moment.SPEECH, 1: Moment.ANSWER, 2: Moment.PLAYING}
    Reading(words_a_turn=8, turns=4, kills=kills).check(redis, tmp_path)
