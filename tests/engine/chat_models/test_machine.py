"""The model that is recommended: the largest that the cores run and the memory holds."""

import pytest

from live_cli.engine.chat_models.lookup import PULLABLE
from live_cli.engine.chat_models.machine import cores, memory_bytes, recommended, recommended_here

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("its_cores", "memory", "name"),
    [
        (1, 2 * GB, "qwen2.5-0.5b"),
        (2, 64 * GB, "qwen2.5-0.5b"),
        (4, 16 * GB, "qwen3.5-2b"),
        (8, 16 * GB, "qwen3.5-4b"),
        (8, 6 * GB, "qwen3.5-2b"),
        (16, 32 * GB, "qwen3-8b"),
        (16, 8 * GB, "qwen3.5-4b"),
        (64, None, "qwen3-8b"),
        (16, GB, "qwen2.5-0.5b"),
    ],
)
def test_recommended(its_cores, memory, name):
    assert recommended(its_cores, memory).name == name


def test_this_machine_tells_its_cores_and_memory():
    assert cores() >= 1
    assert memory_bytes() is None or memory_bytes() > GB // 4
    assert recommended_here().name in PULLABLE
