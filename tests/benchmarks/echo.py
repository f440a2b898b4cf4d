"""Echo in simulated rooms: false interruptions, barge-ins found, and how soon.

Each room plays a minute of a reader to a microphone, once alone and once with eight questions
asked over it. The judge is the local server's detector at its own rule; a server never sees more.
"""

import time
from collections.abc import Callable

import numpy as np

from live_cli.audio.echo import EchoCanceller
from live_cli.audio.pcm import Samples
from live_cli.engine.backends.moonshine import MoonshineTranscriber
from live_cli.engine.backends.silero import SileroDetector
from tests.audio.room import (
    BLOCK_MS,
    PLAYED_RATE,
    RATE,
    echo_of,
    model_speech,
    noise,
    said_at,
    through,
)
from tests.benchmarks.row import Row, median
from tests.speech import QUESTION_WORDS, word_error_rate

SECONDS = 62.0
ROOMS = tuple((delay, gain) for delay in (30, 80, 150, 250) for gain in (-6, -12))
ASKED_AT = (6.3, 13.1, 20.2, 27.4, 34.6, 41.3, 48.7, 55.5)
QUESTION_S = 2.6
_FRAMES, _THRESHOLD = 3, 0.5
_FOUND_WITHIN_S = 1.5
_QUIET_FRAMES = 16


def starts(sent: Samples, counts: list[int]) -> list[float]:
    """When the server finds that somebody begins to speak, in seconds of the wall clock."""
    detector = SileroDetector()
    size = detector.frame_samples
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


def room(delay_ms: int, gain_db: float, seed: int) -> tuple[int, list[float], float]:
    """False starts in a minute; how late each question was found, in ms; CPU, % of a core."""
    played = model_speech(SECONDS, seed=seed)
    echo = echo_of(played, delay_ms, gain_db, seed=seed)
    heard = echo + noise(echo.size, seed=seed)
    began = time.process_time()
    sent, _, counts = through(EchoCanceller(), played, heard)
    cpu = (time.process_time() - began) / SECONDS * 100
    false = len(starts(sent, counts))
    sent, _, counts = through(EchoCanceller(), played, heard + said_at(echo.size, *ASKED_AT))
    found = starts(sent, counts)
    late = [
        next((at - asked for at in found if asked <= at < asked + _FOUND_WITHIN_S), None)
        for asked in ASKED_AT
    ]
    return false, [each * 1000 for each in late if each is not None], cpu


def words_wrong() -> tuple[float, float, float]:
    """Percent of the questions' words, asked over the answer: as sent, raw, and without an echo."""
    played = model_speech(SECONDS, seed=101)
    asked = said_at(played.size * RATE // PLAYED_RATE, *ASKED_AT)
    raw = asked + echo_of(played, 80, -6, seed=101) + noise(asked.size, seed=101)
    sent, _, counts = through(EchoCanceller(), played, raw)
    ears = MoonshineTranscriber()

    def wrong(sound: Samples, place: Callable[[float], int]) -> float:
        pieces = [sound[place(at - 0.3) : place(at + QUESTION_S)] for at in ASKED_AT]
        heard = " ".join(ears.transcribe(np.ascontiguousarray(piece)) for piece in pieces)
        return 100 * word_error_rate(" ".join([QUESTION_WORDS] * len(ASKED_AT)), heard)

    def in_sent(at_s: float) -> int:
        return counts[round(at_s * 1000) // BLOCK_MS]

    return wrong(sent, in_sent), wrong(raw, at_rate), wrong(asked, at_rate)


def at_rate(at_s: float) -> int:
    return round(at_s * RATE)


def rows() -> list[Row]:
    sent, raw, clean = words_wrong()
    table = [
        Row("echo, words wrong of what is said over the answer", sent, "%", 0.5, raw, "raw"),
        Row("the same words without an echo", clean, "%", 20.0),
    ]
    cpus = []
    for seed, (delay_ms, gain_db) in enumerate(ROOMS, start=101):
        false, late, cpu = room(delay_ms, gain_db, seed)
        cpus.append(cpu)
        name = f"echo, {delay_ms} ms, {gain_db} dB"
        table += [
            Row(f"{name}: false interruptions", false, "/min", 0),
            Row(f"{name}: questions missed of 8", len(ASKED_AT) - len(late), "", 0),
            Row(f"{name}: found after", median(late) if late else float("inf"), "ms", 250),
        ]
    return [*table, Row("echo cancellation, while it sounds", median(cpus), "% of a core", 6)]
