"""Guessing keys, by REST and by WebSocket, as fast as one machine can."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tests.benchmarks.attacks.target import WRONG_KEY, Attack, Target
from tests.benchmarks.row import Row
from tests.harness.raw_client import raw

_SECONDS, _SMALL_SECONDS = 10.0, 0.5
_GUESSERS: Final = 16
_ANSWERED_PER_S: Final = 3.0
"""Ten at once, and after that one each five seconds for each of the four that may wait."""
_OWNER_WAITS_S: Final = 2.0
_HEAD: Final = "GET /v1beta/models HTTP/1.1\r\nhost: localhost\r\nx-goog-api-key: {}\r\n\r\n"


@dataclass
class _Guesses:
    """How the guesses went: with an answer, or cut without one."""

    answered: int = 0
    cut: int = 0


async def _guess_on(target: Target, guesses: _Guesses, *, by_websocket: bool) -> None:
    """Guess until cancelled."""
    guess = _guess_by_websocket if by_websocket else _guess_by_rest
    while True:
        answered = False
        with suppress(OSError, EOFError):
            answered = await guess(target)
        guesses.answered += answered
        guesses.cut += not answered


async def _guess_by_rest(target: Target) -> bool:
    async with raw(target.port, upgraded=False) as (reader, writer):
        writer.write(_HEAD.format(WRONG_KEY).encode())
        return bool(await reader.read(1024))


async def _guess_by_websocket(target: Target) -> bool:
    async with raw(target.port, f"x-goog-api-key: {WRONG_KEY}"):
        return True


async def _owner_waits_s(target: Target) -> float:
    """How long a session with the right key takes to open."""
    begun = monotonic()
    async with target.session():
        return monotonic() - begun


async def guess_keys(target: Target) -> list[Row]:
    guesses, owner_s = _Guesses(), 0.0
    seconds = _SMALL_SECONDS if target.small else _SECONDS
    guessing = [
        asyncio.create_task(_guess_on(target, guesses, by_websocket=bool(number % 2)))
        for number in range(_GUESSERS)
    ]
    begun = monotonic()
    while monotonic() - begun < seconds:
        owner_s = max(owner_s, await _owner_waits_s(target))
        await asyncio.sleep(seconds / 20)
    for task in guessing:
        task.cancel()
    await asyncio.wait(guessing)
    lasted_s = monotonic() - begun
    cut = (("cut without one", guesses.cut / lasted_s),)
    per_s = guesses.answered / lasted_s
    return [
        Row("wrong keys that are answered", per_s, "/s", _ANSWERED_PER_S, beside=cut),
        Row("the owner's session opens meanwhile after", owner_s, "s", _OWNER_WAITS_S),
    ]


ATTACKS: Final = (Attack("guessing keys", guess_keys),)
