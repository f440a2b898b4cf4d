"""Speech with known words, and how to compare words."""

import importlib.util
import re
from pathlib import Path

from tests.harness.places import DATA

QUESTION = DATA / "question.flac"
QUESTION_WORDS = "How many legs does a dog have?"


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


def word_errors(reference: str, heard: str) -> int:
    """Substitutions, deletions and insertions (Levenshtein distance over words)."""
    wanted, got = words(reference), words(heard)
    row = list(range(len(got) + 1))
    for place, word in enumerate(wanted, start=1):
        diagonal, row[0] = row[0], place
        for column, other in enumerate(got, start=1):
            cost = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], cost
    return row[-1]


def word_error_rate(reference: str, heard: str) -> float:
    """Errors per word of the reference; above 1 when more was made up than there was to hear."""
    return word_errors(reference, heard) / max(1, len(words(reference)))
