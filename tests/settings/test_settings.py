"""Settings: every source, its precedence, and what a wrong value says."""

import os
import re
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.errors import InputFileError, OptionError, SettingsError
from live_cli.settings.credentials import scrub
from live_cli.settings.load import load, unknown_variables
from live_cli.settings.schema import SETTINGS, EngineSettings, Settings
from tests.harness.places import ROOT

EXAMPLE = ROOT / "config.example.toml"


@pytest.fixture
def config(tmp_path):
    """Writes a settings file and loads it."""

    def written(text: str, *, options=None, environ=None, profile=None) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return load(options, config=path, profile=profile, environ=environ or {})

    return written


# --- precedence --------------------------------------------------------------------------------


def test_each_source_wins_over_the_one_before(config):
    file = "silence_ms = 100\n[profiles.slow]\nsilence_ms = 200\n"
    env = {"LIVE_CLI_SILENCE_MS": "300"}
    assert config("").vad.silence_ms is None
    assert config(file).vad.silence_ms == 100
    assert config(file, profile="slow").vad.silence_ms == 200
    assert config(file, profile="slow", environ=env).vad.silence_ms == 300
    loaded = config(file, profile="slow", environ=env, options={"silence_ms": "400"})
    assert loaded.vad.silence_ms == 400


def test_an_option_that_is_not_given_leaves_the_rest(config):
    assert config("voice = 'Kore'", options={"voice": None}).session.voice == "Kore"


def test_a_switch_can_be_turned_off_again(config):
    assert config("affective = true", options={"affective": False}).session.affective is False


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("LIVE_CLI_VOICE", "kore", "session.voice", "Kore"),
        ("LIVE_CLI_LANGUAGE", "he", "session.language", "iw"),
        ("LIVE_CLI_LANGUAGE", "pt_br", "session.language", "pt-BR"),
        ("LIVE_CLI_AFFECTIVE", "Yes", "session.affective", True),
        ("LIVE_CLI_INTERRUPTION", "off", "vad.interruption", False),
        ("LIVE_CLI_THINKING_BUDGET", "-1", "session.thinking_budget", -1),
        ("LIVE_CLI_SERVE_PORT", "0", "serve.port", 0),
        ("LIVE_CLI_ENGINE_CHAT", "qwen3-1.7b", "engine.chat", "qwen3-1.7b"),
        ("LIVE_CLI_TALK_INPUT_DEVICE", "USB", "talk.input_device", "USB"),
        ("LIVE_CLI_SERVER", "ws://host:1/", "server", "ws://host:1"),
        ("LIVE_CLI_VOICE", "", "session.voice", None),
    ],
)
def test_the_environment_names_every_setting(name, text, path, value):
    found = load(environ={name: text, "LIVE_CLI_CONFIG": os.devnull})
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize("number", ["3", '"3"'])
def test_a_device_s_number_is_for_one_run(config, number):
    with pytest.raises(SettingsError, match=r"line 2: .*numbers change .*--input-device"):
        config(f"[talk]\ninput_device = {number}\n")
    environ = {"LIVE_CLI_TALK_OUTPUT_DEVICE": "3", "LIVE_CLI_CONFIG": os.devnull}
    with pytest.raises(SettingsError, match=r"^LIVE_CLI_TALK_OUTPUT_DEVICE must be a part of a "):
        load(environ=environ)
    found = load({"talk.input_device": "3"}, environ={"LIVE_CLI_CONFIG": os.devnull})
    assert found.talk.input_device == "3"


def test_every_setting_can_come_from_the_file_the_environment_and_an_option(config):
    sample = {"voice": "Puck", "language": "de", "server": "local", "port": 9, "threads": 2}
    sample |= {"max_lines": 3, "store": "rediss://store.example/0"}
    for setting in SETTINGS.values():
        if setting.is_list or setting.name in (
            "system",
            "api_key_file",
            "server_key_file",
            "serve.store_password_file",
            "serve.tls_cert",
            "serve.tls_key",
            "talk.record",
        ):
            continue
        rule, name = setting.rule, setting.path[-1]
        words = getattr(rule, "words", None)
        value = sample.get(name) or (words[-1] if words else None)
        if value is None:
            value = {
                "Boolean": not setting.default,
                "WholeNumber": getattr(rule, "least", 0) + 1,
            }.get(type(rule).__name__, "sample")
        table = f"[{setting.path[0]}]\n" if len(setting.path) > 1 else ""
        toml = str(value).lower() if isinstance(value, bool | int) else f"'{value}'"
        by_file = config(f"{table}{name} = {toml}")
        by_env = config("", environ={setting.variable: str(value)})
        by_option = config("", options={setting.name: value})
        holders = [
            getattr(s, setting.group) if setting.group else s for s in (by_file, by_env, by_option)
        ]
        assert [getattr(holder, name) for holder in holders] == [value] * 3, setting.name
        assert getattr(holders[0], name) != setting.default, setting.name


