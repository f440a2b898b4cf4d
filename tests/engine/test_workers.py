"""What the workers make piece by piece is closed with whoever wanted it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from live_cli.engine.backends.table import Stage
from live_cli.engine.workers import Workers

LIMIT_S = 30.0


@pytest.mark.parametrize("in_thread", [True, False])
async def test_items_are_closed_when_their_reader_is_cancelled(in_thread):
    begun, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def items():
        try:
            yield "first"
            begun.set()
            assert go_on.wait(LIMIT_S)
            yield "second"
        finally:
            closed.set()

    workers = Workers()
    taken = asyncio.Event()

    async def read():
        async for _ in workers.iterate(Stage.SYNTHESIZER, items()):
            taken.set()
            if not in_thread:
                await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await asyncio.wait_for(taken.wait(), LIMIT_S)
    if in_thread:
        assert await asyncio.to_thread(begun.wait, LIMIT_S)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    go_on.set()
    assert await asyncio.to_thread(closed.wait, LIMIT_S)
    workers.close()


class Guarded(Iterator[str]):
    """Items that note it when they are closed while a thread is in them."""

    def __init__(self) -> None:
        self.inside, self.go_on, self.closed = (threading.Event() for _ in range(3))
        self.closed_inside = False

    def __next__(self) -> str:
        self.inside.set()
        assert self.go_on.wait(LIMIT_S)
        self.inside.clear()
        return "item"

    def close(self) -> None:
        self.closed_inside |= self.inside.is_set()
        self.closed.set()


async def test_items_are_never_closed_while_a_thread_is_in_them():
    workers, items = Workers(), Guarded()

    async def read():
        async for _ in workers.iterate(Stage.SYNTHESIZER, items):
            pass

    reading = asyncio.create_task(read())
    assert await asyncio.to_thread(items.inside.wait, LIMIT_S)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    items.go_on.set()
    assert await asyncio.to_thread(items.closed.wait, LIMIT_S)
    assert not items.closed_inside
    workers.close()
