"""How many replicas, servers of stages and calls of the store a number of talkers needs.

python -m tests.scale.sizing [FIGURES.json]

Reckoned from the costs that tests/benchmarks measures (``python -m tests.benchmarks --json FILE
talking idle store stage_costs``; those of one machine are in ``figures.json``), and from how people
talk (`Talk`). Servers of stages are found by a simulation of the requests, which come at random and
wait for each other: the fewest cores at which the 95th percentile of the waits is short.
"""

import heapq
import json
import math
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from live_cli.net.server.store.redis_scripts import HANDLES_OF_A_SESSION

FIGURES = Path(__file__).with_name("figures.json")
BUSY: Final = 0.7
"""The share of a core that is planned with: beyond it everything waits for everything."""
WAIT_S: Final = 0.1
"""The 95th percentile of what a request may wait for a free core of its stage."""
SIMULATED: Final = 10_000
"""Requests of each stage."""
CORES: Final = 4
"""Of a replica; its loop is one core, its detectors' threads the others."""
COUNTS: Final = (1000, 10_000, 100_000)
MOST_SESSIONS: Final = 10_000
"""`max_sessions` at most."""


@dataclass(frozen=True)
class Talk:
    """How one person talks to a model: a question and an answer every ``turn_s`` seconds."""

    turn_s: float = 20.0
    asked_s: float = 4.0
    heard_twice: float = 1.5
    """A pause is transcribed, and again where the speech goes on."""
    answered_s: float = 5.0
    written: int = 25
    """Tokens of an answer."""
    read: int = 25
    """Tokens of a turn that are not in the prompt's cache."""
    history: int = 450
    """Tokens of a history, all of which are read after a move."""
    connection_s: float = 600.0
    """How long a connection lasts: then the session moves."""


TALK: Final = Talk()


@dataclass(frozen=True)
class Costs:
    """The measured costs: processor seconds, milliseconds, megabytes."""

    line_share: float
    idle_mb: float
    hear_s: float
    read_s: float
    write_s: float
    speak_s: float
    calls_a_turn: float
    calls_a_move: float
    keep_s: float
    """Of the store's own core; the other calls cost it less."""
    history_bytes: float

    @classmethod
    def of(cls, figures: Mapping[str, Mapping[str, float]]) -> "Costs":
        def value(what: str) -> float:
            return float(figures[what]["value"])

        [idle] = [what for what in figures if what.endswith("silent sessions: memory of each")]
        return cls(
            line_share=value("a talking session, stages elsewhere: of a core") / 100,
            idle_mb=value(idle),
            hear_s=value("cpu: a second of speech transcribed"),
            read_s=value("cpu: a token read") / 1e3,
            write_s=value("cpu: a token written") / 1e3,
            speak_s=value("cpu: a second of speech made"),
            calls_a_turn=value("store: calls of a turn"),
            calls_a_move=value("store: calls of a session that moves"),
            keep_s=value("store: its own processor time for a history kept") / 1e3,
            history_bytes=value("store: bytes of a history of twenty turns"),
        )


@dataclass(frozen=True)
class Sizes:
    """What ``talkers`` need."""

    talkers: int
    replica_cores: int
    replicas: int
    transcriber_cores: int
    chat_cores: int
    synthesizer_cores: int
    store_calls_s: float
    store_share: float
    """Of the one core that a store has."""
    store_mb_s: float
    stored_gb: float
    """What the newest handles of each session take."""
    move_s: float
    """Processor time of a move: the prefill."""


def sizes(talkers: int, costs: Costs, talk: Talk = TALK, seed: int = 1) -> Sizes:
    """Return what ``talkers`` that talk like ``talk`` need."""
    turns_s = talkers / talk.turn_s
    moves_s = talkers / talk.connection_s
    replica_cores = math.ceil(talkers * costs.line_share / BUSY)
    hear_s = costs.hear_s * talk.asked_s
    chat_s = costs.read_s * talk.read + costs.write_s * talk.written
    speak_s = costs.speak_s * talk.answered_s
    calls_s = turns_s * costs.calls_a_turn + moves_s * costs.calls_a_move
    return Sizes(
        talkers,
        replica_cores,
        max(math.ceil(replica_cores / CORES), math.ceil(talkers / MOST_SESSIONS)),
        cores_for(turns_s * talk.heard_twice, hear_s, seed),
        cores_for(turns_s, chat_s, seed),
        cores_for(turns_s, speak_s, seed),
        calls_s,
        calls_s * costs.keep_s,
        turns_s * costs.calls_a_turn * costs.history_bytes / 1e6,
        talkers * HANDLES_OF_A_SESSION * costs.history_bytes / 1e9,
        costs.read_s * talk.history,
    )


def cores_for(requests_s: float, each_s: float, seed: int) -> int:
    """Return the fewest cores at which requests of ``each_s`` wait `WAIT_S` at most, in 95 of 100.

    They come at random times, and take between half and one and a half of ``each_s``.
    """
    chance = random.Random(seed)
    arrivals, now = [], 0.0
    for _ in range(SIMULATED):
        now += chance.expovariate(requests_s)
        arrivals.append((now, each_s * chance.uniform(0.5, 1.5)))
    least = max(1, math.ceil(requests_s * each_s))
    return _least(lambda cores: wait_s(arrivals, cores) <= WAIT_S, least)


def wait_s(arrivals: Sequence[tuple[float, float]], cores: int) -> float:
    """Return the 95th percentile of the waits, first come first served."""
    free = [0.0] * cores
    waits = []
    for came, takes in arrivals:
        begins = max(came, heapq.heappop(free))
        waits.append(begins - came)
        heapq.heappush(free, begins + takes)
    return sorted(waits)[len(waits) * 95 // 100] if waits else 0.0


def _least(holds: Callable[[int], bool], start: int) -> int:
    """Return the least number from ``start`` on for which ``holds``, which stays true."""
    high = start
    while not holds(high):
        high *= 2
    low = start
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def markdown(all_sizes: Sequence[Sizes]) -> str:
    """Return the sizes as the table of docs/scale.md."""
    lines: tuple[tuple[str, Callable[[Sizes], str]], ...] = (
        (f"`serve`, of {CORES} cores", lambda each: f"{each.replicas:,}"),
        ("cores for transcribers", lambda each: f"{each.transcriber_cores:,}"),
        ("cores for chat models", lambda each: f"{each.chat_cores:,}"),
        ("cores for synthesizers", lambda each: f"{each.synthesizer_cores:,}"),
        ("calls of the store a second", lambda each: f"{each.store_calls_s:,.0f}"),
        ("of the store's one core", lambda each: f"{each.store_share:.1%}"),
        ("histories written, MB a second", lambda each: f"{each.store_mb_s:,.1f}"),
        ("histories kept, GB", lambda each: f"{each.stored_gb:,.2f}"),
    )
    rows = [["talkers", *(f"{each.talkers:,}" for each in all_sizes)], ["---"] * 4]
    rows += [[what, *(told(each) for each in all_sizes)] for what, told in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    measured = Costs.of(json.loads(file.read_text(encoding="utf-8")))
    print(markdown([sizes(count, measured) for count in COUNTS]))
