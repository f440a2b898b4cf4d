"""The command line's options for settings: defined once, shared by the verbs.

`with_settings` gives a command the options it names, loads the settings with what was given and
hands them over. A command is run after the whole line has been parsed, by whoever called the
parser: what it returns is the act itself.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from live_cli.settings.schema import load

Act = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Option:
    """An option for the setting ``key``. ``metavar`` None: a switch, with its two spellings.

    ``repeats``: it may be given more than once, and the setting is a list.
    """

    key: str
    flag: str
    metavar: str | None
    help: str
    panel: str
    repeats: bool = False

    @property
    def parameter(self) -> str:
        return self.key.replace(".", "_")


_SESSION, _THINKING, _VAD = "Session", "Thinking", "Voice activity"
_CONNECTION, _DEVICES = "Connection", "Devices"

OPTIONS: dict[str, Option] = {
    offer.key: offer
    for offer in (
        Option("server", "--server", "WHERE", "auto, gemini, local or an address.", _CONNECTION),
        Option("model", "--model", "ID", "Model to use; the default suits the rest.", _CONNECTION),
        Option(
            "api_version",
            "--api-version",
            "v1beta|v1alpha",
            "Chosen by itself when a feature needs v1alpha.",
            _CONNECTION,
        ),
        Option("resume", "--no-resume", None, "Ask for no resumption handles.", _CONNECTION),
        Option("compress", "--no-compress", None, "Do not compress a full context.", _CONNECTION),
        Option("voice", "--voice", "NAME", "One of thirty: see live-cli voices.", _SESSION),
        Option(
            "language", "--language", "CODE", "One of seventy: see live-cli languages.", _SESSION
        ),
        Option("system", "--system", "TEXT|@FILE", "System instruction.", _SESSION),
        Option("modality", "--modality", "audio|text", "What the model answers in.", _SESSION),
        Option(
            "input_transcript",
            "--input-transcript/--no-input-transcript",
            None,
            "Write down what you say (on by default).",
            _SESSION,
        ),
        Option(
            "output_transcript",
            "--output-transcript/--no-output-transcript",
            None,
            "Write down what the model says (on by default).",
            _SESSION,
        ),
        Option(
            "affective",
            "--affective/--no-affective",
            None,
            "Answer in the tone it hears.",
            _SESSION,
        ),
        Option(
            "proactive",
            "--proactive/--no-proactive",
            None,
            "Let the model decide not to answer.",
            _SESSION,
        ),
        Option(
            "media_resolution",
            "--media-resolution",
            "low|medium|high",
            "Resolution of images.",
            _SESSION,
        ),
        Option("usage", "--usage/--no-usage", None, "Show token counts as they come.", _SESSION),
        Option(
            "thinking_budget",
            "--thinking-budget",
            "N",
            "Tokens for thinking; 0 off, -1 automatic.",
            _THINKING,
        ),
        Option(
            "thinking_level",
            "--thinking-level",
            "LEVEL",
            "How much: minimal, low, medium or high.",
            _THINKING,
        ),
        Option(
            "show_thoughts",
            "--show-thoughts/--no-show-thoughts",
            None,
            "Show summaries of the thinking.",
            _THINKING,
        ),
        Option(
            "start_sensitivity", "--start-sensitivity", "high|low", "How soon speech starts.", _VAD
        ),
        Option(
            "end_sensitivity", "--end-sensitivity", "high|low", "How soon speech has ended.", _VAD
        ),
        Option(
            "prefix_padding_ms",
            "--prefix-padding-ms",
            "N",
            "Milliseconds of speech before a start counts.",
            _VAD,
        ),
        Option("silence_ms", "--silence-ms", "N", "Milliseconds of silence that end speech.", _VAD),
        Option(
            "interruption",
            "--interruption/--no-interruption",
            None,
            "Let your voice interrupt the answer (on by default).",
            _VAD,
        ),
        Option(
            "turn_coverage",
            "--turn-coverage",
            "WHAT",
            "What a turn holds: only-activity, all-input or audio-activity-and-all-video.",
            _VAD,
        ),
        Option(
            "push_to_talk",
            "--push-to-talk/--no-push-to-talk",
            None,
            "Speak while the space bar says so; no voice activity detection.",
            _VAD,
        ),
        Option(
            "talk.input_device",
            "--input-device",
            "DEVICE",
            "Microphone: a number or a part of its name.",
            _DEVICES,
        ),
        Option(
            "talk.output_device",
            "--output-device",
            "DEVICE",
            "Speaker: a number or a part of its name.",
            _DEVICES,
        ),
        Option(
            "talk.echo_cancel",
            "--no-echo-cancel",
            None,
            "Send the microphone as it is, also while the model is heard.",
            _DEVICES,
        ),
        Option(
            "talk.half_duplex",
            "--half-duplex",
            None,
            "Send silence while the model is heard, for rooms where nothing else helps.",
            _DEVICES,
        ),
        Option(
            "talk.record",
            "--record",
            "FOLDER",
            "Keep sound, events and words as files.",
            _SESSION,
        ),
        Option(
            "serve.host",
            "--host",
            "HOST",
            "Address to listen at (127.0.0.1); another needs a key.",
            _CONNECTION,
        ),
        Option(
            "serve.port", "--port", "N", "Port to listen at (8765); 0: a free one.", _CONNECTION
        ),
        Option("serve.strict", "--strict", None, "Refuse fields that are not known.", _CONNECTION),
        Option(
            "serve.max_sessions", "--max-sessions", "N", "Sessions at a time (16).", _CONNECTION
        ),
        Option(
            "serve.allow_origins",
            "--allow-origin",
            "ORIGIN",
            "Let in web pages of https://HOST too; may be repeated.",
            _CONNECTION,
            repeats=True,
        ),
    )
}

_OF_TEXT = (
    "server", "model", "api_version", "resume", "compress", "voice", "language", "system",
    "modality", "output_transcript", "affective", "proactive", "usage", "thinking_budget",
    "thinking_level", "show_thoughts",
)  # fmt: skip
FOR_TEXT = _OF_TEXT
FOR_TALK = (
    *_OF_TEXT, "input_transcript", "media_resolution", "start_sensitivity", "end_sensitivity",
    "prefix_padding_ms", "silence_ms", "interruption", "turn_coverage", "push_to_talk",
    "talk.input_device", "talk.output_device", "talk.echo_cancel", "talk.half_duplex",
    "talk.record",
)  # fmt: skip
FOR_TRANSCRIBE = ("server", "model", "api_version", "language")
FOR_SERVE = (
    "serve.host", "serve.port", "serve.strict", "serve.max_sessions", "serve.allow_origins",
)  # fmt: skip

_Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Settings file.", rich_help_panel="Settings"),
]
_Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Lay its [profiles.NAME] over the rest.",
        rich_help_panel="Settings",
    ),
]


def _as_given(params: list[Any]) -> list[Any]:
    """The parameters, those that are optional to be taken as they were given, text or a switch.

    Settings have rules of their own, and typer's conversion would load pydantic, 0.1 s and 15 MB,
    to leave a text as it is.
    """

    def process(param: Any, ctx: Any, value: Any) -> Any:
        return param.callback(ctx, param, value) if param.callback else value

    for param in params:
        if not param.required:
            vars(param)["process_value"] = functools.partial(process, param)
    return params


class PlainGroup(TyperGroup):
    """A command with commands of its own."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_given(super().get_params(ctx))