def test_a_folder_for_recordings_named_in_the_file_is_beside_it(config):
    by_file = config("[talk]\nrecord = 'talks'")
    assert by_file.talk.record == str(by_file.config_path.parent / "talks")
    assert config("", environ={"LIVE_CLI_TALK_RECORD": "talks"}).talk.record == "talks"
    assert config("", options={"talk.record": "talks"}).talk.record == "talks"


def test_tools_are_a_list_in_every_source_and_their_files_are_beside_the_settings(config, tmp_path):
    by_file = config("tools = ['search', 'house.py']\nmcp_files = ['mcp.json']\nallow = 'time'\n")
    assert by_file.tools.tools == ("search", str(tmp_path / "house.py"))
    assert by_file.tools.mcp_files == (str(tmp_path / "mcp.json"),)
    assert by_file.tools.allow == ("time",)
    by_variable = config("", environ={"LIVE_CLI_TOOLS": "maps, a.py", "LIVE_CLI_ALLOW": "x,y*"})
    assert (by_variable.tools.tools, by_variable.tools.allow) == (("maps", "a.py"), ("x", "y*"))
    assert config("", options={"tools": ["b.py", "b.py"]}).tools.tools == ("b.py",)
    with pytest.raises(SettingsError, match="did you mean 'search'"):
        config("tools = ['serach']")


def test_mcp_servers_are_tables_of_their_names_and_a_profile_adds_its_own(config):
    text = "[mcp.time]\ncommand = 'x'\n[profiles.home.mcp.lamp]\nurl = 'https://x.example'\n"
    assert config(text).mcp == {"time": {"command": "x"}}
    assert sorted(config(text, profile="home").mcp) == ["lamp", "time"]
    for wrong in ("mcp = 3", "[mcp]\ntime = 'x'", "[profiles.other]\nmcp = {time = 3}"):
        with pytest.raises(SettingsError, match=r"\[mcp\.\w+\]"):
            config(wrong)


def test_origins_are_a_list_in_every_source(config):
    env = {"LIVE_CLI_SERVE_ALLOW_ORIGINS": "https://A.example/, http://b.example:80"}
    both = ("https://a.example", "http://b.example:80")
    assert config("").serve.allow_origins == ()
    assert config("", environ=env).serve.allow_origins == both
    assert config(f"[serve]\nallow_origins = {list(both)}").serve.allow_origins == both
    given = {"serve.allow_origins": [both[1]]}
    assert config("", environ=env, options=given).serve.allow_origins == both[1:]
    for wrong in ("*", "a.example", "https://a/path", "https://u@a", "https://[", "https://a:x"):
        with pytest.raises(OptionError, match=r"^--allow-origin must be origins"):
            config("", options={"serve.allow_origins": [wrong]})


# --- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("# x\nvioce = 'Kore'\n", 2, "vioce is not a setting; did you mean 'voice'?"),
        ("a = '''\n\n'''\n", 1, "a is not a setting"),
        ("system = '''\nvoice = 3\n'''\n\n# c\nvoice = 'Kor'\n", 6, "did you mean 'Kore'?"),
        ("[serve]\n\nport = 'x'\n", 3, "serve.port must be a whole number from 0 to 65535"),
        ("port = 1\n", 1, "port is not a setting; it belongs in [serve]"),
        ("[engine]\nvoice = 'Kore'\n", 2, "it belongs at the top of the file"),
        ("[engin]\nchat = 'x'\n", 1, "engin is not a setting; did you mean 'engine'?"),
        ("serve = 3\n", 1, "serve must be a table: [serve]"),
        ("silence_ms = true\n", 1, "not true"),
        ("silence_ms = 19\n", 1, "from 20 to 10000, not 19"),
        ("silence_ms = 1.5\n", 1, "not 1.5"),
        ("thinking_budget = -2\n", 1, "from -1 to"),
        ("affective = 'yes'\n", 1, "must be true or false, not 'yes'"),
        ("thinking_level = 'hihg'\n", 1, "one of minimal, low, medium, high, not 'hihg'; did"),
        ("language = 'xx'\n", 1, "live-cli languages"),
        ("server = 'lokal'\n", 1, "did you mean 'local'?"),
        ("server = 'wss://h?key=1'\n", 1, "LIVE_CLI_KEY"),
        ("server = 'wss://u:p@h'\n", 1, "LIVE_CLI_KEY"),
        ("server = 'ftp://h'\n", 1, "must start with wss://"),
        ("server = 'ws://h:99999'\n", 1, "out of range"),
        ("api_key = 'AIza'\n", 1, "does not belong here"),
        ("\n[profiles.a]\nsilence_ms = 5\n", 3, "profiles.a.silence_ms must be"),
        ("profiles = 1\n", 1, "profiles must be tables"),
        ("voice =\n", 1, "this is not TOML"),
        ("voice = 'Kore'\nvoice = 'Puck'\n", 2, "this is not TOML"),
        ("voice = 'Kore", 1, "this is not TOML"),
        ("voice = '\\u001b[2J'\r\n", 1, "voice must be"),
        ("voice = []\n", 1, "voice must be a voice"),
        ("system = ' '\n", 1, "system must be text"),
    ],
)
def test_a_wrong_file_names_its_line_and_what_to_write(config, text, line, says):
    with pytest.raises(SettingsError) as caught:
        config(text)
    assert re.search(rf"config\.toml, line {line}\b", str(caught.value)), caught.value
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.exit_code == 3
    assert "AIza" not in str(caught.value)


