"""The figures of a session: turns, interruptions, latencies, tokens. Pure: told ``now``, seconds.

Latency of a turn: from the end of the user's input to the first output of the model that arrives.
The command tells where the input ends (`input_ended`): the last speech-like energy at the
microphone, a key released, a line sent.
"""

from statistics import median

from live_cli.prices import Prices
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    OutputTranscript,
    TextChunk,
)
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.turn_ledger import TurnLedger
from live_cli.ui.view import StatusChanges, Summary


class SessionStats:
    """Counts one session that began at ``now``; `turns` is its ledger."""

    def __init__(self, now: float, prices: Prices | None = None) -> None:
        self.turns = TurnLedger()
        self._tokens = TokenLedger(prices)
        self._started = now
        self._input_ended: float | None = None
        self._turn = 0
        self._firsts: set[str] = set()
        self._latencies_ms: list[float] = []

    def input_ended(self, at: float) -> None:
        """Note the end of the user's input; a later call for the same turn corrects the first."""
        self._input_ended = at

    def event(self, event: Event, now: float) -> StatusChanges:
        """Count ``event``. Returns what to tell the view of it (`View.status`); empty for most."""
        self.turns = self.turns.after(event)
        self._tokens = self._tokens.after(event)
        match event:
            case AudioChunk(turn=turn):
                return self._output(turn, now, "first_audio_ms")
            case TextChunk(turn=turn) | OutputTranscript(turn=turn):
                return self._output(turn, now, "first_text_ms")
            case _:
                pass
        return {}

    def _output(self, turn: int, now: float, first: str) -> StatusChanges:
        if self._input_ended is None or turn < self._turn:
            return {}
        if turn > self._turn:
            self._turn, self._firsts = turn, set()
        if first in self._firsts:
            return {}
        self._firsts.add(first)
        latency_ms = max(0.0, now - self._input_ended) * 1000
        changes: StatusChanges = {}
        if first == "first_audio_ms":
            changes["first_audio_ms"] = latency_ms
        else:
            changes["first_text_ms"] = latency_ms
        if len(self._firsts) == 1:
            self._latencies_ms.append(latency_ms)
            changes["latency_ms"] = latency_ms
        return changes

    def summary(self, now: float) -> Summary:
        """Return the figures so far. Tokens: the sum of all turns, each with its whole context."""
        cost = self._tokens.estimate
        return Summary(
            duration_s=now - self._started,
            turns=self.turns.completed,
            interruptions=len(self.turns.interrupted),
            median_latency_ms=median(self._latencies_ms) if self._latencies_ms else None,
            total_tokens=self._tokens.total,
            tokens_by_modality=dict(self._tokens.by_modality),
            estimated_dollars=cost.dollars if cost else None,
            unpriced_tokens=cost.unpriced_tokens if cost else 0,
        )
