"""The rules by which the speaker's sound is paired with the microphone's, in hops of 20 ms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.audio.echo.filter import HOP_SAMPLES
from live_cli.audio.echo.reference import ReferenceQueue

HOP_MS = 20


def counted(hops: float, first: int = 1) -> np.ndarray:
    """Sound whose samples are numbered, so that it is seen what was taken."""
    return np.arange(first, first + int(hops * HOP_SAMPLES), dtype=np.float32)


def started(level_hops: int = 2) -> ReferenceQueue:
    """A queue whose level has been set and then changed to ``level_hops``."""
    queue = ReferenceQueue()
    for _ in range(25):
        queue.push(counted(1))
        queue.pull()
    assert not queue.starting
    queue.push(counted(max(0, level_hops - 2)))
    for _ in range(2 - level_hops):
        queue.pull()
    return queue


@pytest.mark.parametrize("ahead", [0, 1, 2, 15, 75])
def test_the_level_is_set_to_40_ms_after_500_ms_whatever_it_was(ahead: int) -> None:
    queue = ReferenceQueue()
    queue.push(counted(ahead))
    for _ in range(25):
        assert queue.starting
        queue.push(counted(1))
        queue.pull()
    assert (queue.level_ms, queue.starting) == (40, False)
    assert (queue.pads, queue.trims) == (0, 0)


def test_a_speaker_that_starts_later_is_waited_for_and_nothing_counts_as_late() -> None:
    queue = ReferenceQueue()
    for _ in range(15):
        assert not queue.pull().any()
    assert (queue.pads, queue.starting) == (0, True)


@pytest.mark.parametrize(
    ("level_hops", "pulls", "pads", "later_hops", "level_ms"),
    [(2, 2, 0, 0, 0), (2, 3, 1, 3, 40), (0, 2, 1, 3, 20), (0, 5, 1, 6, 20), (4, 4, 0, 0, 0)],
)
def test_a_frame_that_is_late_makes_the_level_anew_and_that_is_one_pad(
    level_hops: int, pulls: int, pads: int, later_hops: int, level_ms: float
) -> None:
    queue = started(level_hops)
    hops = [queue.pull() for _ in range(pulls)]
    assert (queue.pads, queue.later, queue.level_ms) == (
        pads,
        later_hops * HOP_SAMPLES,
        level_ms,
    )
    assert not any(hop.any() for hop in hops[level_hops:])


def test_a_pad_makes_the_level_for_what_of_the_microphone_waits_already() -> None:
    queue = started(0)
    for behind in (2, 1, 0):
        queue.pull(behind)
    assert (queue.pads, queue.level_ms) == (1, 40)


def test_what_comes_after_all_is_trimmed_at_once_and_all_is_accounted_for() -> None:
    queue = started(0)
    for _ in range(7):
        queue.pull()
    queue.push(counted(8))
    queue.pull()
    assert (queue.pads, queue.trims, queue.level_ms) == (1, 1, 50)
    played, paired = 8, 8
    assert queue.later == (50 / HOP_MS - (played - paired)) * HOP_SAMPLES


def test_half_a_frame_is_kept_for_the_next_pair() -> None:
    queue = started(0)
    queue.push(counted(0.5))
    silent = [queue.pull() for _ in range(2)]
    queue.push(counted(1, first=HOP_SAMPLES // 2 + 1))
    rest = np.concatenate([queue.pull(), queue.pull()])
    assert not np.concatenate(silent).any()
    assert np.array_equal(rest[HOP_SAMPLES // 2 :], counted(1.5))
    assert queue.pads == 1


@pytest.mark.parametrize(
    ("level_hops", "high_for_hops", "trims", "level_ms"),
    [(6, 99, 0, 120), (6, 100, 1, 50), (15, 100, 1, 50), (5, 200, 0, 100)],
)
def test_a_level_over_100_ms_for_two_seconds_is_trimmed_to_50_ms(
    level_hops: int, high_for_hops: int, trims: int, level_ms: float
) -> None:
    queue = started(level_hops)
    for _ in range(high_for_hops):
        queue.push(counted(1))
        queue.pull()
    assert (queue.trims, queue.level_ms, queue.pads) == (trims, level_ms, 0)


def test_a_level_that_falls_in_between_is_not_trimmed() -> None:
    queue = started(6)
    for turn in range(300):
        queue.push(counted(1))
        queue.pull()
        if turn % 75 == 50:
            for _ in range(2):
                queue.pull()
            queue.push(counted(2))
    assert queue.trims == 0


def test_a_speaker_that_is_away_counts_no_pads_and_starts_anew_when_it_is_back() -> None:
    queue = started(0)
    for _ in range(250):
        queue.pull()
    assert (queue.gone, queue.pads) == (True, 1)
    queue.push(counted(45))
    assert (queue.gone, queue.starting) == (False, True)
    for _ in range(25):
        queue.push(counted(1))
        queue.pull()
    assert (queue.level_ms, queue.pads) == (40, 1)


@given(st.lists(st.integers(0, 1000), max_size=60))
def test_what_comes_out_is_what_went_in_in_order_whatever_the_pieces(sizes: list[int]) -> None:
    queue = ReferenceQueue()
    first = 1
    for size in sizes:
        queue.push(np.arange(first, first + size, dtype=np.float32))
        first += size
    kept = min(first - 1, 32_000)
    hops = min(kept // HOP_SAMPLES, 24)  # the 25th sets the level
    out = np.concatenate([queue.pull() for _ in range(hops)] or [np.zeros(0)])
    assert np.array_equal(out, first - kept + np.arange(out.size))
