"""Predicted spectra, read where they mean something."""

import numpy as np
import pytest

from live_cli.engine.backends.envelopes import at_harmonics, moved, stretched

BINS = 601
F0 = np.full(4, 200.0, np.float32)  # ten bins of 20 Hz a harmonic
HARMONICS = np.arange(10, BINS, 10)


def test_what_stands_between_harmonics_is_not_heard() -> None:
    slope = np.repeat(np.linspace(0, -6, BINS, dtype=np.float32)[:, None], 4, axis=1)
    peaks = slope.copy()
    peaks[[15, 47, 333]] += 7
    magnitudes, _ = at_harmonics(peaks, np.zeros_like(peaks), F0)
    np.testing.assert_allclose(magnitudes[10:], slope[10:], atol=1e-5)
    np.testing.assert_allclose(magnitudes[:10], slope[[10] * 10], atol=1e-5)


def test_the_harmonics_stay_as_they_are() -> None:
    rng = np.random.default_rng(1)
    predicted = rng.standard_normal((BINS, 4)).astype(np.float32)
    turned = rng.standard_normal((BINS, 4)).astype(np.float32)
    magnitudes, angles = at_harmonics(predicted, turned, F0)
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
    _, angles = at_harmonics(predicted, predicted, np.asarray(f0, np.float32))
    for frame, spacing in enumerate(spacings):
        np.testing.assert_array_equal(angles[0, frame], predicted[spacing, frame])
        assert np.isin(angles[:, frame], predicted[spacing::spacing, frame]).all()


def test_a_whisper_stays_as_it_is() -> None:
    predicted = np.random.default_rng(3).standard_normal((BINS, 4)).astype(np.float32)
    magnitudes, angles = at_harmonics(predicted, predicted, np.zeros(4, np.float32))
    np.testing.assert_array_equal(magnitudes, predicted)
    np.testing.assert_array_equal(angles, predicted)


@pytest.mark.parametrize("factor", [0.86, 1.0, 1.1])
def test_a_formant_goes_where_the_factor_says(factor: float) -> None:
    hill = np.exp(-(((np.arange(BINS) - 100) / 12) ** 2)).astype(np.float32)[:, None]
    assert np.argmax(stretched(hill, factor)) == pytest.approx(100 * factor, abs=1)
    assert np.argmax(moved(hill, factor)) == pytest.approx(100 * factor, abs=1)
