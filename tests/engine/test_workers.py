"""What the workers make piece by piece is closed with whoever wanted it."""

import asyncio
import threading

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
