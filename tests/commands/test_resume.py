"""`--resume` against a server that outlives the command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.serve_process import serving

SCRIPTED = {"LIVE_CLI_ENGINE_CHAT": "scripted", "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a running `live-cli serve`."""
    with serving(tmp_path, SCRIPTED) as serve:
        yield serve.address


def prompt_tokens(home: Path, *args: str) -> int:
    done = live_cli("text", "--json", *args, home=home)
    assert done.returncode == 0, done.stderr
    [usage] = of_type(json_lines(done.stdout), "usage")
    return int(usage["prompt"])


def test_a_resumed_session_knows_what_was_said(server: str, tmp_path: Path) -> None:
    to = ("--server", server)
    first = prompt_tokens(tmp_path, "My name is Ada.", *to)
    resumed = prompt_tokens(tmp_path, "Who am I?", *to, "--resume")
    afresh = prompt_tokens(tmp_path, "Who am I?", *to)
    assert resumed > first
    assert resumed > afresh


@pytest.mark.parametrize("args", [("--resume", "Who am I?"), ("--resume", "--", "Who am I?")])
def test_a_question_after_the_option_is_no_handle(
    server: str, tmp_path: Path, args: tuple[str, ...]
) -> None:
    to = ("--server", server)
    prompt_tokens(tmp_path, "My name is Ada.", *to)
    resumed = prompt_tokens(tmp_path, "--server", server, *args)
    assert resumed > prompt_tokens(tmp_path, "Who am I?", *to)


def test_a_handle_is_taken_by_its_shape(server: str, tmp_path: Path) -> None:
    to = ("--server", server)
    first = prompt_tokens(tmp_path, "My name is Ada.", *to)
    kept = tmp_path / ".local" / "state" / "live-cli" / "last-session.json"
    handle = json.loads(kept.read_text())["handle"]
    prompt_tokens(tmp_path, "Another session.", *to)
    assert prompt_tokens(tmp_path, *to, "--resume", handle, "Who am I?") > first


def test_a_handle_that_is_not_known_is_said(server: str, tmp_path: Path) -> None:
    done = live_cli("text", "Hi", "--server", server, "--resume=h0", home=tmp_path)
    assert done.returncode == 4
    assert b"handle is not known or has expired" in done.stderr


def test_an_engine_that_ends_with_the_command_cannot_be_resumed(tmp_path: Path) -> None:
    done = live_cli("text", "Hi", "--resume=h0", home=tmp_path)
    assert done.returncode == 3
    assert b"live-cli serve" in done.stderr
