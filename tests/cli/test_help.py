"""Help: an example in each, arguments by name alone, the short options, `live-cli help`."""

import re
import shlex
import subprocess
import sys

import pytest
import typer

from live_cli.cli.app import app
from live_cli.cli.examples import EXAMPLES
from live_cli.cli.main import completed

ROOT = typer.main.get_command(app)


def command_lines() -> list[str]:
    """The words of every command there is, the root's first."""
    found = [""]
    for name, command in ROOT.commands.items():
        found.append(name)
        found += [f"{name} {below}" for below in getattr(command, "commands", {})]
    return found


def run(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "live_cli", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_command_has_an_example_and_no_other_has():
    assert set(EXAMPLES) == set(command_lines())


@pytest.mark.parametrize("words", command_lines())
def test_help_shows_its_examples_and_no_types(words):
    shown = run(*words.split(), "--help").stdout
    for line in EXAMPLES[words]:
        assert f"\n  {line}\n" in shown
    assert not re.search(r"<\w+|list\[|\bSTR\b|\{[A-Z]+\}|FILE\.\.\.\]", shown)


@pytest.mark.parametrize("line", sorted({line for lines in EXAMPLES.values() for line in lines}))
def test_an_example_is_a_command_line_that_is_understood(line):
    args = completed(shlex.split(re.search(r"live-cli ([^|>&)]+)", line)[1]))
    called = ROOT.main(args, "live-cli", standalone_mode=False)
    assert callable(called) or args[:1] in (["config"], ["help"], ["models"])


@pytest.mark.parametrize(
    ("command", "short", "long"),
    [
        ("talk", "-o", "--output"), ("text", "-o", "--output"), ("transcribe", "-o", "--output"),
        ("transcribe", "-f", "--format"), ("", "-V", "--version"),
        *((words, "-h", "--help") for words in command_lines()),
    ],
)  # fmt: skip
def test_a_short_option_is_its_long_one(command, short, long):
    found = ROOT
    for word in command.split():
        found = found.commands[word]
    with typer.Context(found, help_option_names=["-h", "--help"]) as ctx:
        spellings = [{*param.opts} for param in found.get_params(ctx)]
    assert any({short, long} <= each for each in spellings), spellings


@pytest.mark.parametrize("words", ["", "talk", "models", "models pull", "config show", "help"])
def test_help_of_a_command_is_its_help(words):
    told, shown = run("help", *words.split()), run(*words.split(), "--help")
    assert (told.returncode, told.stdout) == (0, shown.stdout)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("tlak", "no command 'tlak'; did you mean 'talk'?"),
        ("models pul", "no command 'pul'; did you mean 'pull'?"),
        ("qqqqq", "no command 'qqqqq'. See: live-cli --help"),
        ("talk now", "no command 'now'. See: live-cli talk --help"),
    ],
)
def test_help_of_a_command_that_is_not_there_names_the_nearest(words, says):
    told = run("help", *words.split())
    assert (told.returncode, told.stdout) == (2, "")
    assert says in told.stderr
    assert told.stderr.count("\n") == 1
