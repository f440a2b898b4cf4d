"""Echo in simulated rooms: false interruptions, barge-ins found, and how soon; ours and others'.

Each room plays a minute of a reader to a microphone, once alone and once with eight questions
asked over it. The judge is the local server's detector at its own rule; a server never sees more.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from live_cli.audio.echo.canceller import EchoCanceller
from live_cli.audio.pcm import Samples
from live_cli.engine.backends.vad.silero import SileroDetector
from tests.benchmarks import echo_words
from tests.benchmarks.echo_peers import nothing, speex, webrtc
from tests.benchmarks.row import Row, median
from tests.harness.simulated_room import (
    BLOCK_MS,
    HARD_ROOMS,
    Canceller,
    Room,
    echo_in,
    model_speech,
    noise,
    said_at,
    through,
)

ROOMS = {
    f"{delay_ms} ms, {gain_db} dB": Room(delay_ms, gain_db)
    for delay_ms in (30, 80, 150, 250)
    for gain_db in (-6, -12)
}
_FRAMES, _THRESHOLD = 3, 0.5
_FOUND_WITHIN_S = 1.5
_QUIET_FRAMES = 16

MAKERS: dict[str, Callable[[], Canceller]] = {
    "ours": EchoCanceller,
    "AEC3+NS": lambda: webrtc(suppressing=True),
    "Speex": speex,
    "none": nothing,
}
IN_HARD_ROOMS = ("ours", "AEC3+NS")
HARD_SEEDS = (201, 202, 203)
"""One minute says little of what happens once or twice in it."""


@dataclass(frozen=True)
class Script:
    """How long a reader reads, and when questions are asked over it, in seconds."""

    seconds: float
    asked_at: tuple[float, ...]


MINUTE = Script(62.0, (6.3, 13.1, 20.2, 27.4, 34.6, 41.3, 48.7, 55.5))
SMALL = Script(9.0, (6.3,))


@dataclass(frozen=True)
class Minute:
    """Of one canceller in one room."""

    asked: int
    false: int
    found_after_ms: list[float]
    cpu: float
    """% of a core."""


def starts(sent: Samples, counts: list[int]) -> list[float]:
    """When the server finds that somebody begins to speak, in seconds of the wall clock."""
    detector = SileroDetector()
    size = detector.window_samples
    found: list[float] = []
    run = quiet = 0
    open_ = False
    for end in range(size, sent.size + 1, size):
        loud = detector.probability(np.ascontiguousarray(sent[end - size : end])) >= _THRESHOLD
        run, quiet = (run + 1, 0) if loud else (0, quiet + 1)
        if open_:
            open_ = quiet < _QUIET_FRAMES
        elif run >= _FRAMES:
            open_ = True
            found.append((int(np.searchsorted(counts, end)) + 1) * BLOCK_MS / 1000)
    return found


def minute(make: Callable[[], Canceller], room: Room, seed: int, script: Script) -> Minute:
    played = model_speech(script.seconds, seed=seed)
    echo = echo_in(room, played, seed=seed)
    heard = echo + noise(echo.size, seed=seed)
    began = time.process_time()
    sent, _, counts = through(make(), played, heard)
    cpu = (time.process_time() - began) / script.seconds * 100
    false = len(starts(sent, counts))
    sent, _, counts = through(make(), played, heard + said_at(echo.size, *script.asked_at))
    found = starts(sent, counts)
    late = [1000 * (at - asked) for asked in script.asked_at for at in _first_after(asked, found)]
    return Minute(len(script.asked_at), false, late, cpu)


def _first_after(asked: float, found: list[float]) -> list[float]:
    return [at for at in found if asked <= at < asked + _FOUND_WITHIN_S][:1]


def minutes(
    names: Iterable[str], room: Room, seeds: Iterable[int], script: Script
) -> dict[str, list[Minute]]:
    return {name: [minute(MAKERS[name], room, seed, script) for seed in seeds] for name in names}


def room_rows(name: str, by: dict[str, list[Minute]], budget: int) -> list[Row]:
    """What is found without a canceller is whatever the echo happens to say: a false start."""
    asked = sum(minute.asked for minute in by["ours"])
    real = {other: each for other, each in by.items() if other != "none"}
    return [
        row(f"echo, {name}: false interruptions", "/min", budget, by, false_a_minute),
        row(f"echo, {name}: questions missed of {asked}", "", budget, real, missed),
        row(f"echo, {name}: found after", "ms", 250, real, found_after_ms),
    ]


def row(
    what: str,
    unit: str,
    budget: float,
    by: dict[str, list[Minute]],
    figure: Callable[[list[Minute]], float],
) -> Row:
    figures = {name: figure(each) for name, each in by.items()}
    ours = figures.pop("ours")
    return Row(what, ours, unit, budget, beside=tuple(figures.items()))


def false_a_minute(each: list[Minute]) -> float:
    return sum(minute.false for minute in each) / len(each)


def missed(each: list[Minute]) -> float:
    return sum(minute.asked - len(minute.found_after_ms) for minute in each)


def found_after_ms(each: list[Minute]) -> float:
    late = [ms for minute in each for ms in minute.found_after_ms]
    return median(late) if late else float("inf")


def cpu(each: list[Minute]) -> float:
    return median([minute.cpu for minute in each])


def rows(small: bool = False) -> list[Row]:
    """Takes five minutes, or more on a busy machine."""
    script, rooms = (SMALL, 1) if small else (MINUTE, None)
    table = echo_words.rows(small)
    spent: dict[str, list[Minute]] = {name: [] for name in MAKERS}
    for seed, (name, room) in enumerate(list(ROOMS.items())[:rooms], start=101):
        by = minutes(MAKERS, room, [seed], script)
        table += room_rows(name, by, budget=0)
        for each in MAKERS:
            spent[each] += by[each]
    for name, room in list(HARD_ROOMS.items())[:rooms]:
        by = minutes(IN_HARD_ROOMS, room, HARD_SEEDS[:rooms], script)
        table += room_rows(name, by, budget=1)
    return [*table, row("echo cancellation", "% of a core", 6, spent, cpu)]
