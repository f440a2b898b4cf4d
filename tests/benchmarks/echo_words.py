"""Words said over the answer: how many of them are wrong in what is sent, by canceller.

Recorded readers, 138 words in eight phrases, twice over the bundled synthesizer's voice, which is
elsewhere in its text each time. Either it reads on, as a server lets it that does not notice, or
it stops 0.35 s after somebody has begun.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import numpy as np

from live_cli.audio.echo.canceller import EchoCanceller
from live_cli.audio.pcm import Samples
from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber
from live_cli.engine.backends.tts.hibari import HibariSynthesizer
from live_cli.engine.stages import VoiceTraits
from tests.benchmarks.echo_peers import nothing, speex, webrtc
from tests.benchmarks.row import Row
from tests.harness.simulated_room import (
    LEAD_S,
    LEVEL_DBFS,
    PLAYED_RATE,
    RATE,
    Canceller,
    Room,
    echo_in,
    noise,
    question,
    spoken,
    through,
)
from tests.harness.speech import (
    BECKETT,
    QUESTION_WORDS,
    TWO_CITIES,
    moonshine_asset,
    word_error_rate,
)

CUTS_S = (0.0, 8.5, 16.8, 24.4, 28.7, 42.3)
"""Pauses of the reader of two cities."""
WORDS = " ".join((TWO_CITIES, BECKETT, QUESTION_WORDS))
ANSWER = (
    "Bread begins with flour, water, salt and a little patience. Mix them by hand until nothing "
    "dry is left in the bowl, then leave the dough under a cloth for half an hour. Fold it over "
    "itself four times, turning the bowl each time, and do the same again whenever you walk past. "
    "By the evening it will have doubled. Shape it on a table, gently, so that the air stays "
    "inside, and put it into a basket in a cold place overnight. Heat the oven as high as it will "
    "go, with a heavy pot in it. The loaf bakes covered for twenty minutes and open for twenty "
    "more, until the crust is dark and sounds hollow when you knock on it."
)
_FIRST_S, _BETWEEN_S = 8.0, 4.0
_STOPS_AFTER_S, _GOES_ON_AFTER_S = 0.35, 1.0
_BEGINS_S = (0.0, 17.0)
_BEFORE_S, _AFTER_S = 0.3, 0.5

BUDGETS = {(False, -6): 15.0, (False, 4): 20.0, (True, -6): 10.0, (True, 4): 10.0}
"""Percent of the words, by whether the answer stops and how loud its echo is, in dB."""

MAKERS: dict[str, Callable[[], Canceller]] = {
    "ours": EchoCanceller,
    "ours, ungated": lambda: EchoCanceller(gated=False),
    "raw": nothing,
    "AEC3": lambda: webrtc(suppressing=False),
    "AEC3+NS": lambda: webrtc(suppressing=True),
    "Speex": speex,
}


@lru_cache
def phrases() -> list[Samples]:
    reader = spoken(moonshine_asset("two_cities.wav"), RATE)
    edges = [int(at * RATE) for at in CUTS_S] + [reader.size]
    cut = [reader[start:end] for start, end in pairwise(edges)]
    return [*cut, spoken(moonshine_asset("beckett.wav"), RATE), question()]


def spans() -> list[tuple[float, float]]:
    """When each phrase begins and ends, in seconds."""
    found, at = [], _FIRST_S
    for phrase in phrases():
        found.append((at, at + phrase.size / RATE))
        at = found[-1][1] + _BETWEEN_S
    return found


@lru_cache
def said() -> Samples:
    sound = np.zeros(int(spans()[-1][1] + 2) * RATE, dtype=np.float32)
    for (start_s, _), phrase in zip(spans(), phrases(), strict=True):
        start = int(start_s * RATE)
        sound[start : start + phrase.size] = phrase
    return sound


@lru_cache
def read_aloud() -> Samples:
    once = np.concatenate(list(HibariSynthesizer().speak(ANSWER, VoiceTraits())))
    loud = once[np.abs(once) > 0.01 * np.abs(once).max()]
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(loud**2))
    return (once * gain).astype(np.float32)


def answer(*, stops: bool, begins_s: float) -> Samples:
    """What is played, at 24 kHz, over and over; ``begins_s``: where in it."""
    once = np.roll(read_aloud(), -int(begins_s * PLAYED_RATE))
    sound = np.resize(once, said().size * PLAYED_RATE // RATE)
    sound[: int(LEAD_S * PLAYED_RATE)] = 0
    for start_s, end_s in spans() if stops else []:
        stop = int((start_s + _STOPS_AFTER_S) * PLAYED_RATE)
        sound[stop : int((end_s + _GOES_ON_AFTER_S) * PLAYED_RATE)] = 0
    return sound


def wrong(ears: MoonshineTranscriber, sent: Samples) -> float:
    """Percent of the words. What is sent is the microphone's, sample for sample, whoever sends."""
    pieces = [
        sent[int((start_s - _BEFORE_S) * RATE) : int((end_s + _AFTER_S) * RATE)]
        for start_s, end_s in spans()
    ]
    heard = " ".join(ears.transcribe(np.ascontiguousarray(piece)) for piece in pieces)
    return 100 * word_error_rate(WORDS, heard)


def conversations(gain_db: float, *, stops: bool) -> list[tuple[Samples, Samples]]:
    """What is played and what the microphone hears."""
    room, background = Room(gain_db=gain_db), noise(said().size)
    answers = [answer(stops=stops, begins_s=begins_s) for begins_s in _BEGINS_S]
    return [(played, said() + background + echo_in(room, played)) for played in answers]


def rows() -> list[Row]:
    ears = MoonshineTranscriber()
    clean = wrong(ears, said() + noise(said().size))
    table = []
    for (stops, gain_db), budget in BUDGETS.items():
        held = conversations(gain_db, stops=stops)
        by = {
            name: sum(wrong(ears, through(make(), *each)[0]) for each in held) / len(held)
            for name, make in MAKERS.items()
        }
        ours = by.pop("ours")
        what = "stops" if stops else "goes on"
        name = f"words wrong over an answer that {what}, echo {gain_db:+} dB"
        table.append(Row(name, ours, "%", budget, beside=(*by.items(), ("no echo", clean))))
    return table
