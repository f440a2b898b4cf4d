"""SECURITY.md's table of limits: each default in it is the one of the settings."""

import re
from pathlib import Path

import pytest

from live_cli.settings.schema import ServeSettings

_ROOT = Path(__file__).parents[2]
_ROWS = re.findall(r"^\|[^|]+\|([^|]+)\| `(\w+)` \|$", (_ROOT / "SECURITY.md").read_text(), re.M)


def test_every_limit_of_what_callers_may_cost_is_in_the_table() -> None:
    named = {setting for _, setting in _ROWS}
    assert {name for name in ServeSettings.__dataclass_fields__ if name.startswith("max_")} <= named


@pytest.mark.parametrize(("written", "setting"), _ROWS, ids=[setting for _, setting in _ROWS])
def test_a_default_in_the_table_is_the_setting_s(written: str, setting: str) -> None:
    number = re.match(r"[\d.]+", written.strip())
    assert number
    assert float(number[0]) == getattr(ServeSettings(), setting)
