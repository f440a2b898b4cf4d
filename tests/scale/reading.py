"""A text that `talk` reads to two replicas, of which one is killed now and then.

The words are tones, each with its number, so that every one that is lost or doubled is found. A
replica is killed in the middle of an utterance, when it has heard the first half; in the middle of
an answer, when its first clause is being played and the second has not been made; or when all of
the answer has come, and is still being played.
"""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from queue import Queue
from time import monotonic
from typing import Any

import numpy as np
import soundfile

from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.chat_endpoint import Body, chunk, serving_endpoint
from tests.harness.command import LIMIT_S
from tests.harness.redis_server import RedisServer
from tests.harness.replicas import SCRIPTED, Replicas, replicas
from tests.harness.talking import Talk, talking
from tests.harness.tone_words import hearing, numbers_in, spoken

_HALF_TIME_S = 0.3
"""A pause that is told, and ends no turn."""
_BETWEEN_S = 2.5
"""For the end of a turn, its answer, and a little."""


class Moment(Enum):
    """When, in a turn, a replica is killed."""

    SPEECH = auto()
    ANSWER = auto()
    PLAYING = auto()


@dataclass
class Reading:
    """``turns`` utterances of ``words_a_turn`` words; replicas are killed at the ``kills``."""

    words_a_turn: int
    turns: int
    kills: dict[int, Moment]
    _due: Queue[tuple[int, float]] = field(default_factory=Queue)
    """Turns in which the replica is to be killed with the next sound, and from when on."""
    _killed_in: set[int] = field(default_factory=set)
    _struck: threading.Event = field(default_factory=threading.Event)

    @property
    def words(self) -> range:
        return range(self.words_a_turn * self.turns)

    def check(self, redis: RedisServer, home: Path) -> None:
        """Read, kill, and find every word once in the history at the end, in order."""
        file = home / "reading.wav"
        soundfile.write(file, self._sound(), INPUT_SAMPLE_RATE)
        with hearing(self._on_heard) as ears, serving_endpoint() as endpoint:
            endpoint.answer = self._answer
            settings = SCRIPTED | {
                "LIVE_CLI_ENGINE_TRANSCRIBER": f"openai:{ears.base}",
                "LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}",
            }
            files = ("--input", file, "--output", home / "answer.wav")
            with (
                replicas(home, redis, settings) as (running, address),
                talking(None, home, "--server", address, *files) as talk,
            ):
                for _ in self.kills:
                    self._kill_one(running, talk)
                talk.until("session_close")
                assert talk.process.wait(LIMIT_S) == 0
            said = [each["content"] for each in endpoint.asked[-1][2]["messages"][1:]]
        assert numbers_in(" ".join(said)) == [*self.words], said
        back = [each for each in talk.records if each["type"] == "reconnected"]
        assert [each["restored"] for each in back] == [True] * len(self.kills)
        told = " ".join(each["text"] for each in talk.records if each["type"] == "input_transcript")
        assert numbers_in(told) == [*self.words], told
        answers = [each for each in talk.records if each["type"] == "output_transcript"]
        ended = re.findall(r"that was turn (\d+)", "".join(each["text"] for each in answers))
        assert ended == [str(turn) for turn in range(self.turns)]

    def _kill_one(self, running: Replicas, talk: Talk) -> None:
        """Wait for the next moment, kill the replica that serves, and start it anew."""
        turn, since = self._due.get(timeout=LIMIT_S)
        while self.kills[turn] is not Moment.SPEECH:
            if talk.until("audio")["read_at"] >= since:
                break
        if self.kills[turn] is Moment.PLAYING:
            talk.during(0.3, "audio")  # all that comes at once; it plays for longer
        at = running.serving()
        running.kill(at)
        self._struck.set()
        running.start(at)

    def _on_heard(self, heard: list[int]) -> None:
        """Let a replica be killed that has heard the first half of an utterance."""
        turn, place = divmod(max(heard, default=0), self.words_a_turn)
        if place == self.words_a_turn // 2 - 1:
            self._kill_in(turn, Moment.SPEECH)

    def _answer(self, body: Body) -> Iterator[Any]:
        heard = numbers_in(body["messages"][-1]["content"])
        turn, place = divmod(max(heard, default=0), self.words_a_turn)
        is_whole = place == self.words_a_turn - 1
        yield chunk("Well, I see. ")
        yield chunk("Now, ")
        if is_whole:
            self._kill_in(turn, Moment.ANSWER)
        yield chunk(f"that was turn {turn}.")
        yield "[DONE]"
        if is_whole:
            self._kill_in(turn, Moment.PLAYING)

    def _kill_in(self, turn: int, moment: Moment) -> None:
        """Let the replica be killed, where it is to be at that moment and was not yet."""
        if self.kills.get(turn) is moment and turn not in self._killed_in:
            self._killed_in.add(turn)
            self._struck.clear()
            self._due.put((turn, monotonic()))
            if moment is not Moment.PLAYING:
                assert self._struck.wait(LIMIT_S)

    def _sound(self) -> "np.ndarray[Any, Any]":
        pieces = [_silence(1.0)]
        for turn in range(self.turns):
            first = turn * self.words_a_turn
            half = first + self.words_a_turn // 2
            pieces += [spoken(range(first, half)), _silence(_HALF_TIME_S)]
            pieces += [spoken(range(half, first + self.words_a_turn)), _silence(_BETWEEN_S)]
        return np.concatenate(pieces)


def _silence(seconds: float) -> "np.ndarray[Any, Any]":
    return np.zeros(round(seconds * INPUT_SAMPLE_RATE), np.float32)
