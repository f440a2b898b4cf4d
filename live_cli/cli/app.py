"""The verbs: each takes its options and Settings to one command, imported when it runs.

The parser returns a call, which `cli.main` makes outside of the parser: ``--help`` loads nothing
heavy.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from live_cli.catalog import BUILT_IN_TOOLS
from live_cli.cli.examples import EXAMPLES
from live_cli.cli.help import GroupedCommand, PlainGroup, help_of
from live_cli.cli.options import completion, later, with_settings
from live_cli.errors import OptionError
from live_cli.settings.schema import Settings

app = typer.Typer(cls=PlainGroup, rich_markup_mode=None, add_completion=True, no_args_is_help=False)
models_app = typer.Typer(
    cls=PlainGroup, rich_markup_mode=None, help="The local engine's chat models."
)
config_app = typer.Typer(cls=PlainGroup, rich_markup_mode=None, help="The settings file.")
tools_app = typer.Typer(
    cls=PlainGroup, rich_markup_mode=None, help="The tools that the model may call."
)
app.add_typer(tools_app, name="tools")
app.add_typer(models_app, name="models")
app.add_typer(config_app, name="config")

_HELP = {"help_option_names": ["-h", "--help"]}

_FORMATS = ("text", "srt", "vtt", "json")
_STAGES = ("transcriber", "chat", "synthesizer")

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
_Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="[HANDLE]",
        help="Go on with an earlier session: the last, or that of a handle.",
        rich_help_panel="Connection",
    ),
]
_Search = Annotated[
    bool, typer.Option("--search", help="Let the service search.", rich_help_panel="Tools")
]
_CodeExecution = Annotated[
    bool,
    typer.Option("--code-execution", help="Let the service run code.", rich_help_panel="Tools"),
]
_UrlContext = Annotated[
    bool, typer.Option("--url-context", help="Let it read pages.", rich_help_panel="Tools")
]
_Maps = Annotated[
    bool, typer.Option("--maps", help="Let it look at maps.", rich_help_panel="Tools")
]
_JsonTable = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def _print_version(ctx: typer.Context, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:  # a shell that completes a line runs nothing of it
        from live_cli import __version__

        print(f"live-cli {__version__}")
        raise typer.Exit


@app.callback(context_settings=_HELP)
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Voice conversation in the terminal over the Live API.

    Talks to Gemini when GEMINI_API_KEY is set, else to an engine on this machine.
    """


@app.command(cls=GroupedCommand)
@with_settings("talk")
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
            "--output", "-o", metavar="FILE", help="Sound file ('-': stdout) instead of a speaker."
        ),
    ] = None,
    earlier: _Resume = None,
    search: _Search = False,
    code_execution: _CodeExecution = False,
    url_context: _UrlContext = False,
    maps: _Maps = False,
    json: _Json = False,
) -> None:
    """Talk by microphone and speaker; Ctrl-C ends it.

    Keys: m mutes, v shows images, t types a line, Enter silences the model, q leaves.
    """
    from live_cli.commands.talk import command

    settings = _with_built_in(settings, search, code_execution, url_context, maps)
    command.run(settings, input_path=input, output_path=output, resume=earlier, json=json)


