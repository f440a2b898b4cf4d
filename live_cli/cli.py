"""The command line: options to Settings to one command, and the only place that exits.

The parser hands back an act, which runs outside of it; so every way a command can end passes
through `main`. Commands and their libraries are imported when they run, never for ``--help``.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from live_cli.errors import InputFileError, LiveError
from live_cli.last_session import LAST
from live_cli.options import (
    FOR_SERVE,
    FOR_TALK,
    FOR_TEXT,
    FOR_TRANSCRIBE,
    GroupedCommand,
    PlainGroup,
    later,
    with_settings,
)
from live_cli.setting_sources import OptionError
from live_cli.settings import Settings

app = typer.Typer(
    cls=PlainGroup, rich_markup_mode=None, add_completion=False, no_args_is_help=False
)
models_app = typer.Typer(
    cls=PlainGroup, rich_markup_mode=None, help="The local engine's chat models."
)
config_app = typer.Typer(cls=PlainGroup, rich_markup_mode=None, help="The settings file.")
app.add_typer(models_app, name="models")
app.add_typer(config_app, name="config")

_HELP = {"help_option_names": ["-h", "--help"]}
_INTERRUPTED = 130
_BUG = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
_Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="[HANDLE]",
        help="Go on with an earlier session; without a handle, the last.",
        rich_help_panel="Connection",
    ),
]
_JsonTable = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from live_cli import __version__

        print(f"live-cli {__version__}")
        raise typer.Exit


@app.callback(context_settings=_HELP)
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Voice conversation in the terminal over the Live API.

    Talks to Gemini when GEMINI_API_KEY is set, else to an engine on this machine.
    """


@app.command(cls=GroupedCommand)
@with_settings(*FOR_TALK)
def talk(
    settings: Settings,
    input: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="FILE", help="Speech file ('-': stdin) instead of a microphone."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", metavar="FILE", help="Sound file ('-': stdout) instead of a speaker."
        ),
    ] = None,
    earlier: _Resume = None,
    json: _Json = False,
) -> None:
    """Talk by microphone and speaker; Ctrl-C ends it.

    Keys: m mutes, t types a line, Enter silences the model, q leaves.
    """
    from live_cli.commands import talk as command

    command.run(settings, input_path=input, output_path=output, resume=earlier, json=json)


@app.command(cls=GroupedCommand)
@with_settings(*FOR_TEXT)
def text(
    settings: Settings,
    message: Annotated[
        str | None,
        typer.Argument(
            metavar="MESSAGE", help="One message; without it: lines from a pipe, or a chat."
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option("--history", metavar="FILE", help="Earlier turns as JSON, sent first."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help="Keep the spoken reply ('-': stdout)."),
    ] = None,
    earlier: _Resume = None,
    json: _Json = False,
) -> None:
    """Write to the model, and read its answer as it comes."""
    from live_cli.commands import text as command

    command.run(
        settings,
        message,
        history=_path(history),
        output_path=output,
        resume=earlier,
        json=json,
    )


@app.command(cls=GroupedCommand)
@with_settings(*FOR_TRANSCRIBE)
def transcribe(
    settings: Settings,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE...", help="Speech files ('-': stdin).")
    ] = None,
    format: Annotated[
        str, typer.Option("--format", metavar="text|srt|vtt|json", help="What to write.")
    ] = "text",
    output: Annotated[
        str | None,
        typer.Option(
            "--output", metavar="PATH", help="Write into this file, or folder for several."
        ),
    ] = None,
    json: _Json = False,
) -> None:
    """Turn speech files into text."""
    if not files:
        raise OptionError("Which file? live-cli transcribe FILE… ('-' reads stdin)")
    file_format = _format(format)
    from live_cli.commands import transcribe as command

    command.run(settings, list(files), format=file_format, output=_path(output), json=json)


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _format(given: str) -> str:
    from live_cli.setting_rules import Choice

    try:
        return Choice(("text", "srt", "vtt", "json")).read(given)
    except ValueError as exc:
        raise OptionError(f"--format {exc}") from None


@app.command(cls=GroupedCommand)
@with_settings(*FOR_SERVE)
def serve(
    settings: Settings,
    print_env: Annotated[
        bool, typer.Option("--print-env", help="Only print the environment its callers need.")
    ] = False,
) -> None:
    """Run the local Live API server (its key: LIVE_CLI_KEY)."""
    from live_cli.commands import serve as command

    command.run(settings, print_env=print_env)


@app.command(cls=GroupedCommand)
@later
def devices(json: _JsonTable = False) -> None:
    """List microphones and speakers."""
    from live_cli.commands import devices as command

    command.run(json=json)


@app.command(cls=GroupedCommand)
@with_settings("server", "talk.input_device", "talk.output_device")
def doctor(
    settings: Settings,
    audio: Annotated[
        bool, typer.Option("--audio", help="Play a sweep and a hiss, and measure what comes back.")
    ] = False,
    json: _JsonTable = False,
) -> None:
    """Check everything, and say how to fix what is wrong."""
    if audio:
        from live_cli.commands import doctor_audio

        doctor_audio.run(settings, json=json)
        return
    from live_cli.commands import doctor as command

    command.run(settings, json=json)


@app.command(cls=GroupedCommand)
@later
def voices(json: _JsonTable = False) -> None:
    """List the voices, each with its character."""
    from live_cli.commands import voices as command

    command.run(json=json)


@app.command(cls=GroupedCommand)
@later
def languages(json: _JsonTable = False) -> None:
    """List the languages with their codes."""
    from live_cli.commands import languages as command

    command.run(json=json)


@models_app.callback(invoke_without_command=True)
def models(ctx: typer.Context, json: _JsonTable = False) -> "object":
    """List the local engine's chat models, and fetch better ones."""
    if ctx.invoked_subcommand is not None:
        return None
    return later(_list_models)(json=json)


def _list_models(json: bool) -> None:
    from live_cli.commands import models as command

    command.run(json=json)


@models_app.command("pull", cls=GroupedCommand)
@later
def models_pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name from `live-cli models`, or an address.")
    ],
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="Hash of a file by address.")
    ] = None,
) -> None:
    """Fetch a chat model; an interrupted fetch goes on where it stopped."""
    from live_cli.commands import models as command

    command.pull(name, sha256=sha256)


@config_app.callback(invoke_without_command=True)
def config(ctx: typer.Context) -> None:
    """The settings file: where it is, what is in it."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


_ConfigFile = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Which file.")]


@config_app.command("path", cls=GroupedCommand)
@later
def config_path(config: _ConfigFile = None) -> None:
    """Say where the settings file is looked for."""
    from live_cli.commands import config as command

    command.path(_path(config))


@config_app.command("show", cls=GroupedCommand)
@with_settings()
def config_show(settings: Settings, json: _JsonTable = False) -> None:
    """Show the settings that result from file, profile and environment."""
    from live_cli.commands import config as command

    command.show(settings, json=json)


@config_app.command("init", cls=GroupedCommand)
@later
def config_init(config: _ConfigFile = None) -> None:
    """Write a settings file with every key explained."""
    from live_cli.commands import config as command

    command.init(_path(config))


@config_app.command("check", cls=GroupedCommand)
@later
def config_check(config: _ConfigFile = None) -> None:
    """Check the settings file with all its profiles."""
    from live_cli.commands import config as command

    command.check(_path(config))


# --- the end of every command ------------------------------------------------------------------

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
    from live_cli.bug_report import write_report

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
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if exc.errno in _FULL:
            return _complain(f"The output cannot be written: {exc.strerror}.", code or 7)
    return code
