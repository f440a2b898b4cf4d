"""Speech that the English engine does not understand is said to be so, and not made nonsense of."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from live_cli.catalog import NOT_UNDERSTOOD, UNDETERMINED
from tests.harness.command import live_cli
from tests.harness.places import DATA
from tests.harness.speech import BECKETT, QUESTION, QUESTION_WORDS, moonshine_asset, word_error_rate

LANGUAGES = ("es", "fr", "hi", "it", "ja", "pl", "pt", "zh")
RATE = 16_000


def clip(language: str) -> Path:
    return DATA / "other_languages" / f"{language}.flac"


def samples_of(path: Path) -> np.ndarray:
    sound, rate = soundfile.read(path, dtype="float32")
    return soxr.resample(sound, rate, RATE)


def by_telephone(sound: np.ndarray) -> np.ndarray:
    """300 to 3,400 Hz at 8 kHz, in the eight bits of G.711's µ-law."""
    spectrum, hertz = np.fft.rfft(sound), np.fft.rfftfreq(sound.size, 1 / RATE)
    band = np.fft.irfft(spectrum * ((hertz > 300) & (hertz < 3400)), sound.size)
    narrow = soxr.resample(band / np.abs(band).max() * 0.7, RATE, 8_000)
    small = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    small = np.round(small * 127) / 127
    wide = np.sign(small) * (256 ** np.abs(small) - 1) / 255
    return soxr.resample(wide, 8_000, RATE).astype(np.float32)


def in_noise(sound: np.ndarray, snr_db: float) -> np.ndarray:
    speech = sound[np.abs(sound) > 0.01]
    level = np.sqrt(np.mean(speech**2)) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(7).standard_normal(sound.size).astype(np.float32)
    return (sound + level * noise).astype(np.float32)


def test_each_of_eight_languages_is_noticed_and_the_ways_out_are_told(tmp_path):
    done = live_cli("transcribe", *map(clip, LANGUAGES), "--no-names", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split("\n") == [NOT_UNDERSTOOD] * len(LANGUAGES) + [""]
    told = [line for line in done.stderr.decode().splitlines() if "not understood" in line]
    assert len(told) == len(LANGUAGES)
    for line, language in zip(told, LANGUAGES, strict=True):
        assert line.startswith(f"live-cli: the speech in {clip(language)} was not understood")
        assert "--server gemini" in line
        assert "--language CODE, or auto (live-cli languages)" in line


def test_what_is_english_in_between_is_written_and_the_rest_marked_once(tmp_path):
    silence = np.zeros(RATE, np.float32)
    question = samples_of(QUESTION)
    foreign = [part for language in ("pl", "fr") for part in (samples_of(clip(language)), silence)]
    path = tmp_path / "mixed.wav"
    soundfile.write(path, np.concatenate([question, silence, *foreign, question]), RATE)
    done = live_cli("transcribe", path, "--format", "json", home=tmp_path)
    said = json.loads(done.stdout)["segments"] if done.returncode == 0 else done.stderr
    assert [each["text"] for each in said] == [QUESTION_WORDS, NOT_UNDERSTOOD, QUESTION_WORDS]
    assert said[1].get("language", UNDETERMINED) == UNDETERMINED
    assert b"the speech at 0:04 of" in done.stderr


@pytest.mark.parametrize("how", ["clean", "by telephone", "in noise", "by telephone in noise"])
def test_english_is_not_doubted(tmp_path, how):
    sound = samples_of(moonshine_asset("beckett.wav"))
    sound = in_noise(sound, 15) if "noise" in how else sound
    sound = by_telephone(sound) if "telephone" in how else sound
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    done = live_cli("transcribe", tmp_path / "a.wav", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert word_error_rate(BECKETT, done.stdout.decode()) < 0.35
