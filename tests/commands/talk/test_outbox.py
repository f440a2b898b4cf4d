"""The queue of what is to be sent: sound, text and results in order, one image behind them."""

import asyncio

import pytest

from live_cli.commands.talk.outbox import Outbox
from live_cli.protocol import compose
from live_cli.protocol.messages import ClientMessage

FRAME, WORDS = compose.audio(b"\0\0"), compose.text("Hello")


def image(number: int) -> ClientMessage:
    return compose.video(bytes([number]), "image/jpeg")


def shown(outbox: Outbox, number: int, left: list[int]) -> None:
    outbox.put_image(image(number), lambda: left.append(number))


async def taken(outbox: Outbox) -> list[ClientMessage]:
    """All that the outbox gives out without waiting."""
    messages = []
    while True:
        try:
            async with asyncio.timeout(0):
                messages.append(await outbox.take())
        except TimeoutError:
            return messages


async def test_the_newest_image_goes_once_nothing_else_waits() -> None:
    outbox, left = Outbox(), []
    shown(outbox, 1, left)
    outbox.put([FRAME, WORDS])
    shown(outbox, 2, left)
    assert await taken(outbox) == [FRAME, WORDS, image(2)]
    assert left == [2]


@pytest.mark.parametrize("newer", [(), (2,), (2, 3)])
async def test_without_a_connection_the_newest_waits_and_leaves_with_the_next(
    newer: tuple[int, ...],
) -> None:
    outbox, left = Outbox(), []
    outbox.hold_image(True)
    for number in (1, *newer):
        shown(outbox, number, left)
    outbox.put([WORDS])
    assert await taken(outbox) == [WORDS]
    assert left == []
    waits = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.hold_image(False)
    assert await waits == image((1, *newer)[-1])


async def test_an_image_that_is_dropped_never_leaves_and_a_later_one_does() -> None:
    outbox, left = Outbox(), []
    shown(outbox, 1, left)
    outbox.drop_image()
    assert await taken(outbox) == []
    shown(outbox, 2, left)
    assert await taken(outbox) == [image(2)]
    assert left == [2]


async def test_sound_that_is_dropped_drops_no_image() -> None:
    outbox, left = Outbox(limit=2), []
    shown(outbox, 1, left)
    outbox.put([FRAME] * 5)
    assert outbox.dropped_frames == 3
    assert await taken(outbox) == [FRAME, FRAME, image(1)]
