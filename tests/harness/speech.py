"""Speech with known words, a tone in place of speech, and how to compare words."""

import importlib.util
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.places import DATA

QUESTION = DATA / "question.flac"
QUESTION_WORDS = "How many legs does a dog have?"
_TONE_HZ = 180.0


def speech_like(seconds: float, sample_rate: int = INPUT_SAMPLE_RATE) -> Samples:
    """A steady tone, which the scripted detector takes for speech."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.3 * np.sin(2 * np.pi * _TONE_HZ * time)).astype(np.float32)


def moonshine_asset(name: str) -> Path:
    """A recording that the recogniser's package ships."""
    spec = importlib.util.find_spec("moonshine_voice")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "assets" / name


TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
    "age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the "
    "season of Light, it was the season of Darkness, it was the spring of hope, it was the winter "
    "of despair, we had everything before us, we had nothing before us, we were all going direct "
    "to Heaven, we were all going direct the other way - in short, the period was so far like the "
    "present period, that some of its noisiest authorities insisted on its being received, for "
    "good or for evil, in the superlative degree of comparison only."
)
BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."


def words(text: str) -> list[str]:
    """Lower case, without punctuation; hyphens part words, apostrophes do not."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*", text.lower().replace("’", "'"))


def letters(text: str) -> list[str]:
    """The letters, marks and digits of any script, in lower case and one form."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return [letter for letter in normal if unicodedata.category(letter)[0] in "LMN"]


def word_errors(reference: str, heard: str) -> int:
    """Substitutions, deletions and insertions of words."""
    return _distance(words(reference), words(heard))


def word_error_rate(reference: str, heard: str) -> float:
    """Errors per word of the reference; above 1 when more was made up than there was to hear."""
    return word_errors(reference, heard) / max(1, len(words(reference)))


def character_error_rate(reference: str, heard: str) -> float:
    """Errors per letter of the reference, spaces and marks aside: for any language."""
    return _distance(letters(reference), letters(heard)) / max(1, len(letters(reference)))


def _distance(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Levenshtein's."""
    row = list(range(len(got) + 1))
    for place, one in enumerate(wanted, start=1):
        diagonal, row[0] = row[0], place
        for column, other in enumerate(got, start=1):
            cost = min(row[column] + 1, row[column - 1] + 1, diagonal + (one != other))
            diagonal, row[column] = row[column], cost
    return row[-1]
