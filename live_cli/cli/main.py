"""The run of one command line, and the only place that exits.

Every way in which a command can end passes through `main`: a failure becomes one line on stderr
and an exit code.
"""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from live_cli.cli.app import app
from live_cli.cli.near_file import near_file
from live_cli.errors import InputFileError, LiveError, StoppedError
from live_cli.plan.last_session import LAST, is_handle
from live_cli.streams import lead_nowhere

_INTERRUPTED = 130
_BUG = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""The parser's error; typer exports no name for it, and click need not be installed."""


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and exit with its code."""
    _tame_streams()
    code = _run(completed(list(sys.argv[1:] if args is None else args)) or ["--help"])
    sys.exit(_flushed(code))


def completed(args: list[str]) -> list[str]:
    """Give the options that may stand alone a value: the parser knows no such options.

    A ``--resume`` without a handle names the last session. What follows it in `text` may be the
    message; a handle is known by its shape. `talk` has no message.
    """
    alone = {"--resume": LAST, "--camera": "", "--screen": ""}
    given: list[str] = []
    for place, arg in enumerate(args):
        if arg == "--":
            return given + args[place:]
        following = args[place + 1] if place + 1 < len(args) else "-"
        bare = arg in alone and not _is_value(following, has_message=args[0] == "text")
        given.append(f"{arg}={alone[arg]}" if bare else arg)
    return given


def _is_value(following: str, *, has_message: bool) -> bool:
    """Return whether the word after an option that may stand alone is its value."""
    if following == LAST or is_handle(following):
        return True
    return not has_message and not following.startswith("-")


def _run(args: list[str]) -> int:
    """Run ``args`` and return the exit code; a failure is written to stderr in one line."""
    try:
        call = typer.main.get_command(app).main(args, "live-cli", standalone_mode=False)
        if callable(call):
            call()
            return 0
        return call if isinstance(call, int) else 0
    except UsageError as exc:
        return _complain(_usage(exc), 2)
    except LiveError as exc:
        code = _complain(f"{exc}{near_file(exc.__cause__)}", exc.exit_code)
        if isinstance(exc, StoppedError) and exc.number != signal.SIGINT:
            _end_by(exc.number)
        return code
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        return 0
    except SystemExit as exc:
        if isinstance(exc.__context__, OSError):
            return 0  # the parser's way to say that nobody reads its help any more
        return exc.code if isinstance(exc.code, int) else _BUG  # its own: completion of a shell
    except OSError as exc:
        if exc.errno in _FULL:
            says = f"The output cannot be written: {exc.strerror}."
            return _complain(says, InputFileError.exit_code)
        return _report(exc, args)
    except Exception as exc:  # noqa: BLE001 - nothing above catches it
        return _report(exc, args)


def _usage(exc: Exception) -> str:
    """Return the parser's complaint with the command line that shows help."""
    ctx = getattr(exc, "ctx", None)
    command = ctx.command_path if ctx else "live-cli"
    says = exc.format_message() if hasattr(exc, "format_message") else str(exc)
    stop = "" if says.endswith((".", "?", "!")) else "."
    return f"{says}{stop} See: {command} --help"


def _report(exc: Exception, args: Sequence[str]) -> int:
    from live_cli.cli.bug_report import write_report

    return _complain(write_report(exc, args), _BUG)


def _end_by(number: int) -> None:
    """End by the signal ``number``, as its sender expects, now that all is in order."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _complain(text: str, code: int) -> int:
    from live_cli.ui.printable import printable

    one_line = " ".join(text.split())
    with contextlib.suppress(OSError):  # stderr is closed: the exit code remains
        print(f"live-cli: {printable(one_line)}", file=sys.stderr, flush=True)
    return code


def _tame_streams() -> None:
    """Let characters that a terminal's encoding lacks become question marks, not errors."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _flushed(code: int) -> int:
    """Flush stdout and return the exit code; a pipe whose reader has gone is no error.

    A full disk is written to stderr, and makes a success exit code 7.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as exc:
        lead_nowhere(1)
        if exc.errno in _FULL:
            return _complain(
                f"The output cannot be written: {exc.strerror}.", code or InputFileError.exit_code
            )
    return code
