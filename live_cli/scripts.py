"""Scripts that text is written in: which letters a voice that reads Latin alone cannot speak."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f'’-]*[^\W\d_]+)*")
"""A run of letters, with the marks, apostrophes and hyphens inside of it."""
_NAMES = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean",
    "NKO": "N’Ko", "CANADIAN": "Canadian Aboriginal",
}  # fmt: skip


def foreign_scripts(text: str) -> tuple[str, ...]:
    """Return the names of the scripts beside Latin in which words of ``text`` are written.

    A Greek letter alone or beside Latin ones is a sign, as in "2 π r" and "µm".
    """
    found = {_script(letter): None for word in _foreign_words(text) for letter in word}
    return tuple(name for name in found if name)


def latin_part(text: str) -> str:
    """Return ``text`` without the words in other scripts; "" where no word or number is left."""
    foreign = set(_foreign_words(text))
    if not foreign:
        return text
    normal = unicodedata.normalize("NFKC", text)
    left = _WORD.sub(lambda word: "" if word[0] in foreign else word[0], normal)
    left = " ".join("".join(letter for letter in left if not _is_foreign_mark(letter)).split())
    return left if any(letter.isalnum() and not _script(letter) for letter in left) else ""


def _foreign_words(text: str) -> list[str]:
    if text.isascii():
        return []
    # letters of mathematics and full width are Latin ones in another dress
    words = _WORD.findall(unicodedata.normalize("NFKC", text))
    return [word for word in words if any(map(_script, word)) and not _is_sign(word)]


def _is_sign(word: str) -> bool:
    scripts = {_script(letter) for letter in word}
    return scripts == {"Greek", ""} or (len(word) == 1 and scripts == {"Greek"})


def _is_foreign_mark(letter: str) -> bool:
    """Whether ``letter`` is a vowel sign or the like, which stands beside letters of its script."""
    if letter.isascii() or unicodedata.category(letter)[0] != "M":
        return False
    return not unicodedata.name(letter, "").startswith("COMBINING")


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Return the name of the script of ``letter``; "" for Latin, and for what is no letter."""
    if letter.isascii() or unicodedata.category(letter) not in ("Lu", "Ll", "Lt", "Lo"):
        return ""
    first = unicodedata.name(letter, "").split(" ")[0]
    return "" if first in ("LATIN", "") else _NAMES.get(first, first.capitalize())
