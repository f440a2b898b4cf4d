"""Text that cannot fit into the chat model's context, and histories that nobody asks about."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.attacks.target import Attack, Target, answered_or_closed
from tests.benchmarks.row import Row
from tests.harness.live_client import say

_TURN: Final = "😀" + "a well filled turn of a history " * 100
"""3,200 characters, four bytes each in memory for the one that is no letter."""
_TURNS: Final = 240
"""Of a message: less than the megabyte that one may have beside media."""
_TEXT_SIZES: Final = (900_000, 15_000_000)
_CLIENTS: Final = 8
_MOST_WAITS: Final = 6.0
"""A share of two cores that eight others have too."""
_MOST_MB: Final = 150.0
_MOST_HANDLES_MB: Final = 300.0
"""128 MB for what is kept behind handles, and the sessions that are open."""


def _turns(text: str, count: int = 1) -> dict[str, Any]:
    turn = {"role": "user", "parts": [{"text": text}]}
    return {"clientContent": {"turns": [turn] * count, "turnComplete": False}}


def _texts(size: int) -> Iterable[tuple[str, dict[str, Any]]]:
    """Messages with one text of ``size`` characters, wherever a message has one."""
    text = "well then " * (size // 10)
    yield "said", {"realtimeInput": {"text": text}}
    yield "in a turn", _turns(text)
    instruction = {"parts": [{"text": text}]}
    yield "instruction", {"setup": {"model": "models/local", "systemInstruction": instruction}}
    tools = [{"functionDeclarations": [{"name": "f", "description": text}]}]
    yield "function", {"setup": {"model": "models/local", "tools": tools}}


async def _refused_after_s(target: Target, message: dict[str, Any]) -> float:
    """From the message to the end of its session."""
    payload = json.dumps(message)
    async with AsyncExitStack() as stack:
        open_one = target.connect() if "setup" in message else target.session()
        client = await stack.enter_async_context(open_one)
        begun = monotonic()
        with suppress(ConnectionClosed):
            await client.send(payload)
        await answered_or_closed(client)
        return monotonic() - begun


async def send_long_text(target: Target) -> list[Row]:
    longest_s, longest = 0.0, ""
    async with target.growth() as grown:
        for size in _TEXT_SIZES[:1] if target.small else _TEXT_SIZES:
            for name, message in _texts(size):
                refusals = [_refused_after_s(target, message) for _ in range(2)]
                took_s = max(await asyncio.gather(*refusals))
                longest_s, longest = max((longest_s, longest), (took_s, name))
    where = ((longest, longest_s),)
    return [
        Row("text that cannot fit is refused after", longest_s, "s", 5.0, beside=where),
        Row("memory that it takes", grown.mb, "MB", _MOST_MB),
    ]


async def _hoard(client: ClientConnection, messages: int, turn: str) -> None:
    payload = json.dumps(_turns(turn, _TURNS), ensure_ascii=False)
    with suppress(ConnectionClosed):
        for _ in range(messages):
            await client.send(payload)
        await client.send(say("Done?"))
        await answered_or_closed(client)


async def hoard_one_history(target: Target) -> list[Row]:
    """One session, a hundred megabytes of turns: in letters, and with one emoji in each turn."""
    found = []
    for name, turn in (("letters", _TURN[1:]), ("an emoji in each turn", _TURN)):
        async with target.growth() as grown, target.session() as client:
            await _hoard(client, 3 if target.small else 130, turn)
        found.append(Row(f"memory of a history of 100 MB, {name}", grown.mb, "MB", _MOST_MB))
    return found


async def hoard_handles(target: Target) -> list[Row]:
    """Sessions that fill their histories, get a handle for them, and leave; again and again."""

    async def leave_one(number: int) -> None:
        async with target.session(sessionResumption={}) as client:
            await _hoard(client, 3, f"{number}{_TURN}")

    rounds = 1 if target.small else 6
    async with target.growth() as grown:
        for number in range(rounds):
            kept = (leave_one(number * _CLIENTS + each) for each in range(_CLIENTS))
            await asyncio.gather(*kept)
    what = f"memory of {rounds * _CLIENTS} histories behind handles"
    return [Row(what, grown.mb, "MB", _MOST_HANDLES_MB)]


ATTACKS: Final = (
    Attack("long text", send_long_text, _MOST_WAITS),
    Attack("one history", hoard_one_history, _MOST_WAITS),
    Attack("handles", hoard_handles, _MOST_WAITS),
)
