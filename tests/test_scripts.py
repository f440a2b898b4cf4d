"""Which scripts a text is written in, and what of it is Latin."""

import pytest

from live_cli.scripts import foreign_scripts, latin_part


@pytest.mark.parametrize(
    "text",
    [
        "", "...", "12 345 ½", "Straße für Mädchen", "café cafe\u0301", "Łódź, Việt Nam", "ª º № €",
        "x² + 2 π r", "5 µm, 3 Ωm, Å", "𝓗𝓮𝓵𝓵𝓸 Ｈｅｌｌｏ", "don't “quote” it’s",
        "🙂 → ok", "\u200d\u0301",
    ],
)  # fmt: skip
def test_latin_text_stays_as_it_is(text: str) -> None:
    assert foreign_scripts(text) == ()
    assert latin_part(text) == text


@pytest.mark.parametrize(
    ("text", "scripts", "latin"),
    [
        ("Привет, как дела?", ("Cyrillic",), ""),
        ("Hello Привет world", ("Cyrillic",), "Hello world"),
        ("In 2024 было", ("Cyrillic",), "In 2024"),
        ("नमस्ते means hello", ("Devanagari",), "means hello"),
        ("東京 and こんにちは", ("Chinese", "Japanese"), "and"),
        ("안녕하세요!", ("Korean",), ""),
        ("λόγος is a word, π a sign", ("Greek",), "is a word, π a sign"),
        ("ЃГґ-й's", ("Cyrillic",), ""),
    ],
)
def test_words_in_other_scripts_are_named_and_left_out(
    text: str, scripts: tuple[str, ...], latin: str
) -> None:
    assert foreign_scripts(text) == scripts
    assert latin_part(text) == latin
