from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live_cli.ui.live.region import Caret, Region, ScreenRow


def rows(*texts: str) -> list[ScreenRow]:
    return [ScreenRow(text, len(text)) for text in texts]


def test_finished_rows_scroll_away_and_the_region_stays_below(screen) -> None:
    terminal, region = screen(20, 5), Region()
    terminal.write(region.frame(rows("a", "status"), 20))
    for number in range(6):
        terminal.write(region.frame(rows("a", "status"), 20, above=rows(f"line {number}")))
    assert terminal.text == [f"line {number}" for number in range(6)] + ["a", "status"]
    terminal.write(region.clear(20))
    assert terminal.text == [f"line {number}" for number in range(6)]
    assert terminal.column == 0


def test_nothing_is_written_when_nothing_changed() -> None:
    region = Region()
    assert region.frame(rows("a", "b"), 20)
    assert region.frame(rows("a", "b"), 20) == ""


def test_only_changed_rows_are_written_again() -> None:
    region = Region()
    region.frame(rows("same", "old", "last"), 20)
    frame = region.frame(rows("same", "new", "last"), 20)
    assert "same" not in frame
    assert "new" in frame


def test_the_cursor_shows_only_at_a_caret(screen) -> None:
    terminal, region = screen(20, 5), Region()
    terminal.write(region.frame(rows("one", "type: hi", "three"), 20, caret=Caret(1, 8)))
    assert (terminal.row, terminal.column, terminal.cursor_shows) == (1, 8, True)
    terminal.write(region.frame(rows("one", "three"), 20))
    assert terminal.text == ["one", "three"]
    assert not terminal.cursor_shows
    terminal.write(region.clear(20))
    assert terminal.text == []
    assert terminal.cursor_shows
    assert terminal.modes == {"25": True, "7": True, "2026": False}


def test_after_a_window_became_narrower_the_way_up_counts_folded_rows() -> None:
    region = Region()
    region.frame(rows("x" * 90, "y" * 30, "z" * 45), 100)
    assert region.frame(rows("x"), 40).startswith("\x1b[?2026h\x1b[?25l\r\x1b[5A\x1b[J")


FRAMES = st.tuples(
    st.lists(st.text("ab", max_size=19), max_size=4),
    st.lists(st.text("ab", max_size=19), min_size=1, max_size=4),
    st.booleans(),
)


@given(st.lists(FRAMES, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changes_the_screen_shows_history_and_the_last_region(screen, frames) -> None:
    terminal, region = screen(20, 6), Region()
    history: list[str] = []
    shown: list[str] = []
    for above, bottom, typing in frames:
        caret = Caret(len(bottom) - 1, 3) if typing else None
        terminal.write(region.frame(rows(*bottom), 20, above=rows(*above), caret=caret))
        history, shown = history + above, bottom
    expected = history + shown
    while expected and not expected[-1]:
        expected.pop()
    assert terminal.text == expected
