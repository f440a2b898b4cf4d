"""Long text in pieces: none too long, nothing lost, cut where one would pause."""

import pytest

from live_cli.engine.backends.tts.pieces import pieces_of


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("", []),
        ("a", [1]),
        ("abc def, " * 60, [198, 198, 144]),
        ("ab " * 150, [198, 198, 54]),
        ("x" * 450, [200, 200, 50]),
        ("、".join(["日本語" * 20] * 5), [183, 121]),
    ],
)
def test_pieces_are_bounded_whole_and_cut_at_pauses(text, sizes):
    pieces = pieces_of(text, 200)
    assert [len(piece) for piece in pieces] == sizes
    assert "".join(pieces) == text
