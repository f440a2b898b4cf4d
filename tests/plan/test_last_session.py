"""What --resume goes on with, and how the command line says it."""

import stat
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from random import Random

import pytest

from live_cli.cli.main import completed
from live_cli.errors import SettingsError
from live_cli.plan.last_session import LastSession, is_handle, recall, remember

SERVER, MODEL = "wss://host", "local"
HANDLE = "-7Yf0b_kQ2mZ9xWc4tRvS1nLpGhJd8A6"


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
        (["text", "--resume", HANDLE, "Hi"], ["text", "--resume", HANDLE, "Hi"]),
        (["text", "--resume", HANDLE], ["text", "--resume", HANDLE]),
        (["text", "--resume", "Hi"], ["text", "--resume=last", "Hi"]),
        (["text", "--resume", "Who am I?"], ["text", "--resume=last", "Who am I?"]),
        (["text", "--resume", "last"], ["text", "--resume", "last"]),
        (["text", "--resume", "--", "Hi"], ["text", "--resume=last", "--", "Hi"]),
        (["text", "--", "--resume"], ["text", "--", "--resume"]),
        (["talk", "--resume", "h1"], ["talk", "--resume", "h1"]),
        (["text", "--resume=h1", "Hi"], ["text", "--resume=h1", "Hi"]),
        (["text", "Hi"], ["text", "Hi"]),
        (["talk", "--camera"], ["talk", "--camera="]),
        (["talk", "--camera", "--resume"], ["talk", "--camera=", "--resume=last"]),
        (["talk", "--screen", "--json"], ["talk", "--screen=", "--json"]),
        (["talk", "--camera", "0"], ["talk", "--camera", "0"]),
        (["talk", "--camera=x", "--screen", "1"], ["talk", "--camera=x", "--screen", "1"]),
        ([], []),
    ],
)
def test_an_option_that_stands_alone_means_the_last_or_the_first(
    given: list[str], means: list[str]
) -> None:
    assert completed(given) == means


def test_random_bytes_have_the_shape_of_a_handle() -> None:
    random = Random(7)
    for size in (24, 48, 96):
        for _ in range(200):
            raw = random.randbytes(size)
            for text in (urlsafe_b64encode(raw).decode(), b64encode(raw).decode(), raw.hex()):
                assert is_handle(text), text


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "hello?",
        "Who am I?",
        "Wer bin ich, und wenn ja, wie viele?",
        "Donaudampfschifffahrtsgesellschaftskapitaen",
        "What-is-the-weather-in-Paris",
        "IS-IT-GOING-TO-RAIN-TODAY-OR-NOT",
        "https://example.com/A1B2C3D4E5F6G7",
        "/home/Ada/Notes/Chapter1Final2026",
        "\u4eca\u5929\u5929\u6c14" * 6,
        "12345678901234567890123",
        "",
    ],
)
def test_a_question_has_not(text: str) -> None:
    assert not is_handle(text)