class GroupedCommand(TyperCommand):
    """Help in plain text, its options under the headings that they name."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_given(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            argument = param.param_type_name == "argument"
            panel = getattr(param, "rich_help_panel", None) or "Options"
            groups.setdefault("Arguments" if argument else panel, []).append(record)
        for panel, records in groups.items():
            with formatter.section(panel):
                formatter.write_dl(records)


def later(command: Callable[..., None]) -> Callable[..., Act]:
    """A command as the parser calls it: nothing happens but that the act is handed back."""

    @functools.wraps(command)
    def parsed(**given: Any) -> Act:
        return functools.partial(command, **given)

    return parsed


def with_settings(*keys: str) -> Callable[[Callable[..., None]], Callable[..., Act]]:
    """Options for ``keys``, --config and --profile; the command gets the Settings first."""
    offers = [OPTIONS[key] for key in keys]

    def decorate(command: Callable[..., None]) -> Callable[..., Act]:
        def parsed(*, config: str | None, profile: str | None, **given: Any) -> Act:
            options = {offer.key: _value(offer, given.pop(offer.parameter)) for offer in offers}

            def act() -> None:
                file = Path(config) if config else None
                command(load(options, config=file, profile=profile), **given)

            return act

        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        shared = [_keyword(offer.parameter, _annotation(offer)) for offer in offers]
        files = [_keyword("config", _Config), _keyword("profile", _Profile)]
        parsed.__name__, parsed.__doc__ = command.__name__, command.__doc__
        parsed.__annotations__ = {}
        signature = inspect.Signature([*own, *shared, *files])
        parsed.__signature__ = signature  # type: ignore[attr-defined] # what inspect looks for
        return parsed

    return decorate


def _value(offer: Option, given: Any) -> Any:
    """A lone ``--no-x`` says False when it is there; a list that is empty was not given."""
    if offer.repeats:
        return list(given) if given else None
    lone = offer.metavar is None and offer.flag.startswith("--no-")
    return False if lone and given else None if lone else given


def _annotation(offer: Option) -> Any:
    option = typer.Option(
        offer.flag,
        metavar=offer.metavar,
        help=offer.help,
        rich_help_panel=offer.panel,
        show_default=False,
    )
    kind: Any = bool | None if offer.metavar is None else str | None
    if offer.repeats:
        kind = list[str] | None
    return Annotated[kind, option]


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=cast(Any, annotation))
