"""The choice of the slot of llama.cpp that reads a chat: the one that has read most of it already.

A slot keeps what it has read last, and reads on from where a new request differs. Left to itself
llama.cpp takes the slot whose text begins most alike, also where that holds another chat, which
only begins with the same instruction: with its next turn that one is read from the beginning.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling, ToolDeclaration

READ_AHEAD: Final = Sampling(max_tokens=1)
"""Asked for by a request that wants no answer: llama.cpp writes a token in any case."""


@dataclass(slots=True)
class _Slot:
    number: int
    key: tuple[str, tuple[ToolDeclaration, ...]] = ("", ())
    """The salt and the tools, which stand before all messages."""
    messages: Sequence[ChatMessage] = ()
    """The messages that were read last."""
    answered: bool = False
    """Whether an answer to them follows in the slot; else they were read ahead of what is said."""
    last_used: int = 0

    def worth(self, request: ChatRequest) -> tuple[bool, int, int]:
        """Return how good it is to read ``request`` here, to be compared with other slots'.

        Best is a slot whose chat loses nothing by it, and of those the one that has read most of
        it; otherwise the one that was not used for longest.
        """
        if self.messages and self.key != (request.salt, request.tools):
            return False, 0, -self.last_used
        both = zip(self.messages, request.messages, strict=False)
        known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
        if self.answered:
            is_kept = known == len(self.messages) < len(request.messages)
        else:
            is_kept = known >= len(self.messages) - 1  # the last is a word in place of others
        return is_kept, known if is_kept else 0, -self.last_used


class Slots:
    """The slots of one loaded model, each with the chat that it has read last."""

    def __init__(self, count: int) -> None:
        self._free = [_Slot(number) for number in range(count)]
        self._lock = threading.Lock()
        self._uses = 0

    @contextmanager
    def taken(self, request: ChatRequest) -> Iterator[int | None]:
        """Keep a slot for ``request`` while this context is open; give its number.

        None: none is free, and the request waits in llama.cpp's queue for the first that is.
        """
        with self._lock:
            slot = max(self._free, key=lambda each: each.worth(request), default=None)
            if slot is not None:
                self._free.remove(slot)
                self._uses += 1
                slot.key, slot.last_used = (request.salt, request.tools), self._uses
                slot.answered = request.sampling != READ_AHEAD
                slot.messages = request.messages
        try:
            yield None if slot is None else slot.number
        finally:
            if slot is not None:
                with self._lock:
                    self._free.append(slot)
