"""Every benchmark once, in small: it runs and has figures. No test asks whether budgets hold."""

import importlib
from math import isfinite
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import LONG_MODULES, MODULES, table
from tests.benchmarks.row import Row

PART_OF_ANOTHER = {"echo_words"}


def test_every_module_with_rows_is_known() -> None:
    here = Path(__file__).parent.glob("*.py")
    found = {path.stem for path in here if "\ndef rows(" in path.read_text(encoding="utf-8")}
    assert found == {*MODULES, *LONG_MODULES, *PART_OF_ANOTHER}


@pytest.mark.parametrize("name", [*MODULES, *LONG_MODULES])
def test_a_benchmark_has_figures(name: str) -> None:
    rows: list[Row] = importlib.import_module(f"tests.benchmarks.{name}").rows(small=True)
    assert rows
    for row in rows:
        # what was not found in so little speech was found after no time at all
        assert isfinite(row.ours) or row.what.endswith("found after"), row
        assert row.peer is None or isfinite(row.peer), row
    assert table(rows).row_count == len(rows)
