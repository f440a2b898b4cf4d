"""The figures of a session: turns, interruptions, waiting times, tokens. Pure: told all times."""

from collections.abc import Mapping

from live_cli.prices import Prices
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    Interrupted,
    OutputTranscript,
    Reconnecting,
    TextChunk,
)
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.turn_ledger import TurnLedger
from live_cli.ui.view import StatusChanges, Summary
from live_cli.ui.waiting_times import WaitingTimes


class SessionStats:
    """Counts one session that began at ``now``, in seconds; `turns` is its ledger.

    ``plays``: the answers are played, and heard when `sounded` says so; else they are there when
    they arrive. ``waits`` is told by its owner where the user's input ends.
    """

    def __init__(self, now: float, prices: Prices | None = None, *, plays: bool = False) -> None:
        self.turns = TurnLedger()
        self.waits = WaitingTimes()
        self._tokens = TokenLedger(prices)
        self._started = now
        self._plays = plays
        self._firsts: set[tuple[int, str]] = set()
        self._sounded_turn = 0

    def event(self, event: Event, now: float) -> StatusChanges:
        """Count ``event``. Returns what to tell the view of it (`View.status`); empty for most."""
        self.turns = self.turns.after(event)
        self._tokens = self._tokens.after(event)
        match event:
            case AudioChunk(turn=turn):
                return self._output(turn, now, "audio")
            case TextChunk(turn=turn):
                return self._output(turn, now, "text")
            case OutputTranscript(turn=turn):
                return self._output(turn, now, "transcript")
            case Interrupted(turn):
                self.waits.cut(turn)
            case Reconnecting(lost) if lost.turn_lost:
                self.waits.spoken_over()
            case _:
                pass
        return {}

    def sounded(self, times: Mapping[int, float]) -> StatusChanges:
        """Note when turns were first heard, by turn; returns what to tell the view, as `event`."""
        changes: StatusChanges = {}
        for turn in sorted(turn for turn in times if turn > self._sounded_turn):
            self._sounded_turn = turn
            changes |= self._heard(turn, times[turn])
        return changes

    def _output(self, turn: int, now: float, kind: str) -> StatusChanges:
        since = self.waits.arrived(turn, now)
        first = "first_audio_ms" if kind == "audio" else "first_text_ms"
        changes: StatusChanges = {}
        if since is not None and (turn, first) not in self._firsts:
            self._firsts.add((turn, first))
            ms = max(0.0, now - since) * 1000
            changes["latency_turn"] = turn
            if first == "first_audio_ms":
                changes["first_audio_ms"] = ms
            else:
                changes["first_text_ms"] = ms
        if kind == "text" or not self._plays:
            changes |= self._heard(turn, now)
        return changes

    def _heard(self, turn: int, at: float) -> StatusChanges:
        wait_ms = self.waits.sounded(turn, at)
        return {} if wait_ms is None else {"latency_turn": turn, "latency_ms": wait_ms}

    def summary(self, now: float) -> Summary:
        """Return the figures so far. Tokens: the sum of all turns, each with its whole context."""
        cost = self._tokens.estimate
        return Summary(
            duration_s=now - self._started,
            turns=self.turns.completed,
            interruptions=len(self.turns.interrupted),
            median_latency_ms=self.waits.median_ms(),
            total_tokens=self._tokens.total,
            tokens_by_modality=dict(self._tokens.by_modality),
            estimated_dollars=cost.dollars if cost else None,
            unpriced_tokens=cost.unpriced_tokens if cost else 0,
        )
