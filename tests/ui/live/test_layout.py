from dataclasses import replace

import pytest

from live_cli.protocol.events import (
    AudioChunk,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    SessionOpened,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.messages import UsageMetadata
from live_cli.ui.live.layout import (
    bottom_rows,
    input_row,
    legend_row,
    meter_row,
    status_row,
)
from live_cli.ui.live.line_rows import line_rows, open_rows, overflow
from live_cli.ui.live.meter_bar import ASCII_BARS, BLOCK_BARS
from live_cli.ui.live.wrap import cells
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.transcript.line import TranscriptLine
from live_cli.ui.transcript.reducer import reduce
from live_cli.ui.transcript.state import ViewState, with_levels, with_status

WIDTHS = (40, 48, 60, 72, 80, 100, 120, 200)


def connected(**changes) -> ViewState:
    return with_status(
        reduce(ViewState(), SessionOpened()), label="Gemini · gemini-3.8-live · Kore", **changes
    )


def tokens(total: int) -> TokenLedger:
    return TokenLedger().after(UsageReported(UsageMetadata(total_token_count=total)))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "state",
    [
        ViewState(),
        connected(latency_ms=12_345.6, dropped_frames=10_000),
        connected(muted=True, push_to_talk=True),
        connected(push_to_talk=True, held=True),
        connected(typing=InputLine("你好，世界" * 30, 150)),
        with_levels(connected(), 0, 0, True, 1e6),
    ],
)
def test_the_bottom_fits_every_width_with_a_column_to_spare(state: ViewState, width: int) -> None:
    for height in (3, 6, 12, 50):
        rows, caret = bottom_rows(state, width, height, usage=True)
        assert len(rows) <= max(height - 2, 2)
        assert all(row.cell_len < width for row in rows)
        assert caret is None or caret[1] < width


@pytest.mark.parametrize(
    ("width", "shown", "dropped"),
    [
        (40, ["listening", "812 ms", "1,204 tokens"], ["Gemini"]),
        (60, ["listening", "812 ms", "1,204 tokens", "Gemini"], ["Kore"]),
        (100, ["listening", "Gemini · gemini-3.8-live · Kore", "812 ms", "1,204 tokens"], []),
    ],
)
def test_a_narrow_status_drops_the_label_first(
    width: int, shown: list[str], dropped: list[str]
) -> None:
    state = replace(connected(latency_ms=812.2), tokens=tokens(1204))
    row = status_row(state, width, usage=True).plain
    assert all(text in row for text in shown)
    assert not any(text in row for text in dropped)


def test_tokens_show_only_when_asked_for_and_lost_frames_always() -> None:
    row = status_row(replace(connected(dropped_frames=3), tokens=tokens(9)), 80, usage=False).plain
    assert "tokens" not in row
    assert "3 dropped" in row


@pytest.mark.parametrize("width", WIDTHS)
def test_muted_is_unmistakable(width: int) -> None:
    state = with_levels(connected(muted=True), -1, -100, False, 0)
    assert " MUTED " in status_row(state, width, usage=True).plain
    assert "█" not in meter_row(state, width).plain
    assert "m unmute" in legend_row(state, width).plain


def test_push_to_talk_says_what_space_does() -> None:
    assert "space talk" in legend_row(connected(push_to_talk=True), 80).plain
    assert "space stop" in legend_row(connected(push_to_talk=True, held=True), 80).plain
    assert "space to talk" in status_row(connected(push_to_talk=True), 80, usage=False).plain
    assert "space" not in legend_row(connected(), 80).plain


@pytest.mark.parametrize(
    ("level", "blocks", "ascii_"),
    [
        (None, "     ", "     "),
        (-100, "     ", "     "),
        (-60, "     ", "     "),
        (-30, "██▌  ", "##   "),
        (0, "█████", "#####"),
        (6, "█████", "#####"),
    ],
)
def test_bars_grow_in_eighths_of_a_cell(level: float | None, blocks: str, ascii_: str) -> None:
    assert BLOCK_BARS.draw(level, 5) == blocks
    assert ASCII_BARS.draw(level, 5) == ascii_


def shown(line: TranscriptLine, width: int) -> list[str]:
    return [row.text.plain for row in line_rows(line, width)]


