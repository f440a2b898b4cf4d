import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.live.wrap import cells, wrap
from live_cli.ui.terminal.line_editor import next_stop


def rows(text: str, width: int) -> list[str]:
    return [text[start:end].rstrip() for start, end in wrap(text, width)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Tell me about it, please.", ["Tell me", "about it,", "please."]),
        ("你好，世界。今天天氣很好", ["你好，世", "界。今天天", "氣很好"]),
        ("天氣很好（真的）。", ["天氣很好", "（真的）。"]),
        ("hello 你好 world", ["hello 你好", "world"]),
        ("very-long-hyphens", ["very-long-", "hyphens"]),
        ("or --no-one at", ["or --no-one", "at"]),
        ("use --no-one at", ["use", "--no-one at"]),
        ("abcdefghijklmnop q", ["abcdefghijk", "lmnop q"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("e\u0301" * 12, ["e\u0301" * 11, "e\u0301"]),
        ("👩‍🚀" * 6, ["👩‍🚀" * 5, "👩‍🚀"]),
    ],
)
def test_rows_break_where_readers_expect(text: str, expected: list[str]) -> None:
    assert rows(text, 11) == expected


TEXTS = st.text(st.sampled_from("ab cd-,.(「你好。é\u0301👩\u200d🚀\n "), max_size=60)


@given(TEXTS, st.integers(2, 30))
def test_no_row_is_too_wide_and_no_text_is_lost(text: str, width: int) -> None:
    ranges = wrap(text, width)
    for start, end in ranges:
        row = text[start:end].rstrip()
        one = row.strip()
        alone = not one or next_stop(one, 0) == len(one)  # joined, it may be wider than the row
        assert cells(row) <= width or alone
    kept = "\n".join(text[start:end] for start, end in ranges)
    assert kept.replace("\n", "") == text.replace("\n", "")
    assert all(
        before[1] <= after[0] <= before[1] + 1 for before, after in itertools.pairwise(ranges)
    )
