"""Messages that cost the most for their bytes, each on a session of its own."""

# ruff: noqa: UP031 - JSON is full of braces

import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from websockets.exceptions import ConnectionClosed

from tests.benchmarks.attacks.target import Attack, Target, answered_or_closed
from tests.benchmarks.row import Row, quantile
from tests.harness.costly_payloads import MANY, REFUSED, TAKEN, response, tools, turns
from tests.harness.live_client import say

_P99_MS, _WORST_MS = 20.0, 100.0
"""How long one callback of the event loop may take, in processor time."""
_FUNCTIONS: Final = 66_000
_MB: Final = 1_000_000


def _declared(count: int) -> str:
    return ",".join('{"name":"f%d"}' % number for number in range(count))


def _update(count: int) -> str:
    return '{"contextUpdate":{"tools":{"tools":[{"functionDeclarations":[%s]}]}}}' % _declared(
        count
    )


def _setup(count: int) -> str:
    inner = '{"model":"models/local","tools":[{"functionDeclarations":[%s]}]}' % _declared(count)
    return '{"setup":%s}' % inner


KINDS: Final[dict[str, dict[str, str]]] = {
    "names of functions": {
        "declared later": _update(_FUNCTIONS),
        "as many as are taken": _update(2 * MANY),
        "one name": tools('{"name":"a"}', 2 * MANY),
        "called by a result": response('"x"').replace('"b"', '"%s"' % ("b" * _MB)),
    },
    "unknown fields": {
        **{name: payload for name, payload in TAKEN.items() if "unknown" in name},
        "each of another name": '{"clientContent":{"turns":[%s]}}'
        % ",".join('{"k%d":{"a":1}}' % number for number in range(MANY)),
        "too many": turns('{"nope":1}', _FUNCTIONS),
    },
    "deep values": {
        **{name: payload for name, payload in TAKEN.items() if "depth" in name},
        "deep in a turn": turns('{"a":' * 500 + "1" + "}" * 500, MANY // 500),
        "lists": '{"clientContent":%s%s}' % ("[" * 400_000, "]" * 400_000),
    },
}
SETUPS: Final = {
    "more functions than fit": _setup(_FUNCTIONS),
    "as many functions as are taken": _setup(2 * MANY),
}


def _others() -> Iterator[tuple[str, str]]:
    known = {payload for kind in KINDS.values() for payload in kind.values()}
    yield from ((k, v) for k, v in {**TAKEN, **REFUSED}.items() if v not in known)


async def _send(target: Target, payload: str) -> None:
    """Send it on a session, and wait until a harmless message after it is answered."""
    with suppress(ConnectionClosed):
        async with target.session() as client:
            await client.send(payload)
            await client.send(say("Done?"))
            await answered_or_closed(client)


async def _send_setup(target: Target, payload: str) -> None:
    async with target.connect() as client:
        with suppress(ConnectionClosed):
            await client.send(payload)
        await answered_or_closed(client, "setupComplete")


async def _holds_ms(target: Target, payloads: Mapping[str, str]) -> dict[str, list[float]]:
    """By the name of a message, how long its callbacks held the event loop."""
    send = _send_setup if payloads is SETUPS else _send
    found = {}
    for name, payload in payloads.items():
        target.holds.take()
        await send(target, payload)
        found[name] = target.holds.take() or [0.0]
    return found


async def _send_kinds(target: Target, kinds: Mapping[str, Mapping[str, str]]) -> list[Row]:
    """A row for each kind, with the name of its worst message, and one for all of them."""
    found: list[Row] = []
    all_ms: list[float] = []
    for kind, payloads in kinds.items():
        holds_ms = await _holds_ms(target, payloads)
        worst_ms, name = max((max(each), name) for name, each in holds_ms.items())
        what = f"{kind}: the loop is held, worst"
        found.append(Row(what, worst_ms, "ms", _WORST_MS, beside=((name, worst_ms),)))
        all_ms += itertools.chain(*holds_ms.values())
    what = "costly messages: the loop is held, p99 of what takes 1 ms"
    return [*found, Row(what, quantile(all_ms, 0.99), "ms", _P99_MS)]


async def send_all(target: Target) -> list[Row]:
    others = {} if target.small else {"others": dict(_others())}
    return await _send_kinds(target, {**KINDS, "functions of a setup": SETUPS, **others})


async def send_unknown(target: Target) -> list[Row]:
    """What ``--strict`` looks at more closely."""
    return await _send_kinds(target, KINDS)


ATTACKS: Final = (Attack("costly messages", send_all),)
STRICT_ATTACKS: Final = (Attack("costly messages", send_unknown),)
