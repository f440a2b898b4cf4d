"""The silence around what is spoken a piece at a time."""

import numpy as np
import pytest

from live_cli.engine.backends.tts.pauses import pause_after, without_padding

RATE = 24_000


@pytest.mark.parametrize(
    ("text", "pause_ms"),
    [
        ("That is all.", 350),
        ('He said "no!" ', 350),
        ("**Really?**\n", 350),
        ("Well,", 160),
        ("the following:", 160),
        ("and then the", 40),
        ("", 40),
    ],
)
def test_the_mark_at_the_end_says_how_long(text: str, pause_ms: int) -> None:
    assert pause_after(text) * 1000 / RATE == pause_ms


def test_padding_goes_and_every_sound_stays() -> None:
    first, last = np.full(100, 0.003, np.float32), np.full(100, 0.001, np.float32)
    padded = np.concatenate([np.zeros(5000), first, np.zeros(9000), last, np.zeros(5000)])
    kept = without_padding(padded.astype(np.float32), 1000)
    assert kept.size == 240 + 100 + 9000 + 100 + 1000
    assert np.flatnonzero(kept).size == 200


def test_the_hiss_before_the_first_word_is_no_sound() -> None:
    hiss = np.full(2000, 0.001, np.float32)
    kept = without_padding(np.concatenate([hiss, np.full(100, 0.1, np.float32)]), 1000)
    assert kept.size == 240 + 100


def test_what_ends_sooner_is_not_made_longer_and_silence_is_nothing() -> None:
    sound = np.full(100, 0.1, np.float32)
    assert without_padding(sound, 1000).size == 100
    assert without_padding(np.zeros(100, np.float32), 1000).size == 0
