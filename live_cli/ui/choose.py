"""The choice of a view: JSON lines for a program, live on a terminal, else plain lines."""

import os
import sys
from typing import TextIO

from live_cli.prices import Prices
from live_cli.ui.json_lines import JsonView
from live_cli.ui.plain import PlainView, Wanted
from live_cli.ui.view import View


def choose_view(
    *,
    json: bool,
    stdout_is_tty: bool,
    wanted: Wanted = "conversation",
    usage: bool = False,
    show_thoughts: bool = False,
    whole_replies: bool = False,
    prices: Prices | None = None,
    preview: bool = True,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> View:
    """Return the view for what is ``wanted`` and where stdout goes.

    A reply is always plain text; a conversation gets the live view on a terminal that takes escape
    codes. ``usage`` shows token counts as they come,
    with what they cost by ``prices``. ``preview``: images that are sent are shown.
    ``whole_replies``: see `PlainView`.
    """
    if json:
        return JsonView(stdout=stdout, stderr=stderr, prices=prices)
    if wanted == "conversation" and stdout_is_tty and _takes_escape_codes():
        # loads rich, a start-up that a pipe need not pay for
        from live_cli.ui.live.live_view import LiveView

        return LiveView(
            stdout=stdout,
            usage=usage,
            show_thoughts=show_thoughts,
            prices=prices,
            preview=preview,
        )
    return PlainView(
        wanted,
        stdout=stdout,
        stderr=stderr,
        usage=usage,
        show_thoughts=show_thoughts,
        prices=prices,
        whole_replies=whole_replies,
    )


def _takes_escape_codes() -> bool:
    if os.environ.get("TERM") == "dumb":
        return False
    return sys.platform != "win32" or _switched_on()


if sys.platform == "win32":
    import ctypes

    _STDOUT = -11
    _VIRTUAL_TERMINAL = 4

    def _switched_on() -> bool:
        """Turn on the console's escape codes. Returns False where an old console has none."""
        kernel = ctypes.windll.kernel32
        handle = kernel.GetStdHandle(_STDOUT)
        mode = ctypes.c_ulong()
        found = kernel.GetConsoleMode(handle, ctypes.byref(mode))
        return bool(found and kernel.SetConsoleMode(handle, mode.value | _VIRTUAL_TERMINAL))
