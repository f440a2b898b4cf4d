"""The reckoning of sizes: it grows as it must, and docs/scale.md has what it says."""

import json
import math
from dataclasses import replace

import pytest

from tests.harness.places import ROOT
from tests.scale.sizing import COUNTS, FIGURES, WAIT_S, Costs, cores_for, markdown, sizes, wait_s

COSTS = Costs.of(json.loads(FIGURES.read_text(encoding="utf-8")))


def test_ten_times_the_talkers_need_ten_times_as_much_or_a_little_less() -> None:
    few, many = sizes(1000, COSTS), sizes(10_000, COSTS)
    for name in ("replica_cores", "transcriber_cores", "chat_cores", "synthesizer_cores"):
        ratio = getattr(many, name) / getattr(few, name)
        assert 3.0 <= ratio <= 10.5, name  # a few cores are used worse than many
    for name in ("store_calls_s", "store_share", "store_mb_s", "stored_gb"):
        assert getattr(many, name) == pytest.approx(10 * getattr(few, name))


def test_what_costs_twice_as_much_needs_twice_as_many() -> None:
    twice = replace(COSTS, line_share=2 * COSTS.line_share, keep_s=2 * COSTS.keep_s)
    one, other = sizes(10_000, COSTS), sizes(10_000, twice)
    assert other.replica_cores == pytest.approx(2 * one.replica_cores, abs=1)
    assert other.store_share == pytest.approx(2 * one.store_share)
    assert other.chat_cores == one.chat_cores


@pytest.mark.parametrize(("requests_s", "each_s"), [(0.5, 0.2), (20.0, 0.5), (500.0, 0.02)])
def test_one_core_fewer_would_keep_requests_waiting(requests_s: float, each_s: float) -> None:
    cores = cores_for(requests_s, each_s, seed=3)
    assert cores >= math.floor(requests_s * each_s)
    assert cores <= 3 + 2 * requests_s * each_s


def test_who_comes_first_is_served_first() -> None:
    assert wait_s([(0.0, 1.0), (0.0, 1.0)], 2) == 0.0
    assert wait_s([(0.0, 1.0), (0.5, 1.0)], 1) == pytest.approx(0.5)
    assert wait_s([], 1) == 0.0
    assert WAIT_S < 0.5


def test_the_documentation_has_the_table() -> None:
    told = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert markdown([sizes(count, COSTS) for count in COUNTS]) in told
