"""Which segments of speech are denoised, and when a denoiser is made."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from live_cli.audio.noise.denoiser import Denoiser, DenoiserError
from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.engine.speech_in.endpointer import EndpointingRules, SpeechEnded
from live_cli.engine.speech_in.noise_reduction import NoiseReduction, noise_reduction
from live_cli.engine.speech_in.segmenter import Segment, Segmenter
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.audio.noise.test_denoised_stream import LateDenoiser
from tests.harness.noises import pink, with_noise
from tests.harness.speech import speech_like


class Silencer(LateDenoiser):
    """Takes everything out."""

    def process(self, samples: Samples) -> Samples:
        return 0 * super().process(samples)


def utterance(snr_db: float | None) -> Samples:
    """Two seconds of what the scripted detector takes for speech, between silences."""
    silence = np.zeros(INPUT_SAMPLE_RATE, np.float32)
    sound = np.concatenate([silence, speech_like(2.0), silence])
    return sound if snr_db is None else with_noise(sound, pink(4.0, 1), snr_db)


class KnowingDetector:
    """Knows where the utterances are."""

    window_samples = 512

    def __init__(self) -> None:
        self._at = 0
        self.levels: list[float] = []

    def probability(self, window: Samples) -> float:
        self.levels.append(float(np.mean(window**2)))
        at_s = self._at / INPUT_SAMPLE_RATE % 4
        self._at += self.window_samples
        return float(1 <= at_s < 3)

    def reset(self) -> None:
        self._at = 0


def segments(
    samples: Samples,
    noise: NoiseReduction | None,
    piece: int = 320,
    detector: KnowingDetector | None = None,
) -> list[Segment]:
    segmenter = Segmenter(detector or KnowingDetector(), EndpointingRules(), noise)
    events = []
    for start in range(0, samples.size, piece):
        data = pcm16_from_float(samples[start : start + piece])
        events += segmenter.push(data, INPUT_SAMPLE_RATE)
    events += segmenter.flush()
    return [segment for event, segment in events if isinstance(event, SpeechEnded) and segment]


class Begin:
    """Counts the denoisers that were made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Denoiser:
        self.made += 1
        return Silencer()


@pytest.mark.parametrize(
    ("snr_db", "always", "denoised"),
    [(None, False, False), (40, False, False), (8, False, True), (None, True, True)],
)
def test_only_noisy_segments_are_denoised_and_only_they_need_a_denoiser(snr_db, always, denoised):
    begin = Begin()
    sound = utterance(snr_db)
    (plain,) = segments(sound, None)
    (heard,) = segments(sound, NoiseReduction(begin, always=always))
    assert heard.noisy is denoised
    assert begin.made == denoised
    assert (heard.start_s, heard.end_s) == (plain.start_s, plain.end_s)
    assert heard.samples.size == plain.samples.size
    if denoised:  # 9 dB quieter: the rest is covered
        level = np.sqrt(np.mean(heard.samples**2) / np.mean(plain.samples**2))
        assert level == pytest.approx(10 ** (-9 / 20), abs=0.05)
    else:
        assert np.array_equal(heard.samples, plain.samples)


def test_one_denoiser_serves_a_stream_and_the_pieces_do_not_matter():
    begin = Begin()
    sound = np.tile(utterance(8), 3)
    by_frames = segments(sound, NoiseReduction(begin), 320)
    at_once = segments(sound, NoiseReduction(Begin()), INPUT_SAMPLE_RATE)
    assert begin.made == 1
    assert [each.noisy for each in by_frames] == [True, True, True]
    for one, other in zip(by_frames, at_once, strict=True):
        assert one.samples.size == other.samples.size
        assert np.mean((one.samples - other.samples) ** 2) < 0.01 * np.mean(one.samples**2)


def test_the_detector_judges_denoised_sound_while_it_is_noisy_and_all_of_it():
    noisy, quiet = utterance(8), utterance(None)
    sound = np.concatenate([noisy, noisy, quiet, quiet, quiet])
    plain, judge = KnowingDetector(), KnowingDetector()
    segments(sound, None, detector=plain)
    segments(sound, NoiseReduction(Begin()), detector=judge)
    assert len(judge.levels) == len(plain.levels)
    second, last = slice(130, 245), slice(-60, None)  # windows of 32 ms
    ratio = np.sum(judge.levels[second]) / np.sum(plain.levels[second])
    assert ratio == pytest.approx(10 ** (-9 / 10), rel=0.1)
    assert judge.levels[last] == plain.levels[last]


def test_speech_that_ends_with_the_stream_is_whole():
    sound = utterance(8)[: 3 * INPUT_SAMPLE_RATE]
    (heard,) = segments(sound, NoiseReduction(LateDenoiser))
    last = heard.samples[-480:]
    assert np.sqrt(np.mean(last**2)) > 0.5 * np.sqrt(np.mean(heard.samples**2))


def test_a_denoiser_that_does_not_load_is_told_once_and_all_is_heard(caplog):
    def fails() -> Denoiser:
        raise DenoiserError("it is broken")

    with caplog.at_level(logging.WARNING):
        heard = segments(np.tile(utterance(8), 2), NoiseReduction(fails))
    assert [each.noisy for each in heard] == [False, False]
    assert [record.getMessage() for record in caplog.records] == [
        "speech is heard with its noise: it is broken"
    ]


def test_nothing_is_made_where_it_is_off():
    assert noise_reduction("off") is None
    assert noise_reduction("auto") is not None


def test_clean_speech_loads_no_denoiser():
    code = """
from tests.engine.speech_in.test_noise_reduction import *
assert not segments(utterance(None), noise_reduction("auto"))[0].noisy
maps = open("/proc/self/maps").read()
assert "deepfilter" not in maps
assert segments(utterance(8), noise_reduction("auto"))[0].noisy
assert "deepfilter" in open("/proc/self/maps").read()
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("/proc is Linux's")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
