"""What --resume goes on with, and how the command line says it."""

import stat
from pathlib import Path

import pytest

from live_cli.cli.main import _completed
from live_cli.errors import SettingsError
from live_cli.plan.last_session import LastSession, recall, remember

SERVER, MODEL = "wss://host", "local"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "last.json"


def test_the_last_session_is_kept_for_its_user_alone(path: Path) -> None:
    remember(LastSession(SERVER, MODEL, "h1"), path)
    remember(LastSession(SERVER, MODEL, "h2"), path)
    assert recall(SERVER, MODEL, path) == "h2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("server", "model"), [("wss://other", MODEL), (SERVER, "other")])
def test_another_server_or_model_is_named(path: Path, server: str, model: str) -> None:
    remember(LastSession(SERVER, MODEL, "h1"), path)
    with pytest.raises(SettingsError, match=f"was with {MODEL} of {SERVER}, not with {model}"):
        recall(server, model, path)


def test_nothing_kept(path: Path) -> None:
    with pytest.raises(SettingsError, match="no earlier session"):
        recall(SERVER, MODEL, path)


def test_a_folder_that_cannot_be_written_keeps_nothing_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    remember(LastSession(SERVER, MODEL, "h1"), tmp_path / "state" / "last.json")


@pytest.mark.parametrize(
    ("given", "means"),
    [
        (["talk", "--resume"], ["talk", "--resume=last"]),
        (["text", "--resume", "--json"], ["text", "--resume=last", "--json"]),
        (["text", "--resume", "h1", "Hi"], ["text", "--resume", "h1", "Hi"]),
        (["text", "--resume=h1", "Hi"], ["text", "--resume=h1", "Hi"]),
        (["text", "Hi"], ["text", "Hi"]),
        ([], []),
    ],
)
def test_a_bare_resume_means_the_last(given: list[str], means: list[str]) -> None:
    assert _completed(given) == means
