"""What the file sets for single tools."""

import json

import pytest

from live_cli.errors import SettingsError
from live_cli.settings.load import load
from live_cli.settings.tool_tables import ToolTable
from tests.harness.command import live_cli

FILE = """
[tool.lamp]
timeout_s = 120
[tool."house__*"]
scheduling = "WHEN_IDLE"
[profiles.work.tool.lamp]
scheduling = "silent"
"""


@pytest.fixture
def loaded(tmp_path):
    def load_text(text, **kwargs):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return load(config=path, environ={}, **kwargs)

    return load_text


def test_tools_are_set_by_name_or_pattern_and_a_profile_s_table_takes_another_s_place(loaded):
    assert loaded(FILE).tool == {
        "lamp": ToolTable(timeout_s=120.0),
        "house__*": ToolTable(scheduling="WHEN_IDLE"),
    }
    assert loaded(FILE, profile="work").tool["lamp"] == ToolTable(scheduling="SILENT")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("tool = 3\n", 1, "must be tables: [tool.NAME]"),
        ("[tool]\nx = 3\n", 2, "must be a table: [tool.x]"),
        ("[tool.x]\ntimeout = 3\n", 2, "did you mean 'timeout_s'?"),
        ("[tool.x]\ntimeout_s = 0\n", 2, "must be seconds, up to a day, not 0"),
        ("[tool.x]\n\ntimeout_s = inf\n", 3, "not inf"),
        ("[tool.x]\ntimeout_s = '3'\n", 2, "not '3'"),
        ("[tool.x]\nscheduling = 'later'\n", 2, "one of when-idle, interrupt, silent"),
        ("[tool.x]\nscheduling = 3\n", 2, "not 3"),
        ("[profiles.p.tool.x]\nscheduling = ''\n", 2, "profiles.p.tool.x.scheduling must be"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(loaded, text, line, says):
    with pytest.raises(SettingsError) as refused:
        loaded(text)
    assert f"line {line}: " in str(refused.value)
    assert says in str(refused.value)


def test_the_tables_are_shown_with_the_other_settings(tmp_path):
    (tmp_path / "c.toml").write_text(FILE)
    done = live_cli("config", "show", "--json", "--config", tmp_path / "c.toml", home=tmp_path)
    assert json.loads(done.stdout)["tool"]["lamp"] == {"timeout_s": 120.0}
