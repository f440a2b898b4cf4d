"""The start of `live-cli`, before its imports: Ctrl-C, and the three standard streams."""

import signal

from live_cli.streams import replace_closed_streams


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
