"""A wrong value on the command line or in the settings is answered with the nearest right one."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["talk", "--voice", "kor"], 2, "'Kore'"),
        (["talk", "--language", "german"], 2, "'de'"),
        (["talk", "--language", "jp"], 2, "'ja'"),
        (["text", "--language", "eng", "hi"], 2, "'en'"),
        (["talk", "--modality", "audo"], 2, "'audio'"),
        (["talk", "--api-version", "v1beat"], 2, "'v1beta'"),
        (["talk", "--thinking-level", "hi"], 2, "must be one of minimal, low, medium, high"),
        (["talk", "--thinking-level", "med"], 2, "'medium'"),
        (["talk", "--turn-coverage", "all"], 2, "'all-input'"),
        (["talk", "--start-sensitivity", "hihg"], 2, "'high'"),
        (["talk", "--media-resolution", "lo"], 2, "must be one of low, medium, high"),
        (["talk", "--server", "gemni"], 2, "'gemini'"),
        (["transcribe", "-f", "strt", "x.wav"], 2, "'srt'"),
        (["models", "pull", "qwen2.5"], 2, "'qwen2.5-0.5b'"),
        (["models", "pull", "qwen-3-8b"], 2, "'qwen3-8b'"),
        (["config", "show", "--config", "mine.tml"], 3, "Did you mean 'mine.toml'?"),
        (["talk", "--profile", "patien", "--config", "mine.toml"], 3, "'patient'"),
        (["text", "--system", "@tutr.txt", "hi"], 7, "Did you mean 'tutor.txt'?"),
        (["text", "--history", "turn.json", "hi"], 7, "Did you mean 'turns.json'?"),
        (["transcribe", "two_city.wav"], 7, "Did you mean 'two_cities.wav'?"),
        (["talk", "--input", "two_cities.wave"], 7, "Did you mean 'two_cities.wav'?"),
        (["tlak"], 2, "'talk'"),
        (["talk", "--voic", "Kore"], 2, "--voice"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_answered_with_the_nearest(tmp_path, args, code, says):
    (tmp_path / "mine.toml").write_text("[profiles.patient]\nsilence_ms = 1200\n")
    for name in ("tutor.txt", "turns.json", "two_cities.wav"):
        (tmp_path / name).touch()
    result = run(args, tmp_path)
    assert says in result.stderr
    assert result.stderr.startswith("live-cli: ")
    assert (result.returncode, result.stderr.count("\n")) == (code, 1)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("LIVE_CLI_AFFECTIVE", "ture", "'true'"),
        ("LIVE_CLI_VOICE", "Zephir", "'Zephyr'"),
        ("LIVE_CLI_SERVER", "lokal", "'local'"),
        ("LIVE_CLI_LANGUAGE", "french", "'fr'"),
    ],
)
def test_so_is_one_in_the_environment(tmp_path, variable, value, says):
    result = run(["config", "show"], tmp_path, **{variable: value})
    assert f"{variable} must be" in result.stderr
    assert says in result.stderr
    assert result.returncode == 3


@pytest.mark.parametrize(
    ("stage", "name", "says"),
    [
        ("CHAT", "smolm2", "did you mean smollm2-135m?"),
        ("SYNTHESIZER", "hibary", "did you mean 'hibari'?"),
    ],
)
def test_so_is_a_stage_of_the_engine(tmp_path, stage, name, says):
    args = ["text", "hi", *(["--output", "hi.wav"] if stage == "SYNTHESIZER" else [])]
    scripted = {} if stage == "CHAT" else {"LIVE_CLI_ENGINE_CHAT": "scripted"}
    result = run(args, tmp_path, **scripted, **{f"LIVE_CLI_ENGINE_{stage}": name})
    assert says in result.stderr
    assert result.returncode == 6


def test_a_file_like_none_there_is_told_as_it_is(tmp_path):
    result = run(["transcribe", "absent.wav"], tmp_path)
    assert result.returncode == 7
    assert "Did you mean" not in result.stderr


def run(args: list[str], folder, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environ = {**kept, "HOME": str(folder), "PYTHONPATH": os.getcwd(), **variables}
    return subprocess.run(
        [sys.executable, "-m", "live_cli", *args],
        capture_output=True, text=True, env=environ, cwd=folder, timeout=60, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
