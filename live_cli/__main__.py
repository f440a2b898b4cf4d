"""The start of `live-cli`, before its imports: Ctrl-C, and the three standard streams."""

import sys
from types import TracebackType


def _quiet_when_interrupted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Write the traceback of what nobody caught, but for Ctrl-C: it ends the process as any."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


if sys.excepthook is sys.__excepthook__:  # before the next import, where Ctrl-C can come already
    sys.excepthook = _quiet_when_interrupted

import signal  # noqa: E402

from live_cli.streams import replace_closed_streams  # noqa: E402


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


if __name__ == "__main__":
    main()
