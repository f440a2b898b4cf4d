"""Completion by a shell: installed as typer installs it, verbs, options and values completed."""

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture
def bash(tmp_path):
    """Runs a script in a bash with a home of its own, in which live-cli is this one."""
    program = tmp_path / "bin" / "live-cli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m live_cli "$@"\n')
    program.chmod(0o755)
    kept = {name: os.environ[name] for name in ("LANG", "PYTHONPATH") if name in os.environ}
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PYTHONPATH": os.getcwd(), **kept, "HOME": str(tmp_path), "PATH": path}

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--norc", "-c", f"{script}\nexit $?"],
            capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=60, check=False,
        )  # fmt: skip

    return run


COMPLETED = """
source "$HOME/.bashrc"
COMP_WORDS=({words}) COMP_CWORD={place}
_live_cli_completion live-cli
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def test_it_is_installed_for_the_shell_that_asks(bash, tmp_path):
    for _ in range(2):  # a second time changes nothing
        done = bash("live-cli --install-completion")
        assert (done.returncode, done.stderr) == (0, "")
    assert "bash completion installed" in done.stdout
    assert (tmp_path / ".bashrc").read_text().count("source ") == 1


def test_it_is_shown_and_not_installed(bash, tmp_path):
    done = bash("live-cli --show-completion")
    assert (done.returncode, done.stderr) == (0, "")
    assert "complete -o default -F _live_cli_completion live-cli" in done.stdout
    assert not (tmp_path / ".bashrc").exists()


@pytest.mark.parametrize(
    ("words", "found", "left_out"),
    [
        ("live-cli t", {"talk", "text", "transcribe"}, {"serve"}),
        ("live-cli talk --re", {"--resume", "--record"}, {"--voice"}),
        ("live-cli talk --voice K", {"Kore"}, {"Puck"}),
        ("live-cli text --server ''", {"auto", "gemini", "local"}, set()),
        ("live-cli text --language d", {"de", "da"}, {"en"}),
        ("live-cli text --model gemini-3.8", {"gemini-3.8-live"}, {"local"}),
        ("live-cli talk --modality ''", {"audio", "text"}, {"talk"}),
        ("live-cli transcribe -f ''", {"text", "srt", "vtt", "json"}, set()),
        ("live-cli models p", {"pull"}, set()),
        ("live-cli help m", {"models"}, {"talk"}),
        ("live-cli --version t", {"talk"}, {"0.1.0"}),
        ("live-cli --help t", {"talk"}, {"Usage:"}),
    ],
)
def test_what_was_typed_is_completed(bash, words, found, left_out):
    assert bash("live-cli --install-completion").returncode == 0
    done = bash(COMPLETED.format(words=words, place=len(words.split()) - 1))
    assert done.stderr == ""
    offered = set(done.stdout.split())
    assert found <= offered
    assert not left_out & offered


def test_a_file_s_name_is_left_to_the_shell(bash):
    assert bash("live-cli --install-completion").returncode == 0
    done = bash(COMPLETED.format(words="live-cli transcribe fo", place=2))
    assert (done.stdout.split(), done.stderr) == ([], "")
