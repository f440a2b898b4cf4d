"""The command line's options: those of the settings, given to the verbs that have them.

`with_settings` gives a command the options of its verb, loads the settings with what was given and
passes them on. A command runs after the whole line has been parsed, by whoever called the parser:
what a parsed command returns is the call that is still to be made.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from live_cli.settings.load import load
from live_cli.settings.rules import Boolean
from live_cli.settings.schema import SETTINGS, Option, Setting

Call = Callable[[], None]

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


def completion(words: Iterable[str]) -> Callable[[], list[str]]:
    """Return what gives ``words`` to a shell; typer leaves those that begin with what was typed."""
    return lambda: list(words)


def later(command: Callable[..., None]) -> Callable[..., Call]:
    """Wrap ``command`` for the parser: the call is returned instead of made."""

    @functools.wraps(command)
    def parsed(**given: Any) -> Call:
        return functools.partial(command, **given)

    return parsed


def with_settings(verb: str | None = None) -> Callable[[Callable[..., None]], Callable[..., Call]]:
    """Add the options of ``verb``, --config and --profile; the command takes Settings first."""
    offered = _settings_of(verb)

    def decorate(command: Callable[..., None]) -> Callable[..., Call]:
        def parsed(*, config: str | None, profile: str | None, **given: Any) -> Call:
            options = {
                setting.name: _value(setting, option, given.pop(_parameter(setting)))
                for setting, option in offered
            }

            def call() -> None:
                file = Path(config) if config else None
                command(load(options, config=file, profile=profile), **given)

            return call

        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        shared = [_keyword(_parameter(each), _annotation(each, option)) for each, option in offered]
        files = [_keyword("config", _Config), _keyword("profile", _Profile)]
        parsed.__name__, parsed.__doc__ = command.__name__, command.__doc__
        parsed.__annotations__ = {}
        signature = inspect.Signature([*own, *shared, *files])
        parsed.__signature__ = signature  # type: ignore[attr-defined] # what inspect looks for
        return parsed

    return decorate


def _settings_of(verb: str | None) -> list[tuple[Setting, Option]]:
    """Return the settings that ``verb`` has an option for, in the order of its help."""
    found = [
        (setting, setting.option)
        for setting in SETTINGS.values()
        if setting.option and verb in setting.option.verbs
    ]
    return sorted(found, key=lambda pair: pair[1].late)


def _parameter(setting: Setting) -> str:
    return setting.name.replace(".", "_")


def _value(setting: Setting, option: Option, given: Any) -> Any:
    """Return the setting's value for what was given; None for a switch or a list that was not."""
    if setting.is_list:
        return list(given) if given else None
    if option.one_way:
        return not setting.default if given else None
    return given


def _annotation(setting: Setting, option: Option) -> Any:
    declared = typer.Option(
        _spelling(setting, option),
        metavar=option.metavar,
        help=option.help,
        rich_help_panel=option.heading,
        show_default=False,
        autocompletion=completion(setting.words) if setting.words else None,
    )
    kind: Any = bool | None if isinstance(setting.rule, Boolean) else str | None
    if setting.is_list:
        kind = list[str] | None
    return Annotated[kind, declared]


def _spelling(setting: Setting, option: Option) -> str:
    """Return the flag as typer declares it; a switch has two spellings, or the one that acts."""
    if not isinstance(setting.rule, Boolean):
        return setting.flag
    off = setting.flag.replace("--", "--no-", 1)
    if option.one_way:
        return off if setting.default else setting.flag
    return f"{setting.flag}/{off}"


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=cast(Any, annotation))
