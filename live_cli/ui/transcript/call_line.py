"""A call of a tool as a line of text. Pure.

Whoever allows a call has to see what it is. So the name and the arguments come as Python would
write them, in quotes where they are no plain names, and what is left out is counted outside of
them: nothing that the model writes looks like a part of the sentence, or like the end of it.
"""

import re
import reprlib
from collections.abc import Mapping
from typing import Any, Final

from live_cli.ui.printable import printable
from live_cli.ui.view import CallStatus

_LONGEST_CALL: Final = 400
_LONGEST_SAID: Final = 160
_MOST_ARGUMENTS: Final = 8
_ARGUMENTS: Final = 240
"""Characters that the arguments of one call share."""
_PLAIN_NAME: Final = re.compile(r"[\w.:-]{1,64}")
_PLAIN_KEY: Final = re.compile(r"\w{1,40}")

_TEXTS: Final = {
    "done": "{call} → {said} ({seconds:.1f} s)",
    "failed": "{call} failed: {said} ({seconds:.1f} s)",
    "refused": "{call} was not run: {said}",
    "cancelled": "{call} was cancelled ({seconds:.1f} s)",
}


class _Short(reprlib.Repr):
    """Values as Python writes them, bounded in length and depth."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = 8
        self.maxstring = self.maxother = self.maxlong = longest
        self.fillvalue = "…"

    def repr_str(self, x: str, level: int) -> str:
        """Return a text whole, or its beginning and its end with the count of what is between."""
        if len(x) <= self.maxstring:
            return repr(x)
        start, end = x[: self.maxstring * 2 // 3], x[-(self.maxstring // 3) :]
        left = len(x) - len(start) - len(end)
        return f"{start!r} + {left:,} more + {end!r}"


def call_with(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call with its arguments, shortened and safe to print."""
    return _short(f"{_safe_name(name)}({_given(arguments)})", _LONGEST_CALL)


def _asking_text(status: CallStatus) -> str:
    """Return what a call wants to run with: its name comes first, and its arguments last."""
    source = printable(status.source)
    text = f"{_safe_name(status.name)} ({source}) wants to run"
    given = _given(status.arguments)
    return _short(f"{text} with {given}" if given else text, _LONGEST_CALL)


def _safe_name(name: str) -> str:
    return printable(_name(name, _PLAIN_NAME))


def _given(arguments: Mapping[str, Any]) -> str:
    shown = list(arguments.items())[:_MOST_ARGUMENTS]
    short = _Short(max(_ARGUMENTS // max(len(shown), 1), 24))
    given = [f"{_name(key, _PLAIN_KEY)}={short.repr(value)}" for key, value in shown]
    if len(arguments) > len(shown):
        given.append(f"… {len(arguments) - len(shown):,} more arguments")
    return printable(", ".join(given))


def call_text(status: CallStatus) -> str:
    """Return what has become of a call, in one line that is safe to print."""
    if status.state == "running":
        return running_text(status, _LONGEST_CALL)
    if status.state == "asked":
        return _asking_text(status)
    return _TEXTS[status.state].format(
        call=call_with(status.name, status.arguments),
        seconds=status.seconds,
        said=_short(printable(status.said), _LONGEST_SAID),
    )


def running_text(status: CallStatus, room: int) -> str:
    """Return a call that runs, so that its time is within ``room`` characters if it can be."""
    time = f" … {status.seconds:.0f} s"
    call = call_with(status.name, status.arguments)
    text = _short(call, max(room - len(time), 1)) + time
    return f"{text} · {_short(printable(status.said), _LONGEST_SAID)}" if status.said else text


def _name(given: str, plain: re.Pattern[str]) -> str:
    return given if plain.fullmatch(given) else _Short(40).repr(given)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
