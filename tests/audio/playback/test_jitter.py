"""The adaptive buffer against none and fixed ones, on five ways in which sound arrives."""

import pytest

from tests.harness.simulated_arrivals import HARD, Figures, compared

Table = dict[str, dict[str, Figures]]


@pytest.fixture(scope="module", params=[1, 2])
def figures(request: pytest.FixtureRequest) -> Table:
    return compared(seed=request.param)


def test_on_a_good_connection_it_starts_at_once_and_never_stops(figures: Table) -> None:
    clean = figures["clean rtf 0.3"]
    assert clean["adaptive"].gaps == 0
    assert clean["adaptive"].start_ms <= 0.25 * clean["fixed 120"].start_ms


def test_rare_stalls_cost_it_less_waiting_than_a_large_buffer(figures: Table) -> None:
    stalls = figures["rtf 0.3, stalls"]
    assert stalls["adaptive"].start_ms <= 0.7 * stalls["fixed 300"].start_ms
    assert stalls["adaptive"].gaps <= stalls["none"].gaps


@pytest.mark.parametrize("pattern", HARD)
def test_on_a_bad_connection_it_has_half_the_gaps_of_a_small_buffer(
    figures: Table, pattern: str
) -> None:
    found = figures[pattern]
    assert found["adaptive"].gaps <= 0.6 * found["fixed 120"].gaps
    assert found["adaptive"].gaps <= 0.35 * found["none"].gaps
    assert found["adaptive"].dry_ms <= 1.05 * found["fixed 120"].dry_ms


@pytest.mark.parametrize("pattern", ["rtf 0.85, stalls", "TCP stalls"])
def test_where_a_large_buffer_is_too_small_it_grows_beyond(figures: Table, pattern: str) -> None:
    found = figures[pattern]
    assert found["adaptive"].gaps <= 0.85 * found["fixed 300"].gaps
    assert found["adaptive"].start_ms <= 1.7 * found["fixed 300"].start_ms


def test_where_a_large_buffer_is_larger_than_needed_it_waits_less(figures: Table) -> None:
    paced = figures["real-time paced"]
    assert paced["adaptive"].start_ms < paced["fixed 300"].start_ms
