"""Levels as columns of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.level_plot import (
    ASCII_STEPS,
    BLOCK_STEPS,
    PLOT_FLOOR_DBFS,
    ROWS,
    level_rows,
    scale_labels,
)

levels = st.lists(st.floats(-120, 6), max_size=200)


@pytest.mark.parametrize(
    ("level", "column"),
    [
        (-100, "    "),
        (PLOT_FLOOR_DBFS, "    "),
        (-70, "   ▄"),
        (-60, "   █"),
        (-30, " ▄██"),
        (3, "████"),
    ],
)
def test_a_column_rises_with_its_level(level: float, column: str) -> None:
    assert "".join(level_rows([level], 1)) == column


@given(levels, st.integers(1, 100), st.sampled_from([BLOCK_STEPS, ASCII_STEPS]))
def test_the_picture_has_its_size_whatever_comes(
    heard: list[float], width: int, steps: str
) -> None:
    rows = level_rows(heard, width, steps=steps)
    assert [len(row) for row in rows] == [width] * ROWS
    assert set("".join(rows)) <= set(steps)
    assert len(scale_labels()) == ROWS


@given(levels.filter(bool), st.integers(1, 100))
def test_the_loudest_moment_is_never_left_out(heard: list[float], width: int) -> None:
    loudest = "".join(level_rows([max(heard)], 1))
    columns = ["".join(column) for column in zip(*level_rows(heard, width), strict=True)]
    assert loudest in columns


def test_the_scale_names_the_bottom_of_each_row() -> None:
    assert scale_labels() == [" -20 dB", " -40 dB", " -60 dB", " -80 dB"]
