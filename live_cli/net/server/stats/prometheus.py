"""Counts a server's activity and shows it in Prometheus's text format.

Each server has a registry of its own. No metric tells what was said, or by whom.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

__all__ = ["CONTENT_TYPE", "PrometheusCounts"]

StageStates = Iterable[tuple[str, str, bool]]
"""For each stage of the engine: its kind, the backend's name, and whether that is loaded."""

# The library would add to each counter a line with the time of the server's start.
disable_created_metrics()  # type: ignore[no-untyped-call]

_ANSWER_S: Final = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_LAG_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_LAG_EVERY_S: Final = 0.25
_CODES: Final = frozenset({1000, 1001, 1005, 1006, 1007, 1008, 1009, 1011, 1013})
"""Close codes with a label of their own; clients may send thousands of others."""


class PrometheusCounts:
    """`ServerCounts` as Prometheus metrics. ``stages`` is called at each reading.

    ``most_sessions``: as many may be open at a time; None: nobody says.
    """

    def __init__(
        self, stages: Callable[[], StageStates] = tuple, most_sessions: int | None = None
    ) -> None:
        self._stages = stages
        self._registry = registry = CollectorRegistry()
        self._open = Gauge("live_cli_sessions_open", "Sessions that are open.", registry=registry)
        if most_sessions is not None:
            places = Gauge("live_cli_max_sessions", "Sessions at a time.", registry=registry)
            places.set(most_sessions)
        self._opened = self._count("sessions", "Connections that were let in.")
        self._refused = self._count("refused", "Connections and requests refused.", "reason")
        self._ended = self._count("sessions_ended", "Sessions that ended.", "code")
        messages = self._count("messages", "WebSocket messages.", "direction")
        size = self._count("message_bytes", "Bytes of these messages.", "direction")
        self._in, self._bytes_in = messages.labels("in"), size.labels("in")
        self._out, self._bytes_out = messages.labels("out"), size.labels("out")
        self._turns = self._count("turns", "Turns that are over.")
        self._interruptions = self._count("interruptions", "Turns that the user cut off.")
        self._missed = self._count("store_failures", "Calls that the store did not answer.")
        self._answers = Histogram(
            "live_cli_first_answer_seconds",
            "From the end of the input, where the wire shows it, to the first of the answer.",
            buckets=_ANSWER_S,
            registry=registry,
        )
        self._lag = Histogram(
            "live_cli_event_loop_lag_seconds",
            "How late the event loop is, sampled.",
            buckets=_LAG_S,
            registry=registry,
        )
        self._ready = Gauge(
            "live_cli_stage_ready",
            "Whether a stage of the engine is loaded.",
            ["stage", "implementation"],
            registry=registry,
        )

    def text(self) -> bytes:
        """Return all metrics in the format that `CONTENT_TYPE` names."""
        for stage, implementation, ready in self._stages():
            self._ready.labels(stage, implementation).set(ready)
        return generate_latest(self._registry)

    async def sample(self) -> None:
        """Sample the event loop's lag four times a second, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_EVERY_S
            await asyncio.sleep(_LAG_EVERY_S)
            self._lag.observe(max(0.0, loop.time() - due))

    # --- ServerCounts ---

    def refuse(self, kind: str) -> None:
        self._refused.labels(kind).inc()

    def open(self) -> None:
        self._opened.inc()
        self._open.inc()

    def close(self, code: int) -> None:
        self._open.dec()
        self._ended.labels(str(code) if code in _CODES else "other").inc()

    def receive(self, size: int) -> None:
        self._in.inc()
        self._bytes_in.inc(size)

    def send(self, size: int) -> None:
        self._out.inc()
        self._bytes_out.inc(size)

    def interrupt(self) -> None:
        self._interruptions.inc()

    def complete(self) -> None:
        self._turns.inc()

    def miss_store(self) -> None:
        self._missed.inc()

    def answer(self, seconds: float) -> None:
        self._answers.observe(seconds)

    def _count(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"live_cli_{name}", help_text, labels, registry=self._registry)
