import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.printable import is_control, printable

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=[]),
        st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]),
        st.sampled_from("\x1b[]\x07\x9b\u202e\u2066\ufeff\U000e0041\r\n\t"),
    )
)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("hello", "hello"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\x00b\x7fc", "a␀b␡c"),
        ("\x9b31m", "‹U+009B›31m"),
        ("abc\u202etxt.exe", "abc‹U+202E›txt.exe"),
        ("pay\u200bpal", "pay‹U+200B›pal"),
        ("\ud800", "‹U+D800›"),
        ("one\u2028two", "one‹U+2028›two"),
        ("a\nb\tc\rd", "a␊b␉c␍d"),
    ],
)
def test_control_characters_are_made_visible(raw: str, shown: str) -> None:
    assert printable(raw) == shown


def test_newlines_and_tabs_stay_on_request_and_a_carriage_return_cannot_overwrite() -> None:
    assert printable("a\r\nb\rc\n\td\x1b", newlines=True) == "a\nb\nc\n\td␛"


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧‍👦 family",  # joined by ZWJ
        "❤️ heart",  # variation selector 16
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿 Scotland",  # tag letters
        "e\u0301 combining",
        "السلام عليكم",
        "می‌خواهم",  # Persian with ZWNJ
        "नमस्ते क्‍ष",
        "你好，世界",
        "안녕하세요",
        "ไทย ภาษา",
        "👍🏽 skin tone",
    ],
)
def test_what_words_and_emoji_need_is_untouched(text: str) -> None:
    assert printable(text) == text


@given(HOSTILE)
def test_no_control_character_comes_out(text: str) -> None:
    shown = printable(text)
    flags = "\U000e007f" in shown  # only inside a whole flag emoji
    for char in shown:
        if flags and 0xE0030 <= ord(char) <= 0xE007F:
            continue
        assert not is_control(char), f"U+{ord(char):04X}"
    shown.encode()  # no lone surrogate


@given(HOSTILE)
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    lined = printable(text, newlines=True)
    assert printable(lined, newlines=True) == lined


@given(HOSTILE)
def test_with_newlines_only_newline_and_tab_are_left(text: str) -> None:
    assert not {c for c in printable(text, newlines=True) if unicodedata.category(c) == "Cc"} - {
        "\n",
        "\t",
    }


def test_every_control_character_of_unicode_is_caught() -> None:
    missed = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if is_control(chr(code)) and printable(chr(code)) == chr(code)
    ]
    assert missed == []
