"""A plot of levels over time in characters: columns that rise from the floor. Pure."""

from collections.abc import Sequence
from itertools import pairwise

ROWS = 4
PLOT_FLOOR_DBFS = -80.0
BLOCK_STEPS = " ▁▂▃▄▅▆▇█"
ASCII_STEPS = " .:|"


def level_rows(levels_dbfs: Sequence[float], width: int, *, steps: str = BLOCK_STEPS) -> list[str]:
    """Return `ROWS` rows of ``width`` columns, the top row first.

    Each column stands for an equal share of ``levels_dbfs`` and shows the loudest of them;
    ``steps`` are the characters from an empty to a full cell.

    >>> level_rows([-80, -40, 0], 3)
    ['  █', '  █', ' ██', ' ██']
    """
    columns = [_height(loudest, len(steps) - 1) for loudest in _resized(levels_dbfs, width)]
    full = len(steps) - 1
    return [
        "".join(steps[min(max(height - row * full, 0), full)] for height in columns)
        for row in reversed(range(ROWS))
    ]


def scale_labels() -> list[str]:
    """Return the level at the bottom of each row, the top row first: ``-20 dB`` …"""
    return [f"{PLOT_FLOOR_DBFS * (row + 1) / ROWS:>4.0f} dB" for row in range(ROWS)]


def _height(level_dbfs: float, steps: int) -> int:
    share = min(max(1 - level_dbfs / PLOT_FLOOR_DBFS, 0.0), 1.0)
    return round(share * ROWS * steps)


def _resized(levels: Sequence[float], width: int) -> list[float]:
    if not levels:
        return [PLOT_FLOOR_DBFS] * width
    edges = [len(levels) * column // width for column in range(width + 1)]
    return [max(levels[begin : max(end, begin + 1)]) for begin, end in pairwise(edges)]
