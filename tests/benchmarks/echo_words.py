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


def words(small: bool) -> str:
    """The words of the phrases."""
    return QUESTION_WORDS if small else " ".join((TWO_CITIES, BECKETT, QUESTION_WORDS))


@lru_cache
def phrases(small: bool) -> list[Samples]:
    """What is said over the answer, piece by piece; in small the question alone."""
    if small:
        return [question()]
    reader = spoken(moonshine_asset("two_cities.wav"), RATE)
    edges = [int(at * RATE) for at in CUTS_S] + [reader.size]
    cut = [reader[start:end] for start, end in pairwise(edges)]
    return [*cut, spoken(moonshine_asset("beckett.wav"), RATE), question()]


def spans(small: bool) -> list[tuple[float, float]]:
    """When each phrase begins and ends, in seconds."""
    found, at = [], _FIRST_S
    for phrase in phrases(small):
        found.append((at, at + phrase.size / RATE))
        at = found[-1][1] + _BETWEEN_S
    return found


@lru_cache
def said(small: bool) -> Samples:
    """The phrases in their places, at 16 kHz."""
    sound = np.zeros(int(spans(small)[-1][1] + 2) * RATE, dtype=np.float32)
    for (start_s, _), phrase in zip(spans(small), phrases(small), strict=True):
        start = int(start_s * RATE)
        sound[start : start + phrase.size] = phrase
    return sound


@lru_cache
def read_aloud(small: bool) -> Samples:
    """The answer in the bundled synthesizer's voice, at 24 kHz; in small its first sentence."""
    text = ANSWER.partition(".")[0] if small else ANSWER
    once = np.concatenate(list(HibariSynthesizer().speak(text, VoiceTraits())))
    loud = once[np.abs(once) > 0.01 * np.abs(once).max()]
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(loud**2))
    return (once * gain).astype(np.float32)


def answer(*, stops: bool, begins_s: float, small: bool) -> Samples:
    """What is played, at 24 kHz, over and over; ``begins_s``: where in it."""
    once = np.roll(read_aloud(small), -int(begins_s * PLAYED_RATE))
    sound = np.resize(once, said(small).size * PLAYED_RATE // RATE)
    sound[: int(LEAD_S * PLAYED_RATE)] = 0
    for start_s, end_s in spans(small) if stops else []:
        stop = int((start_s + _STOPS_AFTER_S) * PLAYED_RATE)
        sound[stop : int((end_s + _GOES_ON_AFTER_S) * PLAYED_RATE)] = 0
    return sound


def wrong(transcriber: MoonshineTranscriber, sent: Samples, small: bool) -> float:
    """Percent of the words. What is sent is the microphone's, sample for sample, whoever sends."""
    pieces = [
        sent[int((start_s - _BEFORE_S) * RATE) : int((end_s + _AFTER_S) * RATE)]
        for start_s, end_s in spans(small)
    ]
    heard = " ".join(transcriber.transcribe(np.ascontiguousarray(piece)) for piece in pieces)
    return 100 * word_error_rate(words(small), heard)


def conversations(gain_db: float, *, stops: bool, small: bool) -> list[tuple[Samples, Samples]]:
    """What is played and what the microphone hears."""
    room, voice, background = Room(gain_db=gain_db), said(small), noise(said(small).size)
    begins = _BEGINS_S[:1] if small else _BEGINS_S
    answers = [answer(stops=stops, begins_s=begins_s, small=small) for begins_s in begins]
    return [(played, voice + background + echo_in(room, played)) for played in answers]


def rows(small: bool = False) -> list[Row]:
    transcriber = MoonshineTranscriber()
    clean = wrong(transcriber, said(small) + noise(said(small).size), small)
    table = []
    for (stops, gain_db), budget in list(BUDGETS.items())[: 1 if small else None]:
        held = conversations(gain_db, stops=stops, small=small)
        by = {
            name: sum(wrong(transcriber, through(make(), *each)[0], small) for each in held)
            / len(held)
            for name, make in MAKERS.items()
        }
        ours = by.pop("ours")
        what = "stops" if stops else "goes on"
        name = f"words wrong over an answer that {what}, echo {gain_db:+} dB"
        table.append(Row(name, ours, "%", budget, beside=(*by.items(), ("no echo", clean))))
    return table