def test_lines_carry_their_speaker_once_and_hang_below_it() -> None:
    line = TranscriptLine("model", "one two three four five six seven eight nine", closed=True)
    assert shown(line, 40) == ["model one two three four five six seven", "      eight nine"]
    assert shown(TranscriptLine("you", "Hi", closed=True), 80) == [" you     Hi"]
    assert shown(TranscriptLine("error", "No.\nStop.", closed=True), 80) == [
        " error   No.",
        "         Stop.",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_wide_characters_stay_inside(width: int) -> None:
    line = TranscriptLine(
        "model", "今天台北天氣溫暖潮濕，氣溫大約二十九度。👩‍🚀 hello 🙂 " * 8, closed=True
    )
    assert all(cells(text) < width for text in shown(line, width))


def test_a_cut_answer_shows_the_mark_and_what_was_not_heard() -> None:
    (text,) = shown(TranscriptLine("model", "One two three four.", cut=7, closed=True), 80)
    assert text == " model   One two [interrupted] three four."
    (row,) = line_rows(TranscriptLine("model", "One two three four.", cut=7, closed=True), 80)
    unheard = row.text[row.text.plain.index("three") :]
    assert "dim" in str(unheard.spans[0].style)


def test_what_is_not_heard_yet_is_dim() -> None:
    state = with_levels(connected(), -100, -100, False, 0)
    for event in (OutputTranscript(1, "One two three four"), AudioChunk(1, bytes(48_000), 24_000)):
        state = reduce(state, event)
    state = with_levels(state, -100, -20, True, 500)
    (row,) = open_rows(state, 80, 5, None)
    assert [str(span.style) for span in row[row.plain.index("four") :].spans] == ["dim"]
    assert row[9:12].spans == []


def test_long_answers_leave_row_by_row_as_they_are_heard_and_nothing_is_lost() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    state = with_levels(reduce(connected(), InputTranscript("Go")), -100, -100, False, 0)
    left: list[str] = []
    heard_ms = 0
    for word in text.split(" "):
        state = reduce(state, OutputTranscript(1, f" {word}"))
        state = reduce(state, AudioChunk(1, bytes(4_800), 24_000))
        state = with_levels(state, -100, -20, True, heard_ms := heard_ms + 90)
        state, rows = overflow(state, 60, 6)
        left += [row.plain for row in rows]
        assert len(open_rows(state, 60, 6, None)) <= 6
    state = reduce(state, TurnComplete(1))
    left += [row.text.plain for line in state.lines for row in line_rows(line, 60)]
    assert sum("model" in row for row in left) == 1
    assert " ".join(" ".join(left).split()) == f"you Go model {text}"


def test_an_answer_that_is_complete_but_not_heard_stays_to_be_cut() -> None:
    state = with_levels(connected(), -100, -100, False, 0)
    state = reduce(state, OutputTranscript(1, "word " * 200))
    state = reduce(state, AudioChunk(1, bytes(480_000), 24_000))
    state = reduce(with_levels(state, -100, -20, True, 100), TurnComplete(1))
    assert overflow(state, 60, 4)[1] == []


def test_a_trimmed_answer_can_still_be_cut() -> None:
    state = with_levels(connected(), -100, -100, False, 0)
    for _ in range(100):
        state = reduce(state, OutputTranscript(1, " hello"))
        state = reduce(state, AudioChunk(1, bytes(4_800), 24_000))
    state = with_levels(state, -100, -20, True, 5_000)
    state, rows = overflow(state, 60, 4)
    assert rows
    state = reduce(state, Interrupted(1))
    cut = state.lines[0].cut
    assert cut is not None
    assert (state.lines[0].offset + cut) // len("hello ") == pytest.approx(50, abs=1)


def test_more_than_fits_is_hinted_at() -> None:
    state = reduce(connected(), InputTranscript("word " * 100, interim=True))
    rows = open_rows(state, 60, 4, None)
    assert len(rows) == 4
    assert rows[0].plain.strip() == "…"
    assert rows[-1].plain.strip()


@pytest.mark.parametrize(
    ("line", "width", "ends", "column"),
    [
        (InputLine("hello", 5), 40, "› hello", 7),
        (InputLine("你好", 2), 40, "› 你好", 6),
        (InputLine("a\x1bb", 3), 40, "› a␛b", 5),
        (InputLine("x" * 100 + "end", 103), 40, "end", 37),
        (InputLine("x" * 100, 0), 40, "x" * 36, 2),
    ],
)
def test_the_input_line_keeps_its_caret_in_sight(
    line: InputLine, width: int, ends: str, column: int
) -> None:
    row, at = input_row(line, width)
    assert row.plain.endswith(ends)
    assert at == column


@pytest.mark.parametrize(
    ("changes", "status", "legend"),
    [
        ({"push_to_talk": True}, "press space to talk", "space talk"),
        ({"push_to_talk": True, "held": True}, "you are speaking", "space stop"),
        (
            {"push_to_talk": True, "hold_to_talk": True},
            "hold space to talk",
            "hold space talk",
        ),
        (
            {"push_to_talk": True, "hold_to_talk": True, "held": True},
            "you are speaking",
            "release space stop",
        ),
    ],
)
def test_the_view_says_whether_the_key_is_held_or_pressed(changes, status, legend) -> None:
    state = connected(**changes)
    assert status in status_row(state, 80, usage=False).plain
    assert f"   {legend}   " in legend_row(state, 80).plain


def test_enter_is_named_while_the_model_speaks() -> None:
    assert "Enter interrupt" not in legend_row(connected(), 80).plain
    assert "Enter interrupt" in legend_row(with_levels(connected(), 0, 0, True, 1.0), 80).plain


def test_an_answer_of_which_nothing_was_heard_is_not_shown_as_said() -> None:
    unheard = TranscriptLine("model", "One two three four.", cut=0, closed=True)
    assert shown(unheard, 80) == [" model   [not heard]"]
    scrolled = TranscriptLine("model", "three four.", cut=0, offset=8, closed=True)
    assert "[interrupted] three four." in shown(scrolled, 80)[0]
