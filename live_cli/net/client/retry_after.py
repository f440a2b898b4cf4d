"""How long a server asks its callers to wait, read from what it says. Pure.

`Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). A WebSocket close has only its
reason: a server that closes with 1013 may write there for how long, in words of its own.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

_SECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = r"(\d{1,9}(?:\.\d{1,6})?)"
_UNIT = r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)"
_FLAGS = re.IGNORECASE | re.ASCII
_IN_WORDS: Final = re.compile(
    rf"\b(?:in|after|for|wait|retry\w*)[\s:='\"(]{{0,4}}{_NUMBER}\s*{_UNIT}(?!\w)", _FLAGS
)
"""A number with its unit, after a word that makes it a wait: a limit of 10 minutes is none."""
_BARE: Final = re.compile(rf"\bretry[\s_-]*(?:after|delay)[\s:='\"(]{{0,4}}{_NUMBER}", _FLAGS)


def seconds_in_header(value: str | None, now: float) -> float | None:
    """Return the seconds of a `Retry-After` header; None where it has none that can be read.

    ``now``: seconds since the epoch, for a header that names a date; one in the past is 0.0. A date
    is in UTC, also where it does not say so, as in the oldest of the three forms (RFC 9110, 5.6.7).
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def seconds_in_reason(reason: str) -> float | None:
    """Return the seconds that a close's reason names ("Try again in 5 s"); None: it names none."""
    if found := _IN_WORDS.search(reason):
        unit = found[2].lower()
        return float(found[1]) * _UNITS["ms" if unit.startswith(("ms", "mil")) else unit[0]]
    found = _BARE.search(reason)
    return float(found[1]) if found else None
