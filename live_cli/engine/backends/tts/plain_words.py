"""Text as a synthesizer of rules takes it: words alone, none of them endless. Pure."""

import re

_MARKUP = re.compile(r"[<>\\{}\[\]|^~`*_#\x00-\x1f\x7f\ud800-\udfff]+")
_ENDLESS = re.compile(r"(\S{40})(?=\S)")
_DIGITS = re.compile(r"(\d{12})(?=\d)")
_SAME = re.compile(r"(\S)\1{5,}")
_MOST_CHARACTERS = 600
"""A clause has 400 at most; what is more is no speech."""


def plain_words(text: str) -> str:
    """Return ``text`` without markup, in words of at most 40 letters; "" where no word is left."""
    text = _SAME.sub(r"\1\1\1", _MARKUP.sub(" ", text[:_MOST_CHARACTERS]))
    text = " ".join(_ENDLESS.sub(r"\1 ", _DIGITS.sub(r"\1 ", text)).split())
    return text if any(character.isalnum() for character in text) else ""
