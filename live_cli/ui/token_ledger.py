"""The ledger of a session's tokens: how many, and what they cost by the prices at hand. Pure.

Theory: a usage report (`UsageReported`) is a snapshot of one turn, with the whole context as its
prompt: Google bills that anew with every turn. So a later report of the same turn takes the place
of the earlier one, and the turns are summed. A turn is over with its ``turnComplete``, with its
connection, or when output of a later turn comes; what was reported of it by then has been billed,
also where its answer was lost and the question is asked again. A report that comes between two
turns is the first of the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from live_cli.prices import Direction, Prices
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    OutputTranscript,
    Reconnecting,
    SessionClosed,
    TextChunk,
    Thought,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.messages import ModalityTokenCount, UsageMetadata


@dataclass(frozen=True, slots=True)
class Estimate:
    """What tokens cost, in dollars; ``unpriced_tokens`` have no price and are not in it."""

    dollars: float = 0.0
    unpriced_tokens: int = 0

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.dollars + other.dollars, self.unpriced_tokens + other.unpriced_tokens)

    def __str__(self) -> str:
        """``estimated $0.0123``, and how many tokens have no price."""
        text = f"estimated {_money(self.dollars)}"
        return (
            f"{text} ({self.unpriced_tokens:,} without a price)" if self.unpriced_tokens else text
        )


def estimate(usage: UsageMetadata, prices: Prices) -> Estimate:
    """Return what the tokens of one report cost; those of no known modality at the dearest price.

    The details of a report need not add up to its counts.
    """
    texts = [ModalityTokenCount(modality="TEXT", token_count=usage.thoughts_token_count or 0)]
    return (
        _cost(usage.prompt_token_count, usage.prompt_tokens_details, "input", prices)
        + _cost(
            usage.tool_use_prompt_token_count, usage.tool_use_prompt_tokens_details, "input", prices
        )
        + _cost(usage.response_token_count, usage.response_tokens_details, "output", prices)
        + _cost(None, texts, "output", prices)
    )


def _cost(
    count: int | None,
    details: Iterable[ModalityTokenCount] | None,
    direction: Direction,
    prices: Prices,
) -> Estimate:
    cost, told = Estimate(), 0
    for detail in details or ():
        tokens = detail.token_count or 0
        told += tokens
        cost += _price_of(tokens, prices.of(direction, detail.modality))
    return cost + _price_of(max((count or 0) - told, 0), prices.of(direction, None))


def _price_of(tokens: int, price: float | None) -> Estimate:
    return Estimate(0.0, tokens) if price is None else Estimate(tokens * price / 1_000_000)


def _money(dollars: float) -> str:
    """Return dollars with cents, or with four places where there is less than one of them."""
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.4f}"


@dataclass(frozen=True, slots=True)
class TokenLedger:
    """The tokens of all turns. ``prices``: None where no price is known."""

    prices: Prices | None = None
    _total: int = 0
    _by_modality: Mapping[str, int] = field(default_factory=dict)
    _cost: Estimate = Estimate()
    _report: UsageMetadata | None = None
    _report_turn: int = 0
    _over: bool = True

    def after(self, event: Event) -> "TokenLedger":
        """Return the ledger with ``event`` entered; most events change nothing in it."""
        match event:
            case UsageReported(usage) if self._over:
                return replace(
                    self._entered(), _report=usage, _report_turn=self._report_turn + 1, _over=False
                )
            case UsageReported(usage):
                return replace(self, _report=usage)
            case TurnComplete(turn):
                return replace(self, _over=True, _report_turn=max(turn, self._report_turn))
            case Reconnecting() | SessionClosed():
                return replace(self, _over=True)
            case AudioChunk(turn) | TextChunk(turn) | OutputTranscript(turn) | Thought(turn):
                if turn > self._report_turn and not self._over:
                    return replace(self, _over=True)
            case _:
                pass
        return self

    @property
    def total(self) -> int | None:
        """All tokens, the whole context counted with each turn; None: none were reported."""
        return self._entered()._total or None

    @property
    def by_modality(self) -> Mapping[str, int]:
        """The tokens of the answers."""
        return self._entered()._by_modality

    @property
    def estimate(self) -> Estimate | None:
        """What they cost; None without prices or tokens."""
        return self._entered()._cost if self.prices is not None and self.total else None

    def estimate_of(self, usage: UsageMetadata) -> Estimate | None:
        """Return what one report costs; None without prices."""
        return None if self.prices is None else estimate(usage, self.prices)

    def _entered(self) -> "TokenLedger":
        """Return the ledger with the last report among the turns that are over."""
        if (usage := self._report) is None:
            return self
        by_modality = dict(self._by_modality)
        for detail in usage.response_tokens_details or ():
            name = detail.modality or "OTHER"
            by_modality[name] = by_modality.get(name, 0) + (detail.token_count or 0)
        return replace(
            self,
            _total=self._total + (usage.total_token_count or 0),
            _by_modality=by_modality,
            _cost=self._cost + (self.estimate_of(usage) or Estimate()),
            _report=None,
        )
