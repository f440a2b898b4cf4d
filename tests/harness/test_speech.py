"""The measure is measured first."""

import pytest

from tests.harness.speech import word_error_rate


@pytest.mark.parametrize(
    ("reference", "heard", "rate"),
    [
        ("one two three", "One, two: three!", 0),
        ("one two three", "", 1),
        ("one two three four", "one two four", 0.25),
        ("one two three four", "one two and three four", 0.25),
        ("one two three four", "one too three four", 0.25),
        ("one two three four", "two three four one", 0.5),
        ("don't well-known", "don’t well known", 0),
        ("a", "b c d", 3),
        ("", "", 0),
    ],
)
def test_rate(reference, heard, rate):
    assert word_error_rate(reference, heard) == rate
