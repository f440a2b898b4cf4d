"""Moonshine: what it hears, and how sure it is: near 0 of what was said, far below of else."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import soxr

from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber, bundled_folder
from live_cli.engine.backends.stt.moonshine_model import Pieces
from live_cli.engine.speech_in.understanding import UNSURE
from tests.harness.places import DATA
from tests.harness.speech import QUESTION, QUESTION_WORDS, moonshine_asset


@pytest.fixture(scope="module")
def moonshine():
    loaded = MoonshineTranscriber()
    yield loaded
    loaded.close()


def test_a_text_is_parted_as_the_model_writes_it():
    pieces = Pieces((bundled_folder() / "tokenizer.bin").read_bytes())
    written = [1128, 1784, 21152, 947, 263, 11203, 505, 29973]
    assert pieces.encode(QUESTION_WORDS) == written
    assert pieces.decode([1, *written, 2]) == QUESTION_WORDS
    # what is no piece is parted into bytes
    assert pieces.encode("\x07")[-1] == 7 + 3
    assert len(pieces.encode("a" * 10**6)) < 1000


def test_it_is_sure_of_what_was_said_and_of_nothing_else(moonshine):
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    said = moonshine.confidence(samples, QUESTION_WORDS)
    other = moonshine.confidence(samples, "The weather will be fine on Thursday.")
    assert said.tokens == 9
    assert said.mean > -0.3
    assert other.mean < 3 * UNSURE


def test_it_is_as_sure_of_what_it_writes_as_when_it_is_asked(moonshine):
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    text = moonshine.transcribe(samples)
    assert text == QUESTION_WORDS
    known, asked = moonshine.confidence(samples, text), moonshine.confidence(samples.copy(), text)
    assert known.tokens == asked.tokens
    assert abs(known.mean - asked.mean) < 0.05


def test_it_tells_what_else_the_first_word_may_be(moonshine):
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    text = moonshine.transcribe(samples)
    first = dict(moonshine.confidence(samples, text).first_words)
    assert max(first, key=first.get) == text.split()[0]
    assert 0.9 < sum(first.values()) <= 1.001
    begun = samples[: len(samples) // 6]
    guesses = moonshine.confidence(begun, moonshine.transcribe(begun)).first_words
    assert len(guesses) > len(first)
    asked = moonshine.confidence(samples.copy(), text).first_words
    assert dict(asked) == pytest.approx(first, abs=0.02)


def test_it_never_writes_faster_than_anybody_speaks(moonshine):
    noise = np.random.default_rng(1).normal(0, 0.2, 32_000).astype(np.float32)
    assert moonshine.confidence(noise, moonshine.transcribe(noise)).tokens <= 13 + 1


def test_several_may_use_it_at_once(moonshine):
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    with ThreadPoolExecutor(4) as threads:
        heard = set(threads.map(moonshine.transcribe, [samples.copy() for _ in range(8)]))
    assert heard == {QUESTION_WORDS}


@pytest.mark.parametrize("seconds", [0.1, 3, 11, 15])
def test_any_length_of_segment_is_taken(moonshine, seconds):
    samples, rate = soundfile.read(moonshine_asset("two_cities.wav"), dtype="float32")
    segment = np.resize(soxr.resample(samples, rate, 16_000), round(seconds * 16_000))
    text = moonshine.transcribe(segment)
    confidence = moonshine.confidence(segment, text)
    assert confidence.tokens >= 1
    assert confidence.mean > UNSURE or seconds < 1


@pytest.mark.parametrize("language", ["es", "fr", "hi", "it", "ja", "pl", "pt", "zh"])
def test_it_doubts_what_it_makes_of_another_language(moonshine, language):
    samples, _ = soundfile.read(DATA / "other_languages" / f"{language}.flac", dtype="float32")
    text = moonshine.transcribe(samples)
    assert moonshine.confidence(samples, text).mean < UNSURE
