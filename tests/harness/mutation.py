"""Frames that are nearly right: those of the SDKs, bent by a seeded hand."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

ODD: list[Any] = [
    None, True, 0, -1, 1e308, 2**63, 2**200, 0.5, "", "x", "\x00\ud7ff\U0001f600", "A" * 5000, [],
    {}, [[]], {"": {}}, ["a", 1, None], "-1", "1e9", "1.5s", "*", "NaN", {"parts": [{}]},
]  # fmt: skip


def bent(frame: str, random: Random) -> str | bytes:
    """One frame, changed in one to three places, as text or as bytes."""
    if random.random() < 0.3:
        return _bent_bytes(frame.encode(), random)
    value = json.loads(frame)
    for _ in range(random.randint(1, 3)):
        _bend(value, random)
    text = json.dumps(value)
    return text if random.random() < 0.5 else text.encode()


def _bend(value: Any, random: Random) -> None:
    holders = list(_holders(value))
    if not holders:
        return
    holder = random.choice(holders)
    key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    act = random.randrange(5)
    if act == 0:
        del holder[key]
    elif act == 1 and isinstance(holder, dict):
        holder[random.choice(["setup", "text", "audio", "data", "x", str(key) + "_"])] = holder[key]
    elif act == 2:
        holder[key] = [holder[key]] * random.randint(0, 3)
    elif act == 3:
        holder[key] = json.loads("[" * 200 + "]" * 200) if random.random() < 0.2 else {"a": {}}
    else:
        holder[key] = random.choice(ODD)


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


def _bent_bytes(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    end = min(len(frame), at + random.randint(1, 8))
    act = random.randrange(4)
    if act == 0:
        return frame[:at]
    if act == 1:
        return frame[:at] + random.randbytes(end - at) + frame[end:]
    if act == 2:
        return frame[:end] + frame[at:]
    return frame[:at] + frame[end:]
