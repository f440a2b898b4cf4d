"""The ledger of tokens: a turn's reports are snapshots, turns are summed, each has its price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.prices import Prices
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    Interrupted,
    Reconnected,
    Reconnecting,
    SessionClosed,
    TextChunk,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.messages import ModalityTokenCount, UsageMetadata
from live_cli.ui.token_ledger import Estimate, TokenLedger, estimate

PRICES = Prices(input_text=0.75, input_audio=3.0, output_text=4.5, output_audio=12.0)


def counts(**modalities: int) -> list[ModalityTokenCount]:
    return [ModalityTokenCount(modality=name, token_count=n) for name, n in modalities.items()]


def usage(prompt: int, response: int) -> UsageReported:
    return UsageReported(
        UsageMetadata(
            prompt_token_count=prompt,
            response_token_count=response,
            total_token_count=prompt + response,
            prompt_tokens_details=counts(AUDIO=prompt),
            response_tokens_details=counts(AUDIO=response),
        )
    )


def after(*events: Event, prices: Prices | None = PRICES) -> TokenLedger:
    ledger = TokenLedger(prices)
    for event in events:
        ledger = ledger.after(event)
    return ledger


def dollars(prompt: int, response: int) -> float:
    return (prompt * 3 + response * 12) / 1e6


LOST = SessionClosed(1006, "", turn_lost=True)
SOUND = b"\0\0"


@pytest.mark.parametrize(
    ("events", "counted"),
    [
        ([], []),
        ([usage(100, 10)], [(100, 10)]),
        # reports of one turn take each other's place
        ([usage(100, 0), usage(100, 5), usage(100, 10), TurnComplete(1)], [(100, 10)]),
        # turns are summed: the context is billed anew with each
        (
            [usage(100, 10), TurnComplete(1), usage(150, 20), TurnComplete(2)],
            [(100, 10), (150, 20)],
        ),
        # two turns that cost the same are two
        ([usage(9, 9), TurnComplete(1), usage(9, 9), TurnComplete(2)], [(9, 9), (9, 9)]),
        # a report between two turns, as before the first sound, is the next one's first
        (
            [usage(100, 10), TurnComplete(1), usage(150, 0), AudioChunk(2, SOUND, 24_000),
             usage(150, 20), TurnComplete(2)],
            [(100, 10), (150, 20)],
        ),
        # a turn that was cut off without an end is over with the sound of the next
        (
            [AudioChunk(1, SOUND, 24_000), usage(100, 4), Interrupted(1),
             AudioChunk(2, SOUND, 24_000), usage(120, 8), TurnComplete(2)],
            [(100, 4), (120, 8)],
        ),
        # an answer that was lost with its connection has been billed, and its repetition is too
        (
            [TextChunk(1, "half"), usage(100, 4), Reconnecting(LOST), Reconnected(True),
             TextChunk(2, "whole"), usage(100, 10), TurnComplete(2)],
            [(100, 4), (100, 10)],
        ),
        # a connection that ends between two turns counts nothing twice
        (
            [usage(100, 10), TurnComplete(1), Reconnecting(LOST), Reconnected(True),
             usage(150, 20), TurnComplete(2), SessionClosed(1000, "")],
            [(100, 10), (150, 20)],
        ),
    ],
)  # fmt: skip
def test_a_turn_counts_once_by_its_last_report(events, counted):
    ledger = after(*events)
    assert ledger.total == (sum(map(sum, counted)) or None)
    assert sum(ledger.by_modality.values()) == sum(response for _, response in counted)
    cost = ledger.estimate.dollars if ledger.estimate else 0.0
    assert cost == pytest.approx(sum(dollars(*each) for each in counted))


@given(st.lists(st.lists(st.integers(0, 9_999), min_size=1, max_size=4), max_size=6), st.data())
def test_the_sum_is_that_of_each_turn_s_last_report_whatever_comes_between(turns, data):
    events: list[Event] = []
    for number, reports in enumerate(turns, 1):
        events += [usage(each, each) for each in reports]
        ends = st.sampled_from([TurnComplete(number), Reconnecting(LOST), SessionClosed(1011, "")])
        events.append(data.draw(ends))
    assert (after(*events).total or 0) == sum(2 * reports[-1] for reports in turns)


def test_each_modality_and_direction_has_its_price():
    one = UsageMetadata(
        prompt_token_count=3_000_000,
        response_token_count=2_000_000,
        thoughts_token_count=1_000_000,
        tool_use_prompt_token_count=1_000_000,
        prompt_tokens_details=counts(TEXT=1_000_000, AUDIO=2_000_000),
        response_tokens_details=counts(AUDIO=2_000_000),
        tool_use_prompt_tokens_details=counts(TEXT=1_000_000),
    )
    assert estimate(one, PRICES) == Estimate(0.75 + 2 * 3 + 2 * 12 + 4.5 + 0.75)


def test_tokens_that_no_detail_tells_of_cost_the_dearest():
    one = UsageMetadata(
        prompt_token_count=162,
        response_token_count=42,
        prompt_tokens_details=counts(TEXT=139),
        response_tokens_details=counts(AUDIO=42),
    )
    expected = (139 * 0.75 + 23 * 3 + 42 * 12) / 1e6
    assert estimate(one, PRICES).dollars == pytest.approx(expected)
    bare = UsageMetadata(prompt_token_count=10, response_token_count=10)
    assert estimate(bare, PRICES).dollars == pytest.approx(10 * (3 + 12) / 1e6)


def test_tokens_without_a_price_are_told_and_not_guessed():
    one = UsageMetadata(
        prompt_token_count=358,
        response_token_count=50,
        prompt_tokens_details=counts(TEXT=100, IMAGE=258),
        response_tokens_details=counts(AUDIO=50),
    )
    told = estimate(one, Prices(input_text=1.0, input_audio=1.0))
    assert told == Estimate(pytest.approx(100 / 1e6), 258 + 50)
    assert str(told) == "estimated $0.0001 (308 without a price)"


def test_without_a_price_there_are_tokens_alone():
    ledger = after(usage(100, 10), TurnComplete(1), prices=None)
    assert (ledger.total, ledger.estimate, ledger.estimate_of(UsageMetadata())) == (110, None, None)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "estimated $0.00"), (0.00364, "estimated $0.0036"), (0.25, "estimated $0.2500"),
     (1234.5, "estimated $1,234.50")],
)  # fmt: skip
def test_money_is_called_an_estimate(amount, text):
    assert str(Estimate(amount)) == text
