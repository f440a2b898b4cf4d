"""`live-cli` before its imports: a quick Ctrl-C, and the three streams that a program counts on."""

import os
import signal
import sys
from typing import TextIO


def main() -> None:
    """Run the command line that the process was started with, and exit with its code."""
    # Outside of a command Ctrl-C ends the process as it ends any: without a traceback.
    interrupting = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interrupting:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    replace_closed_streams()
    from live_cli.cli import main as cli

    try:
        if interrupting:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        cli.main()
    finally:
        if interrupting:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def replace_closed_streams() -> None:
    """Lead nowhere what the process was started without (``>&-``): quiet, and no bug.

    The descriptors too, else the next file or socket would take the place of stdout. `sys.stdin`
    stays None: who reads it says that it is closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _hold(number)
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()


def _nowhere() -> TextIO:
    """Open as long as the process is, as the streams are that it replaces."""
    return open(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)


def _hold(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


if __name__ == "__main__":
    main()
