"""The ledger of a session's model turns: how many are complete and which were interrupted. Pure.

Turns are numbered as in `protocol.events`: from 1, and upwards whatever the connection.
"""

from dataclasses import dataclass, replace

from live_cli.protocol.events import Event, Interrupted, TurnComplete


@dataclass(frozen=True, slots=True)
class TurnLedger:
    """Turns completed, and the numbers of those that were interrupted."""

    completed: int = 0
    interrupted: frozenset[int] = frozenset()

    def after(self, event: Event) -> "TurnLedger":
        """Return the ledger with ``event`` entered; most events change nothing in it."""
        match event:
            case Interrupted(turn) if turn not in self.interrupted:
                return replace(self, interrupted=self.interrupted | {turn})
            case TurnComplete():
                return replace(self, completed=self.completed + 1)
            case _:
                return self

    def is_late(self, turn: int) -> bool:
        """Whether ``turn``, or one after it, has been interrupted already.

        Output of such a turn comes late and is neither shown nor played. The interruption of turn
        0 (before the very first) interrupts nothing and is late always.
        """
        return turn <= max(self.interrupted, default=0)
