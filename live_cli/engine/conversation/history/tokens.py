"""Tokens, billed and estimated, and the most text that a chat model's context can take. Pure."""

from dataclasses import dataclass
from math import ceil

from live_cli.errors import UnsupportedError

AUDIO_TOKENS_A_SECOND = 25
_CHARACTERS_A_TOKEN = 4
_MOST_CHARACTERS_A_TOKEN = 16
"""Prose has four or five characters a token, and no tokenizer's words are this long on average."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens by modality. ``image``: images sent in turns; ``video``: images of a camera."""

    text: int = 0
    audio: int = 0
    image: int = 0
    video: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image + self.video


def text_tokens(text: str) -> int:
    """Estimate the tokens of ``text``, at four characters a token."""
    return tokens_of(len(text))


def tokens_of(characters: int) -> int:
    """Estimate the tokens of a text of so many characters."""
    return ceil(characters / _CHARACTERS_A_TOKEN)


def audio_tokens(seconds: float) -> int:
    """Return the billed tokens of ``seconds`` of audio."""
    return ceil(seconds * AUDIO_TOKENS_A_SECOND)


def most_characters(context_tokens: int) -> int:
    """Return the length of the longest text that can fit into so many tokens, whatever it says."""
    return context_tokens * _MOST_CHARACTERS_A_TOKEN


def check_fits(what: str, characters: int, context_tokens: int) -> None:
    """Refuse by its length what cannot fit into a chat model's context, before anything reads it.

    Tokenizing takes seconds and a gigabyte for what a message can hold. ``what``: the subject of
    the reason. Raises UnsupportedError (1007).
    """
    most = most_characters(context_tokens)
    if characters > most:
        raise UnsupportedError(
            f"{what} has {characters} characters; the chat model's context cannot take {most}."
        )
