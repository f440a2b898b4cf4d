"""One command line, run to its end: the only place that exits.

Every way a command can end passes through `main`: what went wrong is one line on stderr, and an
exit code.
"""

import contextlib
import errno
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from live_cli.cli.app import app
from live_cli.errors import InputFileError, LiveError
from live_cli.plan.last_session import LAST
from live_cli.streams import lead_nowhere

_INTERRUPTED = 130
_BUG = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""The parser's error: typer gives it no name of its own, and click need not be installed."""


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and exit with its code."""
    _tame_streams()
    code = _run(_completed(list(sys.argv[1:] if args is None else args)) or ["--help"])
    sys.exit(_flushed(code))


def _completed(args: list[str]) -> list[str]:
    """A bare ``--resume`` means the last session; the parser knows no optional values."""
    following = [*args[1:], "-"]
    bare = [
        arg == "--resume" and rest.startswith("-")
        for arg, rest in zip(args, following, strict=False)
    ]
    return [f"--resume={LAST}" if alone else arg for arg, alone in zip(args, bare, strict=True)]


def _run(args: list[str]) -> int:
    """The exit code of ``args``; whatever went wrong has been said in one line on stderr."""
    try:
        act = typer.main.get_command(app).main(args, "live-cli", standalone_mode=False)
        if callable(act):
            act()
            return 0
        return act if isinstance(act, int) else 0
    except UsageError as exc:
        return _complain(_usage(exc), 2)
    except LiveError as exc:
        return _complain(str(exc), exc.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        return 0
    except SystemExit as exc:
        # the parser's way to say that nobody reads its help any more
        return 0 if isinstance(exc.__context__, OSError) else _BUG
    except OSError as exc:
        if exc.errno in _FULL:
            says = f"The output cannot be written: {exc.strerror}."
            return _complain(says, InputFileError.exit_code)
        return _report(exc, args)
    except Exception as exc:  # noqa: BLE001 - the last one to hear of it
        return _report(exc, args)


def _usage(exc: Exception) -> str:
    """The parser's complaint on one line, and where help is."""
    ctx = getattr(exc, "ctx", None)
    command = ctx.command_path if ctx else "live-cli"
    says = exc.format_message() if hasattr(exc, "format_message") else str(exc)
    stop = "" if says.endswith((".", "?", "!")) else "."
    return f"{says}{stop} See: {command} --help"


def _report(exc: Exception, args: Sequence[str]) -> int:
    from live_cli.cli.bug_report import write_report

    return _complain(write_report(exc, args), _BUG)


def _complain(text: str, code: int) -> int:
    from live_cli.ui.printable import printable

    one_line = " ".join(text.split())
    with contextlib.suppress(OSError):  # nobody there to read it: the exit code still tells
        print(f"live-cli: {printable(one_line)}", file=sys.stderr, flush=True)
    return code


def _tame_streams() -> None:
    """What a terminal's encoding lacks becomes a question mark, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _flushed(code: int) -> int:
    """Write what is left; a reader that has gone is no error, and leaves no message behind."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as exc:
        lead_nowhere(1)
        if exc.errno in _FULL:
            return _complain(f"The output cannot be written: {exc.strerror}.", code or 7)
    return code
