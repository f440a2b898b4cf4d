"""A call of a tool as a line of text. Pure."""

from collections.abc import Mapping
from typing import Final

from live_cli.ui.printable import printable
from live_cli.ui.view import CallStatus

_LONGEST_CALL: Final = 300
_LONGEST_SAID: Final = 160

_TEXTS: Final = {
    "asked": "{call} wants to run ({source})",
    "running": "{call} … {seconds:.0f} s",
    "done": "{call} → {said} ({seconds:.1f} s)",
    "failed": "{call} failed: {said} ({seconds:.1f} s)",
    "refused": "{call} was not run: {said}",
    "cancelled": "{call} was cancelled ({seconds:.1f} s)",
}


def call_with(name: str, arguments: Mapping[str, object]) -> str:
    """Return a call with its arguments, shortened and safe to print."""
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return _short(printable(f"{name}({given})"), _LONGEST_CALL)


def call_text(status: CallStatus) -> str:
    """Return what has become of a call, in one line that is safe to print."""
    text = _TEXTS[status.state].format(
        call=call_with(status.name, status.arguments),
        source=printable(status.source),
        seconds=status.seconds,
        said=_short(printable(status.said), _LONGEST_SAID),
    )
    tells = status.state == "running" and status.said
    return f"{text} · {_short(printable(status.said), _LONGEST_SAID)}" if tells else text


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
