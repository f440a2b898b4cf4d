"""Predicted spectra, read where they mean something."""

import numpy as np
import pytest

from live_cli.engine.backends.tts.envelopes import harmonics_of, moved, stretched
from live_cli.engine.stages import VoiceTraits

BINS = 601
F0 = np.full(4, 200.0, np.float32)  # ten bins of 20 Hz a harmonic
OWN = VoiceTraits()
HARMONICS = np.arange(10, BINS, 10)


def test_what_stands_between_harmonics_is_not_heard() -> None:
    slope = np.repeat(np.linspace(0, -6, BINS, dtype=np.float32)[:, None], 4, axis=1)
    peaks = slope.copy()
    peaks[[15, 47, 333]] += 7
    magnitudes, _ = harmonics_of(peaks, np.zeros_like(peaks), F0, OWN)
    np.testing.assert_allclose(magnitudes[10:], slope[10:], atol=1e-5)
    np.testing.assert_allclose(magnitudes[:10], slope[[10] * 10], atol=1e-5)


def test_the_harmonics_stay_as_they_are() -> None:
    rng = np.random.default_rng(1)
    predicted = rng.standard_normal((BINS, 4)).astype(np.float32)
    turned = rng.standard_normal((BINS, 4)).astype(np.float32)
    magnitudes, angles = harmonics_of(predicted, turned, F0, OWN)
    np.testing.assert_array_equal(magnitudes[HARMONICS], predicted[HARMONICS])
    np.testing.assert_array_equal(angles[HARMONICS], turned[HARMONICS])
    np.testing.assert_array_equal(angles[[16, 24]], turned[[20, 20]])
    assert magnitudes.dtype == angles.dtype == np.float32


@pytest.mark.parametrize(
    ("f0", "spacings"),
    [
        ([200, 0, 0, 100], [10, 10, 5, 5]),
        ([0, 0, 200, 0], [10, 10, 10, 10]),
        ([100, 60, 0, 200], [5, 5, 10, 10]),  # 60 Hz: on its way to unvoiced
    ],
)
def test_frames_without_voice_go_by_the_nearest_that_has_one(
    f0: list[int], spacings: list[int]
) -> None:
    predicted = np.random.default_rng(2).standard_normal((BINS, 4)).astype(np.float32)
    _, angles = harmonics_of(predicted, predicted, np.asarray(f0, np.float32), OWN)
    for frame, spacing in enumerate(spacings):
        np.testing.assert_array_equal(angles[0, frame], predicted[spacing, frame])
        assert np.isin(angles[:, frame], predicted[spacing::spacing, frame]).all()


def test_a_whisper_stays_as_it_is() -> None:
    predicted = np.random.default_rng(3).standard_normal((BINS, 4)).astype(np.float32)
    magnitudes, angles = harmonics_of(predicted, predicted, np.zeros(4, np.float32), OWN)
    np.testing.assert_array_equal(magnitudes, predicted)
    np.testing.assert_array_equal(angles, predicted)


@pytest.mark.parametrize("pitch", [0.62, 1.3])
@pytest.mark.parametrize("timbre", [0.86, 1.0, 1.1])
def test_a_harmonic_of_another_voice_turns_as_one(pitch: float, timbre: float) -> None:
    angles = np.random.default_rng(4).standard_normal((BINS, 4)).astype(np.float32)
    _, turned = harmonics_of(angles, angles, F0, VoiceTraits(pitch=pitch, timbre=timbre))
    for number in range(1, int(500 / (10 * pitch))):
        middle = number * 10 * pitch
        lobe = turned[round(middle - 2) : round(middle + 2) + 1, 0]
        source = 10 * round(number * pitch / timbre)
        assert set(lobe) == {angles[max(source, 10), 0]}


def test_formants_move_with_the_harmonics() -> None:
    hill = np.exp(-(((np.arange(BINS) - 100) / 30) ** 2)).astype(np.float32)
    predicted = np.repeat(hill[:, None], 4, axis=1)
    for timbre in (0.86, 1.0, 1.1):
        voice = VoiceTraits(pitch=0.7, timbre=timbre)
        magnitudes, _ = harmonics_of(predicted, predicted, F0, voice)
        assert np.argmax(magnitudes[:, 0]) == pytest.approx(100 * timbre, abs=1)


@pytest.mark.parametrize("factor", [0.86, 1.0, 1.1])
def test_a_formant_goes_where_the_factor_says(factor: float) -> None:
    hill = np.exp(-(((np.arange(BINS) - 100) / 12) ** 2)).astype(np.float32)[:, None]
    assert np.argmax(stretched(hill, factor)) == pytest.approx(100 * factor, abs=1)
    assert np.argmax(moved(hill, factor)) == pytest.approx(100 * factor, abs=1)
