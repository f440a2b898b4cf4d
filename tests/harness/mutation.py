"""Mutates payloads of the SDKs with a seeded random generator, for fuzzing a server."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

ODD: list[Any] = [
    None, True, 0, -1, 1e308, 2**63, 2**200, 0.5, "", "x", "\x00\ud7ff\U0001f600", "A" * 5000, [],
    {}, [[]], {"": {}}, ["a", 1, None], "-1", "1e9", "1.5s", "*", "NaN", {"parts": [{}]},
]  # fmt: skip


def mutated(payload: str, random: Random) -> str | bytes:
    """Return the payload changed in one to three places, as JSON or byte by byte."""
    if random.random() < 0.3:
        return _mutated_bytes(payload.encode(), random)
    value = json.loads(payload)
    for _ in range(random.randint(1, 3)):
        _mutate(value, random)
    text = json.dumps(value)
    return text if random.random() < 0.5 else text.encode()


def _mutate(value: Any, random: Random) -> None:
    containers = list(_containers(value))
    if not containers:
        return
    container = random.choice(containers)
    key = (
        random.choice(list(container))
        if isinstance(container, dict)
        else random.randrange(len(container))
    )
    act = random.randrange(5)
    if act == 0:
        del container[key]
    elif act == 1 and isinstance(container, dict):
        container[random.choice(["setup", "text", "audio", "data", "x", str(key) + "_"])] = (
            container[key]
        )
    elif act == 2:
        container[key] = [container[key]] * random.randint(0, 3)
    elif act == 3:
        container[key] = json.loads("[" * 200 + "]" * 200) if random.random() < 0.2 else {"a": {}}
    else:
        container[key] = random.choice(ODD)


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def _mutated_bytes(payload: bytes, random: Random) -> bytes:
    at = random.randrange(len(payload))
    end = min(len(payload), at + random.randint(1, 8))
    act = random.randrange(4)
    if act == 0:
        return payload[:at]
    if act == 1:
        return payload[:at] + random.randbytes(end - at) + payload[end:]
    if act == 2:
        return payload[:end] + payload[at:]
    return payload[:at] + payload[end:]
