"""Long text in pieces, for a synthesizer that nothing stops while it makes one. Pure."""

import re

_BEHIND_A_MARK = re.compile(r"[;:,.!?…—、。，！？；：]+\s*")
_AT_A_SPACE = re.compile(r"\s+")


def pieces_of(text: str, longest: int) -> list[str]:
    """Return ``text`` in pieces of at most ``longest`` characters, all of them in order.

    Each is cut behind a mark, where there is none at a space, and else anywhere.
    """
    pieces = []
    while len(text) > longest:
        first = text[:longest]
        cuts = [found.end() for found in _BEHIND_A_MARK.finditer(first)]
        cuts = cuts or [found.end() for found in _AT_A_SPACE.finditer(first)]
        end = cuts[-1] if cuts else longest
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text] if text else pieces
