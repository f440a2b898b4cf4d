"""The same rooms, beside two processes that do nothing but compute."""

from tests.benchmarks import open_speakers
from tests.benchmarks.row import Row


def rows(small: bool = False) -> list[Row]:
    return open_speakers.rows(small, busy=1 if small else 2)