@given(
    before=st.lists(
        st.sampled_from(
            [
                "",
                "# voice = 1",
                "usage = true",
                "system = '''\nsilence_ms = 1\n'''",
                "resume = true",
            ]
        ),
        max_size=6,
        unique=True,
    ),
    after=st.sampled_from(["", "\n\n# end", "\n[serve]\nport = 1"]),
)
def test_the_line_of_a_wrong_value_is_found_whatever_stands_around(before, after, tmp_path_factory):
    text = "\n".join([*before, "silence_ms = 'x'"])
    path = tmp_path_factory.mktemp("lines") / "config.toml"
    path.write_text(text + after)
    with pytest.raises(SettingsError, match=rf"line {text.count(chr(10)) + 1}: silence_ms"):
        load(config=path, environ={})


@given(st.binary(max_size=200))
def test_no_file_whatever_its_bytes_raises_anything_but_a_settings_error(raw):
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"garbage-{os.getpid()}.toml"
    path.write_bytes(raw)
    try:
        load(config=path, environ={})
    except (SettingsError, InputFileError) as exc:
        assert "\n" not in str(exc)  # noqa: PT017 - either may come, or none
    finally:
        path.unlink()


def test_a_missing_file_that_was_named(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        load(config=tmp_path / "none.toml", environ={})
    with pytest.raises(SettingsError, match="No such file"):
        load(environ={"LIVE_CLI_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(SettingsError, match="cannot be read"):
        load(config=tmp_path, environ={})


def test_an_unknown_profile_names_the_near_one(config):
    with pytest.raises(SettingsError, match=r"has no profile 'slo' \(it has slow, quick\).*'slow'"):
        config("[profiles.slow]\n[profiles.quick]\n", profile="slo")
    with pytest.raises(SettingsError, match="no profile"):
        config("", environ={"LIVE_CLI_PROFILE": "slow"})


def test_a_wrong_variable_and_a_wrong_option_are_named_as_they_were_written(config):
    with pytest.raises(SettingsError, match=r"^LIVE_CLI_SERVE_PORT must be .* not 'x'") as caught:
        config("", environ={"LIVE_CLI_SERVE_PORT": "x"})
    assert caught.value.exit_code == 3
    with pytest.raises(OptionError, match=r"^--silence-ms must be .* not 5$") as wrong:
        config("", options={"silence_ms": "5"})
    assert wrong.value.exit_code == 2


def test_unknown_variables_are_said_with_the_near_match():
    env = {"LIVE_CLI_VIOCE": "Kore", "LIVE_CLI_KEY": "k", "LIVE_CLI_VOICE": "Puck", "HOME": "/"}
    assert unknown_variables(env) == [
        "LIVE_CLI_VIOCE is not a setting; did you mean 'LIVE_CLI_VOICE'?"
    ]


# --- the example -------------------------------------------------------------------------------


def _uncommented() -> dict:
    text = re.sub(r"^# (\w+ = )", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return tomllib.loads(text)


def test_the_example_has_every_key_and_no_other():
    names = set()
    for name, value in _uncommented().items():
        names |= {(name, each) for each in value} if isinstance(value, dict) else {(name,)}
    assert names == set(SETTINGS)


def test_the_example_as_it_is_gives_the_defaults(config):
    loaded = config(EXAMPLE.read_text(encoding="utf-8"))
    for each in fields(Settings):
        if each.name != "config_path":
            assert getattr(loaded, each.name) == getattr(Settings(), each.name)


def test_the_example_shows_the_real_defaults_and_says_where_there_is_none():
    text = EXAMPLE.read_text(encoding="utf-8")
    for path, setting in SETTINGS.items():
        value = _uncommented()
        for name in path:
            value = value[name]
        setting.rule.read(value)
        none = f"# (no default)\n# {path[-1]} = " in text
        assert none == (setting.default is None), setting.name
        if setting.default is not None:
            assert setting.rule.read(value) == setting.default, setting.name


def test_the_profiles_of_the_example_work(config):
    text = re.sub(r"^#     ?", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert config(text, profile="patient").vad.silence_ms == 1200
    assert config(text, profile="ollama").engine.chat.startswith("openai:")


def test_the_engine_has_the_same_defaults():
    from live_cli.engine.stages import StageNames

    theirs = StageNames()
    for each in fields(EngineSettings):
        assert getattr(EngineSettings(), each.name) == getattr(theirs, each.name)


# --- keys and files ----------------------------------------------------------------------------

NO_FILE = {"LIVE_CLI_CONFIG": os.devnull}


def test_the_key_comes_from_the_first_place_that_has_one(config, tmp_path):
    key_file = tmp_path / "gemini.key"
    key_file.write_text("from-file\n")
    key_file.chmod(0o600)
    file = "api_key_file = 'gemini.key'"
    both = {"GEMINI_API_KEY": "one", "GOOGLE_API_KEY": "two"}
    assert config(file, environ=both).gemini_key == "one"
    assert config(file, environ={"GOOGLE_API_KEY": "two"}).gemini_key_source == "GOOGLE_API_KEY"
    assert config(file).gemini_key == "from-file"
    assert config(file, environ={"GEMINI_API_KEY": " "}).gemini_key == "from-file"
    assert config("").gemini_key is None
    assert config("", environ={"LIVE_CLI_KEY": "k"}).server_key == "k"


def test_a_key_shows_in_no_repr_and_no_error():
    loaded = load(environ={**NO_FILE, "GEMINI_API_KEY": "AIzaSecret", "LIVE_CLI_KEY": "other1"})
    assert "AIzaSecret" not in repr(loaded)
    assert "other1" not in repr(loaded)
    for broken in ("AIza Secret", "AIzaSecrét", "AIza\nSecret"):
        with pytest.raises(SettingsError) as caught:
            load(environ={**NO_FILE, "GEMINI_API_KEY": broken})
        assert "AIza" not in str(caught.value)
    assert scrub("key=AIzaSecret&k=AIza", ["AIza", "AIzaSecret", ""]) == "key=[key]&k=[key]"


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [("k", 0o644, "chmod 600"), ("k", 0o640, "chmod 600"), ("", 0o600, "is empty")]
    if sys.platform != "win32"
    else [("", 0o600, "is empty")],
)
def test_a_key_file_is_for_its_owner_alone(config, tmp_path, content, mode, says):
    key_file = tmp_path / "gemini.key"
    key_file.write_text(content)
    key_file.chmod(mode)
    with pytest.raises(SettingsError, match=says):
        config("api_key_file = 'gemini.key'")


def test_a_missing_key_file_is_named(config):
    with pytest.raises(SettingsError, match=r"api_key_file: .*none\.key cannot be read: No such"):
        config("api_key_file = 'none.key'")


def test_the_system_instruction_comes_from_a_file(config, tmp_path, monkeypatch):
    (tmp_path / "pirate.txt").write_text("Talk like a pirate.", encoding="utf-8")
    assert config("system = '@pirate.txt'").session.system == "Talk like a pirate."
    assert config("", options={"system": "@@home"}).session.system == "@home"
    monkeypatch.chdir(tmp_path)
    assert config("", options={"system": "@pirate.txt"}).session.system == "Talk like a pirate."
    with pytest.raises(InputFileError, match=r"'none\.txt' cannot be read: No such file"):
        config("", options={"system": "@none.txt"})
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputFileError, match="is empty"):
        config("", options={"system": "@empty.txt"})


@pytest.mark.parametrize(
    ("line", "camera"),
    [
        ('camera = ""', ""),
        ('camera = " "', ""),
        ('camera = "Webcam"', "Webcam"),
        ('camera = "./pictures"', "{folder}/pictures"),
        ('camera = "/dev/video0"', "/dev/video0"),
        ('camera = "lavfi:testsrc=rate=1/2"', "lavfi:testsrc=rate=1/2"),
    ],
)
def test_a_camera_is_a_name_a_file_or_blank_for_the_first(config, tmp_path, line, camera):
    text = f"[talk]\n{line}\n"
    assert config(text).talk.camera == camera.replace("{folder}", str(tmp_path))
    assert config(text, options={"talk.camera": "2"}).talk.camera == "2"
    assert config(text, options={"talk.camera": ""}).talk.camera == ""
