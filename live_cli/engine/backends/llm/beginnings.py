"""The order in which replies begin: one after another, each with its first words.

On a CPU the tokens of several replies cost as much side by side as one by one. Eight answers that
are begun together all begin when the last could have; one after another, half of them begin in half
of that time. What follows the first words is generated side by side: it is spoken meanwhile.
"""

import threading
from collections.abc import Callable
from itertools import count
from time import monotonic
from typing import Any, Final

from live_cli.engine.backends.llm.completions import OnChunk

FIRST_TOKENS: Final = 8
"""Of a reply: about a clause, with which its sound begins."""
LONGEST_S: Final = 1.0
"""A reply that takes longer to begin goes on beside the next: a long prompt holds up nobody."""
_LOOK_S = 0.02


class Beginning:
    """One reply from the moment in which it may begin; as a context, until it ends at the latest.

    ``on_end`` is called once, when its first words are there.
    """

    def __init__(self, since: float, on_end: Callable[["Beginning"], None]) -> None:
        self.since = since
        self._on_end = on_end
        self._tokens = 0

    def __enter__(self) -> "Beginning":
        return self

    def __exit__(self, *_: object) -> None:
        self._on_end(self)

    def watched(self, on_chunk: OnChunk) -> OnChunk:
        """Return ``on_chunk``, which tells this beginning of the tokens that come by it."""

        def on_watched(chunk: dict[str, Any]) -> bool:
            if chunk.get("choices"):
                self._tokens += 1
                if self._tokens == FIRST_TOKENS:
                    self._on_end(self)
            return on_chunk(chunk)

        return on_watched


class Beginnings:
    """The replies of one model that are to begin. Who only reads ahead comes after all others."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._tickets = count()
        self._waiting: list[tuple[bool, int]] = []
        self._under_way: Beginning | None = None
        self._changed = threading.Condition()

    def wait(self, is_stopped: Callable[[], bool], *, reads_ahead: bool) -> Beginning | None:
        """Wait until it is this reply's turn to begin; None where it ``is_stopped`` before."""
        with self._changed:
            ticket = (reads_ahead, next(self._tickets))
            self._waiting.append(ticket)
            try:
                while not self._may_begin(ticket):
                    if is_stopped():
                        return None
                    self._changed.wait(_LOOK_S)
                self._under_way = Beginning(self._now(), self._end)
                return self._under_way
            finally:
                self._waiting.remove(ticket)

    def _may_begin(self, ticket: tuple[bool, int]) -> bool:
        under_way = self._under_way
        is_free = under_way is None or self._now() - under_way.since >= LONGEST_S
        return is_free and ticket == min(self._waiting)

    def _end(self, beginning: Beginning) -> None:
        with self._changed:
            if self._under_way is beginning:
                self._under_way = None
                self._changed.notify_all()
