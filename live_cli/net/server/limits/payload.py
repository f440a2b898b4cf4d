"""Limits on the JSON of one payload, by which its cost is known before it is parsed. Pure.

A payload is parsed on the event loop, and nothing interrupts the parser: no thread helps, for it
holds the interpreter's lock. Media costs little, as it is one long string (16 MB: 25 ms). All else
costs by its bytes (text of escapes alone, 4 ms for a megabyte) and more by its values (20,000
turns, parts or fields in the slowest spelling: 11 ms to read, 6 to look for unknown fields). Both
have a limit here, so that no payload takes longer than the largest one with media does.
"""

import re
from typing import Final

MOST_VALUES: Final = 20_000
"""Objects, lists and what they hold: 3,000 turns, or 300 functions with ten parameters each."""
MOST_JSON_BYTES: Final = 1024 * 1024
"""Of a payload beside its media. Twice the text of the Live API's largest window, 128k tokens."""
_MOST_MEDIA: Final = 64
"""Media in one payload of more than a megabyte; what is beyond counts as text."""
_CACHED_BYTES: Final = 1 << 16
_DATA: Final = b'"data"'
_DATA_START: Final = re.compile(rb'"data"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}"')

TOO_MANY_VALUES: Final = "Invalid JSON payload received. Too many values."
TOO_LONG: Final = (
    f"Invalid JSON payload received. More than {MOST_JSON_BYTES} bytes beside media: "
    "send it in parts."
)


def payload_complaint(payload: bytes | str) -> str | None:
    """Return why a payload is not parsed, None for one that is. Costs 1 ms or so per megabyte."""
    if len(payload) < 2 * MOST_VALUES:
        return None
    given = payload.encode(errors="surrogatepass") if isinstance(payload, str) else payload
    pieces = _beside_media(given) if len(given) > MOST_JSON_BYTES else [memoryview(given)]
    if sum(map(len, pieces)) > MOST_JSON_BYTES:
        return TOO_LONG
    return TOO_MANY_VALUES if _has_too_many_values(b"".join(pieces)) else None


def _beside_media(payload: bytes) -> list[memoryview]:
    """Return ``payload`` in pieces, without the base64 in its fields ``data``."""
    whole, at = memoryview(payload), 0
    pieces: list[memoryview] = []
    is_ascii = payload.isascii()
    for _ in range(_MOST_MEDIA):
        key = payload.find(_DATA, at)
        if key < 0:
            break
        opening = _DATA_START.match(payload, key)
        start = opening.end() if opening else key + len(_DATA)
        end = payload.find(b'"', start) if opening else start
        pieces.append(whole[at:start])
        at = start
        escaped = payload.find(b"\\", start, end) >= 0
        if end > start and not escaped and (is_ascii or _is_ascii(whole[start:end])):
            at = end  # it costs no more to read than base64 does
    return [*pieces, whole[at:]]


def _is_ascii(text: memoryview) -> bool:
    """Whether all of ``text`` is ASCII; looked at in pieces that stay in the processor's cache."""
    return all(
        bytes(text[at : at + _CACHED_BYTES]).isascii() for at in range(0, len(text), _CACHED_BYTES)
    )


def _has_too_many_values(json: bytes) -> bool:
    """Whether there are more than `MOST_VALUES` commas and brackets outside of strings."""
    if _separators(json) <= MOST_VALUES:
        return False
    unescaped = json.replace(b"\\\\", b"").replace(b'\\"', b"")
    if unescaped.count(b'"') > 4 * MOST_VALUES:  # a name and a string for each value
        return True
    return _separators(b"".join(unescaped.split(b'"')[::2])) > MOST_VALUES


def _separators(json: bytes) -> int:
    return json.count(b",") + json.count(b"[") + json.count(b"{")
