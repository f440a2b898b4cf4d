import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.terminal.line_editor import MAX_CHARACTERS, PASTE, InputLine, LineEditor


def typed(*keys: str) -> LineEditor:
    editor = LineEditor()
    for key in keys:
        assert editor.press(key) is None
    return editor


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["h", "i"], ("hi", 2)),
        (["h", "i", "left", "!"], ("h!i", 2)),
        (["a", "b", "home", "delete"], ("b", 0)),
        (["a", "b", "home", "right", "end", "backspace"], ("a", 1)),
        ([*"one two", "ctrl-w"], ("one ", 4)),
        ([*"one two", "ctrl-u"], ("", 0)),
        ([*"one", "left", "ctrl-k"], ("on", 2)),
        (["e", "\u0301", "backspace"], ("", 0)),  # a combining mark goes with its letter
        ([*"👨‍👩‍👧", "backspace"], ("", 0)),  # so does a joined family
        ([*"👍🏽", "left"], ("👍🏽", 0)),
        (["你", "好", "backspace"], ("你", 1)),
        ([PASTE + "two\nlines\tand more "], ("two lines and more", 18)),
        (["up", "f5", "tab", "ctrl-g"], ("", 0)),
        (["left", "backspace", "delete"], ("", 0)),
    ],
)
def test_keys_edit_the_line(keys: list[str], line: tuple[str, int]) -> None:
    assert typed(*keys).line == InputLine(*line)


def test_enter_gives_the_line_and_starts_anew() -> None:
    editor = typed("h", "i")
    assert editor.press("enter") == "hi"
    assert editor.line == InputLine()


def test_escape_cancels() -> None:
    editor = typed("h", "escape")
    assert editor.cancelled
    assert editor.line == InputLine()


def test_what_is_too_long_is_not_taken() -> None:
    editor = typed("a", PASTE + "b" * MAX_CHARACTERS)
    assert editor.line.text == "a"


KEYS = st.one_of(
    st.characters(),
    st.sampled_from(
        ["left", "right", "home", "end", "backspace", "delete", "ctrl-w", "ctrl-k", "up", "enter"]
    ),
    st.text(max_size=9).map(lambda text: PASTE + text),
)


@given(st.lists(KEYS, max_size=40))
def test_the_caret_stays_inside_the_text(keys: list[str]) -> None:
    editor = LineEditor()
    for key in keys:
        editor.press(key)
        assert 0 <= editor.line.caret <= len(editor.line.text)
