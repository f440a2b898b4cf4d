import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.terminal.key_decoder import KeyDecoder


def decoded(*pieces: bytes) -> list[str]:
    decoder = KeyDecoder()
    return [key for piece in pieces for key in decoder.feed(piece)] + decoder.flush()


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"mq ", ["m", "q", " "]),
        ("é你🙂".encode(), ["é", "你", "🙂"]),
        (b"\r", ["enter"]),
        (b"\x7f\x08\t", ["backspace", "backspace", "tab"]),
        (b"\x01\x15\x1a", ["ctrl-a", "ctrl-u", "ctrl-z"]),
        (b"\x1b[A\x1b[D\x1bOC\x1b[H\x1b[4~", ["up", "left", "right", "home", "end"]),
        (b"\x1b[3~\x1b[1;5C\x1b[Z", ["delete", "right", "shift-tab"]),
        (b"\x1b[15~\x1b[[A\x1b[?1;2n", ["unknown", "unknown", "unknown"]),
        (b"\x1b[?62;4;22cq\x1b[?64;14c", ["graphics:sixel", "q", "graphics:none"]),
        (b"\x1b_Gi=31;OK\x1b\\m", ["graphics:kitty", "m"]),
        (b"\x1b_Gi=31;EINVAL:q\x1b\\", ["unknown"]),
        (b"\x1b_", ["alt-_"]),
        (b"\x1b", ["escape"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1bb", ["alt-b"]),
        (b"\x1b\x7f", ["alt-backspace"]),
        (b"\x1b[200~quit\x1b[A\n\x1b[201~q", ["paste:quit\x1b[A\n", "q"]),
        (b"\xff", ["\ufffd"]),
        ("\u202e\x9b".encode(), ["unknown", "unknown"]),
    ],
)
def test_bytes_become_keys_however_they_are_cut(data: bytes, keys: list[str]) -> None:
    assert decoded(data) == keys
    assert decoded(*(data[i : i + 1] for i in range(len(data)))) == keys


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b[32u\x1b[32;1:2u\x1b[32;1:3u", [" ", "repeat: ", "release: "]),
        (b"\x1b[32;129:1u\x1b[32;65:3u", [" ", "release: "]),  # with num lock, with caps lock
        (b"\x1b[113;;113u\x1b[113;1:3u", ["q", "release:q"]),
        (b"\x1b[97;2;65u", ["A"]),
        (b"\x1b[97:65;2u", ["A"]),
        (b"\x1b[50;2;34u", ['"']),
        (b"\x1b[0;;20320u", ["你"]),
        (b"\x1b[0;;104:105u", ["paste:hi"]),
        (b"\x1b[99;5u\x1b[122;5u\x1b[97;5:3u", ["ctrl-c", "ctrl-z", "release:ctrl-a"]),
        (b"\x1b[98;3u", ["alt-b"]),
        (b"\x1b[13u\x1b[57414u\x1b[27u\x1b[127u", ["enter", "enter", "escape", "backspace"]),
        (b"\x1b[9;2u\x1b[9u", ["shift-tab", "tab"]),
        (b"\x1b[1;1:3A\x1b[3;1:2~", ["release:up", "repeat:delete"]),
        (b"\x1b[57441;2u\x1b[32;9u", ["unknown", "unknown"]),  # shift alone, super and space
        (b"\x1b[?27u\x1b[?u", ["flags:27", "unknown"]),
        (b"\x1b[I\x1b[O", ["focus-in", "focus-out"]),
        (b"\x1b[55296u\x1b[9999999999u\x1b[97;1;155u", ["unknown", "unknown", "a"]),
    ],
)
def test_keys_of_the_kitty_protocol(data: bytes, keys: list[str]) -> None:
    assert decoded(data) == keys
    assert decoded(*(data[i : i + 1] for i in range(len(data)))) == keys


def test_an_escape_waits_for_what_may_follow() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.waiting
    assert decoder.feed(b"[A") == ["up"]
    assert not decoder.waiting


def test_an_unfinished_paste_is_no_key_and_waits_without_hurry() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b[200~q") == []
    assert decoder.flush() == []
    assert not decoder.waiting


@given(
    st.one_of(
        st.binary(max_size=60),
        st.from_regex(rb"\x1b\[[0-9:;?]{0,20}[u~A-D]", fullmatch=True),
    )
)
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    for key in decoded(data):
        assert key
        if len(key) == 1:
            assert key.isprintable() or not key.isascii()
