"""Work that is asked for faster than it is done, of which only the newest matters."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class NewestOnly(Generic[Item]):
    """Does one thing at a time, and then the newest of those that were asked for meanwhile."""

    def __init__(self) -> None:
        self._due: list[Item] = []
        self._is_busy = False

    async def do(self, item: Item, work: Callable[[Item], Awaitable[None]]) -> None:
        """Await ``work(item)``; where work is under way, leave ``item`` to who awaits that.

        Raises what ``work`` raises; what is asked for afterwards is done again.
        """
        self._due = [item]
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._due:
                await work(self._due.pop())
        finally:
            self._is_busy = False
