"""The same rooms, beside two processes that do nothing but compute."""

from tests.benchmarks import open_speakers
from tests.benchmarks.row import Row


def rows() -> list[Row]:
    return open_speakers.rows(busy=2)
