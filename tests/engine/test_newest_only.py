"""Work of which only the newest matters."""

import asyncio

import pytest

from live_cli.engine.newest_only import NewestOnly


async def test_what_is_asked_for_meanwhile_comes_to_the_newest_alone():
    newest, done, goes_on = NewestOnly(), [], asyncio.Event()

    async def work(item):
        done.append(item)
        await goes_on.wait()

    first = asyncio.create_task(newest.do(1, work))
    await asyncio.sleep(0)
    for item in (2, 3, 4):
        await newest.do(item, work)
    assert done == [1]
    goes_on.set()
    await first
    assert done == [1, 4]
    await newest.do(5, work)
    assert done == [1, 4, 5]


async def test_after_a_failure_it_is_done_again():
    newest, done = NewestOnly(), []

    async def fail(item):
        raise ValueError(item)

    async def work(item):
        done.append(item)

    with pytest.raises(ValueError, match="1"):
        await newest.do(1, fail)
    await newest.do(2, work)
    assert done == [2]
