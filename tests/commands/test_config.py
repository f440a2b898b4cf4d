"""`live-cli config path|show|init|check`."""

import json
import tomllib
from dataclasses import replace

import pytest

from live_cli.commands import config
from live_cli.errors import SettingsError
from live_cli.settings.load import load
from live_cli.settings.schema import SETTINGS, Settings
from tests.harness.places import ROOT


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "LIVE_CLI_KEY", "LIVE_CLI_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_path_names_the_file_and_says_when_it_is_not_there(tmp_path, capsys, monkeypatch):
    config.path(tmp_path / "mine.toml")
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'mine.toml'}\n"
    assert "config init" in printed.err
    monkeypatch.setenv("LIVE_CLI_CONFIG", str(tmp_path / "other.toml"))
    config.path(None)
    assert capsys.readouterr().out == f"{tmp_path / 'other.toml'}\n"


def test_init_writes_the_example_once_and_never_over_a_file(tmp_path, capsys):
    where = tmp_path / "deep" / "config.toml"
    config.init(where)
    assert capsys.readouterr().out == f"{where}\n"
    assert where.read_text(encoding="utf-8") == config.example()
    assert load(config=where, environ={}) == replace(Settings(), config_path=where)
    where.write_text("voice = 'Kore'")
    with pytest.raises(SettingsError, match="is there already"):
        config.init(where)
    assert where.read_text() == "voice = 'Kore'"


def test_init_into_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be made"):
        config.init(tmp_path / "file" / "config.toml")


def test_the_example_comes_along_in_the_wheel():

    root = ROOT
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"config.example.toml": "live_cli/config.example.toml"}
    assert config.example() == (root / "config.example.toml").read_text(encoding="utf-8")


FILE = """
voice = "Kore"
system = "Say \\"hi\\".\\u001b[2J\\nThen stop."
silence_ms = 300
[serve]
port = 9
[profiles.p.engine]
chat = "openai:http://h/v1#m"
[prices."gemini-3.8-live"]
input_audio = 3.5
"""


def test_show_is_a_settings_file_that_gives_the_same_settings(tmp_path, capsys):
    (tmp_path / "a.toml").write_text(FILE)
    env = {"GEMINI_API_KEY": "AIzaSecret", "LIVE_CLI_KEY": "other-secret"}
    settings = load(config=tmp_path / "a.toml", profile="p", environ=env)
    config.show(settings, json=False)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "AIzaSecret" not in shown
    assert "other-secret" not in shown
    assert "set by GEMINI_API_KEY" in shown
    (tmp_path / "b.toml").write_text(shown, encoding="utf-8")
    again = load(config=tmp_path / "b.toml", environ=env)
    assert replace(again, config_path=None) == replace(settings, config_path=None, profile=None)


def test_show_as_json_has_every_key_and_no_secret(tmp_path, capsys):
    settings = load(config=None, environ={"GOOGLE_API_KEY": "AIzaSecret"})
    config.show(settings, json=True)
    out = capsys.readouterr().out
    shown = json.loads(out)
    assert set(shown) == {setting.name for setting in SETTINGS.values()} | {
        "gemini_key",
        "server_key",
    }
    assert shown["gemini_key"] == "set by GOOGLE_API_KEY"
    assert shown["server_key"] is None
    assert "AIzaSecret" not in out


def test_check_reads_every_profile_and_the_environment(tmp_path, capsys, monkeypatch):
    where = tmp_path / "config.toml"
    where.write_text("[profiles.a]\nvoice = 'Kore'\n")
    config.check(where)
    assert capsys.readouterr().out == f"{where} is in order.\n"
    where.write_text("[profiles.a]\nvoice = 'Kor'\n")
    with pytest.raises(SettingsError, match=r"line 2: profiles\.a\.voice"):
        config.check(where)
    where.write_text("")
    monkeypatch.setenv("LIVE_CLI_VIOCE", "Kore")
    with pytest.raises(SettingsError, match="LIVE_CLI_VOICE"):
        config.check(where)
