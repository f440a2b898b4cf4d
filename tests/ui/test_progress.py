"""The bar: a rate and an estimate that hold, and a row that is taken away for what is written."""

import re

import pytest

from live_cli.ui.progress import ProgressBar, clock_text

ERASED = "\r\x1b[K"


class Screen:
    def __init__(self, columns: int = 120) -> None:
        self.now = 100.0
        self.rows: list[str] = []
        self.columns = columns
        self.bar = ProgressBar(
            "talk.wav",
            lambda rate: f"{rate:.1f}× real time",
            lambda text: self.rows.append(text.removeprefix(ERASED)),
            lambda: self.columns,
            clock=lambda: self.now,
        )

    def left_s(self) -> float | None:
        found = re.search(r"(\d+):(\d\d) left", self.rows[-1])
        return 60.0 * int(found[1]) + int(found[2]) if found else None


def test_the_estimate_holds_at_a_steady_pace() -> None:
    screen = Screen()
    for second in range(100):
        screen.now = 100.0 + second
        screen.bar(12.0 * second, 1200.0)
        if second > 1:
            left_s = screen.left_s()
            assert left_s is not None
            assert abs(left_s - (100 - second)) <= 1
            assert "12.0× real time" in screen.rows[-1]


def test_what_was_done_before_does_not_count_into_the_rate() -> None:
    """As where a fetch goes on."""
    screen = Screen()
    screen.bar(900.0, 1000.0)
    screen.now += 10.0
    screen.bar(950.0, 1000.0)
    assert screen.left_s() == 10


@pytest.mark.parametrize(("done", "percent"), [(0.0, "0 %"), (99.9, "99 %"), (100.0, "100 %")])
def test_all_is_done_only_at_the_end(done: float, percent: str) -> None:
    screen = Screen()
    screen.bar(done, 100.0)
    assert f"  {percent}" in screen.rows[-1]


def test_without_a_whole_there_is_no_percent_and_no_estimate() -> None:
    screen = Screen()
    screen.bar(0.0, None)
    screen.now += 5.0
    screen.bar(50.0, None)
    assert screen.rows[-1] == "talk.wav  10.0× real time"


def test_it_is_drawn_ten_times_a_second_at_most() -> None:
    screen = Screen()
    for step in range(1000):
        screen.now = 100.0 + step / 1000
        screen.bar(step, 1000.0)
    assert len(screen.rows) <= 11


@pytest.mark.parametrize("columns", [5, 20, 60])
def test_it_never_wraps(columns: int) -> None:
    screen = Screen(columns)
    screen.bar(0.0, 100.0)
    screen.now += 3.0
    screen.bar(50.0, 100.0)
    assert all(len(row) < columns for row in screen.rows)


def test_it_makes_room_for_what_is_written_and_comes_back() -> None:
    screen = Screen()
    screen.bar(50.0, 100.0)
    row = screen.rows[-1]
    screen.bar.erase()
    screen.bar.redraw()
    assert screen.rows[-2:] == ["", row]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03")]
)
def test_a_time_reads_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
