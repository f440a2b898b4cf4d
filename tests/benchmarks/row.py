"""One row of the table."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

# as users run it: with compiled modules on disk
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Row:
    """``ours`` and ``peer`` in ``unit``; the budget is on ours, or on ours / peer with a peer.

    ``beside``: more that the same was measured of, by name; shown, not judged.
    """

    what: str
    ours: float
    unit: str
    budget: float
    peer: float | None = None
    peer_name: str = ""
    beside: tuple[tuple[str, float], ...] = ()

    @property
    def judged(self) -> float:
        return self.ours if self.peer is None else self.ours / self.peer

    @property
    def holds(self) -> bool:
        return self.judged <= self.budget


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def microseconds(act: Callable[[], object], calls: int = 2000, rounds: int = 7) -> float:
    """The best of ``rounds`` means: the one that other work on the machine disturbed least."""
    best = float("inf")
    for _ in range(rounds):
        start = perf_counter()
        for _ in range(calls):
            act()
        best = min(best, (perf_counter() - start) / calls)
    return best * 1e6


def alternate(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int
) -> tuple[float, float]:
    """Medians of both, measured in turns so that a noisy minute hits both alike."""
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])
