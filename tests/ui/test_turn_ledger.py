"""The ledger of turns: each turn and interruption counts once; late output is known."""

from functools import reduce as fold

import pytest

from live_cli.protocol.events import AudioChunk, Event, Interrupted, TurnComplete
from live_cli.ui.turn_ledger import TurnLedger


def ledger(*told: Event) -> TurnLedger:
    return fold(TurnLedger.after, told, TurnLedger())


def test_turns_and_interruptions_are_counted_once() -> None:
    turns = ledger(Interrupted(1), Interrupted(1), TurnComplete(1), Interrupted(1), TurnComplete(2))
    assert turns == TurnLedger(completed=2, interrupted=frozenset({1}))


def test_other_events_change_nothing() -> None:
    turns = ledger(TurnComplete(1))
    assert turns.after(AudioChunk(2, b"", 24_000)) is turns


@pytest.mark.parametrize(
    ("told", "late", "timely"),
    [
        ([], [0], [1]),
        ([Interrupted(0)], [0], [1]),
        ([Interrupted(2)], [0, 1, 2], [3]),
        ([Interrupted(2), TurnComplete(2), TurnComplete(3)], [2], [3, 4]),
    ],
)
def test_what_comes_of_an_interrupted_turn_is_late(
    told: list[Event], late: list[int], timely: list[int]
) -> None:
    turns = ledger(*told)
    assert all(turns.is_late(turn) for turn in late)
    assert not any(turns.is_late(turn) for turn in timely)
