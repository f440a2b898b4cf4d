"""A turn is first heard at its first loud sample, and at that for good."""

import numpy as np
import pytest

from live_cli.audio.playback.first_sounds import AUDIBLE, FirstSounds
from live_cli.audio.playback.playout import Span

RATE = 24_000


def test_silence_and_hiss_at_a_turn_s_begin_are_not_heard():
    sounds = FirstSounds()
    hiss = np.full(480, AUDIBLE / 2, np.float32)
    sounds.note(hiss, [Span(1, 0, 0, 480)], at=10.0)
    assert sounds.times == {}
    word = hiss.copy()
    word[240:] = -0.2
    sounds.note(word, [Span(1, 0, 480, 480)], at=10.02)
    assert sounds.times == {1: pytest.approx(10.02 + 240 / RATE)}
    sounds.note(word, [Span(1, 0, 960, 480)], at=10.04)
    assert sounds.times == {1: pytest.approx(10.03)}


def test_each_turn_of_a_block_has_its_own_time():
    sounds = FirstSounds()
    block = np.full(480, 0.1, np.float32)
    block[200:300] = 0
    sounds.note(block, [Span(1, 0, 0, 200), Span(2, 250, 0, 230)], at=1.0)
    assert sounds.times == {1: 1.0, 2: pytest.approx(1 + 300 / RATE)}


def test_what_is_kept_is_bounded():
    sounds = FirstSounds()
    for turn in range(1, 1000):
        sounds.note(np.ones(10, np.float32), [Span(turn, 0, 0, 10)], at=float(turn))
    assert len(sounds.times) == 64
    assert max(sounds.times) == 999
