"""A hum is told from a word by its sound."""

import numpy as np
import pytest

from live_cli.engine.conversation.floor.hum import is_hum
from tests.benchmarks.spoken import said

_VOICES = (0, 8, 16, 24)


@pytest.mark.parametrize("number", _VOICES)
@pytest.mark.parametrize("text", ["Mm-hmm.", "Hmm."])
def test_a_hum_is_one(text, number):
    assert is_hum(said(text, number).samples)


@pytest.mark.parametrize("number", _VOICES)
@pytest.mark.parametrize("text", ["No.", "What?", "Stop.", "Uh-huh."])
def test_a_word_is_none(text, number):
    assert not is_hum(said(text, number).samples)


def test_silence_and_nothing_are_none():
    assert not is_hum(np.zeros(1600, np.float32))
    assert not is_hum(np.zeros(0, np.float32))
