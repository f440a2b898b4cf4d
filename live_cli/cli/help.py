"""The commands as the parser has them: their help in plain text, their values left as given."""

import functools
from typing import Any

from typer.core import TyperCommand, TyperGroup

from live_cli.catalog import did_you_mean
from live_cli.cli.examples import EXAMPLES
from live_cli.errors import OptionError


def _as_given(params: list[Any]) -> list[Any]:
    """Return ``params``; the optional ones take their value as given, a text or a switch.

    Settings have rules of their own, and typer's conversion would load pydantic, 0.1 s and 15 MB,
    to leave a text as it is.
    """

    def process(param: Any, ctx: Any, value: Any) -> Any:
        return param.callback(ctx, param, value) if param.callback else value

    for param in params:
        if not param.required:
            vars(param)["process_value"] = functools.partial(process, param)
    return params


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _write_options(params: list[Any], ctx: Any, formatter: Any) -> None:
    """Write the arguments by the names that they have in the usage line, then the options."""
    headings: dict[str, list[tuple[str, str]]] = {}
    for param in params:
        record = (
            (param.metavar, param.help or "") if _is_argument(param) else param.get_help_record(ctx)
        )
        if record is not None:
            own = getattr(param, "rich_help_panel", None) or "Options"
            headings.setdefault("Arguments" if _is_argument(param) else own, []).append(record)
    for heading, records in headings.items():
        with formatter.section(heading):
            formatter.write_dl(records)


def _write_examples(ctx: Any, formatter: Any) -> None:
    words = ctx.command_path.partition(" ")[2]
    with formatter.section("Examples"):
        for line in EXAMPLES.get(words, ()):
            formatter.write(f"  {line}\n")


class PlainGroup(TyperGroup):
    """A command with subcommands."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_given(super().get_params(ctx))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_examples(ctx, formatter)


class GroupedCommand(TyperCommand):
    """A command whose help is plain text, its options under their headings.

    An argument's ``metavar`` is how the usage line spells it: ``FILE...``, ``[MESSAGE]``.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_given(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        arguments = [param.metavar for param in self.get_params(ctx) if _is_argument(param)]
        return ["[OPTIONS]", *arguments]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_examples(ctx, formatter)


def help_of(root: Any, words: list[str]) -> str:
    """Return the help of the command that ``words`` name; ``root`` is the context of `live-cli`.

    Raises OptionError where there is no such command.
    """
    ctx = root
    for word in words:
        commands = getattr(ctx.command, "commands", {})
        command = commands.get(word)
        if command is None:
            near = did_you_mean(word, commands) or f". See: {ctx.command_path} --help"
            raise OptionError(f"There is no command {word!r}{near}")
        ctx = type(ctx)(command, parent=ctx, info_name=word)
    return str(ctx.get_help()).rstrip("\n")
