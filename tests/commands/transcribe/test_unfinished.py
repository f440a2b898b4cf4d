"""Transcripts that are there already: kept, skipped, overwritten; a terminal is asked."""

import io
import sys
from pathlib import Path

import pytest

from live_cli.commands.transcribe import unfinished
from live_cli.commands.transcribe.unfinished import Existing, existing_policy, to_do
from live_cli.errors import InputFileError, OptionError


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def there(tmp_path: Path) -> list[Path | None]:
    """A whole transcript, an interrupted one, an empty file, and none."""
    paths = [tmp_path / name for name in ("whole.txt", "half.txt", "empty.txt", "none.txt")]
    for path in paths[:2]:
        path.write_text("words")
    paths[2].touch()
    unfinished.mark_unfinished(paths[1])
    return [*paths, None]


def test_what_is_whole_is_skipped(there: list[Path | None]) -> None:
    assert to_do(there, Existing.SKIP, may_ask=False) == [False, True, True, True, True]


def test_a_transcript_that_is_whole_loses_its_mark(there: list[Path | None]) -> None:
    assert there[1] is not None
    unfinished.mark_whole(there[1])
    assert to_do(there, Existing.SKIP, may_ask=False)[:2] == [False, False]


def test_all_is_overwritten_by_force(there: list[Path | None]) -> None:
    assert all(to_do(there, Existing.OVERWRITE, may_ask=False))


def test_nothing_is_overwritten_unasked(there: list[Path | None]) -> None:
    with pytest.raises(InputFileError, match=r"whole.txt is there already, and 1 more.*--force"):
        to_do(there, Existing.ASK, may_ask=True)  # standard input is no terminal here
    assert all(to_do(there[2:], Existing.ASK, may_ask=False))


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [("y", [True] * 5), ("YES", [True] * 5), ("s", [False, False, True, True, True])],
)
def test_a_terminal_is_asked(
    monkeypatch: pytest.MonkeyPatch, there: list[Path | None], answer: str, wanted: list[bool]
) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(f"{answer}\n"))
    monkeypatch.setattr(sys, "stderr", _Terminal())
    assert to_do(there, Existing.ASK, may_ask=True) == wanted
    assert "Overwrite them?" in sys.stderr.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "what\n"])
def test_no_answer_is_a_no(
    monkeypatch: pytest.MonkeyPatch, there: list[Path | None], answer: str
) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(answer))
    monkeypatch.setattr(sys, "stderr", _Terminal())
    with pytest.raises(InputFileError, match="Nothing was done"):
        to_do(there[:1], Existing.ASK, may_ask=True)


def test_options_that_exclude_each_other() -> None:
    with pytest.raises(OptionError, match="leave one away"):
        existing_policy(force=True, skip=True, to_stdout=False)
    with pytest.raises(OptionError, match="--output"):
        existing_policy(force=False, skip=True, to_stdout=True)