@app.command(cls=GroupedCommand)
@with_settings("text")
def text(
    settings: Settings,
    message: Annotated[
        str | None,
        typer.Argument(
            metavar="[MESSAGE]",
            help="One message, and what a pipe holds; without it: lines from a pipe, or a chat.",
        ),
    ] = None,
    document: Annotated[
        bool,
        typer.Option("--document", help="Take all of standard input as one message."),
    ] = False,
    image: Annotated[
        list[str] | None,
        typer.Option(
            "--image", metavar="FILE", help="Show a picture ('-': stdin); may be repeated."
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option("--history", metavar="FILE", help="Earlier turns, sent first."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Keep the spoken reply ('-': stdout)."),
    ] = None,
    earlier: _Resume = None,
    search: _Search = False,
    code_execution: _CodeExecution = False,
    url_context: _UrlContext = False,
    maps: _Maps = False,
    json: _Json = False,
) -> None:
    """Write to the model, and read its answer as it comes."""
    from live_cli.commands.text import command

    settings = _with_built_in(settings, search, code_execution, url_context, maps)
    command.run(
        settings,
        message,
        document=document,
        images=image or [],
        history=_path(history),
        output_path=output,
        resume=earlier,
        json=json,
    )


@app.command(cls=GroupedCommand)
@with_settings("transcribe")
def transcribe(
    settings: Settings,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Speech files, folders, or '-' for stdin."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="text|srt|vtt|json",
            help="What to write; by default what the name of --output says, or text.",
            autocompletion=completion(_FORMATS),
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file, or a folder (FOLDER/) for several; '-' is stdout.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite transcripts that are there already.")
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Leave out files whose whole transcript is there."),
    ] = False,
    no_names: Annotated[
        bool,
        typer.Option("--no-names", help="No file names before several transcripts on stdout."),
    ] = False,
    json: _Json = False,
) -> None:
    """Turn speech files into text."""
    if not files:
        raise OptionError("Which file? live-cli transcribe FILE… ('-' reads stdin)")
    file_format = _format(format) if format is not None else None
    from live_cli.commands.transcribe import command

    options = command.TranscribeOptions(
        file_format, output or None, json, force, skip_existing, names=not no_names
    )
    command.run(settings, list(files), options)


def _with_built_in(settings: Settings, *wanted: bool) -> Settings:
    """Return ``settings`` with those of the service's own tools that were given by options."""
    names = (name for name, is_wanted in zip(BUILT_IN_TOOLS, wanted, strict=True) if is_wanted)
    tools = tuple(dict.fromkeys((*settings.tools.tools, *names)))
    return replace(settings, tools=replace(settings.tools, tools=tools))


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _format(given: str) -> str:
    from live_cli.settings.rules import Choice

    try:
        return Choice(_FORMATS).read(given)
    except ValueError as exc:
        raise OptionError(f"--format {exc}") from None


@app.command(cls=GroupedCommand)
@with_settings("serve")
def serve(
    settings: Settings,
    print_env: Annotated[
        bool, typer.Option("--print-env", help="Only print the environment its callers need.")
    ] = False,
) -> None:
    """Run the local Live API server (its key: LIVE_CLI_KEY)."""
    from live_cli.commands.serve import command

    command.run(settings, print_env=print_env)


@app.command(cls=GroupedCommand)
@with_settings("stages")
def stages(
    settings: Settings,
    only: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STAGE...]",
            help="transcriber, chat, synthesizer; all of them where none is named.",
            autocompletion=completion(_STAGES),
        ),
    ] = None,
) -> None:
    """Serve transcriber, chat model and synthesizer to other machines by OpenAI's API."""
    if unknown := [name for name in only or () if name not in _STAGES]:
        raise OptionError(f"{unknown[0]!r} is no stage: choose {', '.join(_STAGES)}")
    from live_cli.commands.serve import stages as command

    command.run(settings, only or _STAGES)


@app.command(cls=GroupedCommand)
@later
def devices(json: _JsonTable = False) -> None:
    """List microphones, speakers, cameras and monitors."""
    from live_cli.commands import devices as command

    command.run(json=json)


@app.command(cls=GroupedCommand)
@with_settings("doctor")
def doctor(
    settings: Settings,
    audio: Annotated[
        bool, typer.Option("--audio", help="Play a sweep and a hiss, and measure what comes back.")
    ] = False,
    video: Annotated[
        bool,
        typer.Option(
            "--video", help="Take an image of each camera and screen, or of what the settings name."
        ),
    ] = False,
    json: _JsonTable = False,
) -> None:
    """Check everything, and say how to fix what is wrong."""
    if video:
        from live_cli.commands.doctor import image_check

        image_check.run(settings, json=json)
    if audio:
        from live_cli.commands.doctor import audio_check as doctor_audio

        doctor_audio.run(settings, json=json)
    if audio or video:
        return
    from live_cli.commands.doctor import command

    command.run(settings, json=json)


@app.command(cls=GroupedCommand)
@later
def voices(json: _JsonTable = False) -> None:
    """List the voices, each with its character."""
    from live_cli.commands import voices as command

    command.run(json=json)


@app.command(cls=GroupedCommand)
@with_settings("languages")
def languages(settings: Settings, json: _JsonTable = False) -> None:
    """List the languages: what hears and speaks each on this machine."""
    from live_cli.commands import languages as command

    command.run(settings.engine, json=json)


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


@tools_app.callback(invoke_without_command=True)
@with_settings("tools")
def tools(settings: Settings, ctx: typer.Context, json: _JsonTable = False) -> None:
    """List the tools: from where they are, and what becomes of a call."""
    if ctx.invoked_subcommand is None:
        from live_cli.commands import tools as command

        command.run(settings, json=json)


@tools_app.command("call", cls=GroupedCommand)
@with_settings("tools")
def tools_call(
    settings: Settings,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `live-cli tools`.")],
    arguments: Annotated[
        str, typer.Argument(metavar="[JSON]", help="Its arguments, as a JSON object.")
    ] = "{}",
) -> None:
    """Call a tool without a model; who types this has allowed it."""
    from live_cli.commands import tools as command

    command.call(settings, name, arguments)


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


@app.command("help", cls=GroupedCommand)
def show_help(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND...]",
            help="Which command.",
            autocompletion=completion(word for word in EXAMPLES if word and " " not in word),
        ),
    ] = None,
) -> None:
    """Show the help of a command."""
    print(help_of(ctx.parent, list(command or ())))
