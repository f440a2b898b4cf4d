"""A level as a bar of characters, in eighths of a cell."""

from dataclasses import dataclass

METER_FLOOR_DBFS = -60.0
"""A quieter level shows as an empty bar."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The characters of a bar: both ends, and steps from empty to full, all one cell wide."""

    left: str
    right: str
    steps: str

    def draw(self, level_dbfs: float | None, width: int) -> str:
        """Return a bar ``width`` cells long; None is no level at all.

        >>> BLOCK_BARS.draw(-30, 5)
        '██▌  '
        """
        if level_dbfs is None:
            return " " * width
        share = min(max(1 - level_dbfs / METER_FLOOR_DBFS, 0.0), 1.0)
        parts = len(self.steps) - 1
        whole, rest = divmod(round(share * width * parts), parts)
        bar = self.steps[-1] * whole + (self.steps[rest] if rest else "")
        return bar.ljust(width)


BLOCK_BARS = Bars("▕", "▏", " ▏▎▍▌▋▊▉█")
ASCII_BARS = Bars("[", "]", " #")


def dbfs(level_dbfs: float) -> str:
    """Return a level in ten characters: `` -23 dBFS``, or blanks under the floor."""
    return f"{level_dbfs:>5.0f} dBFS"[:10] if level_dbfs > METER_FLOOR_DBFS else " " * 10
