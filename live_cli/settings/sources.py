"""Where settings come from: the file with its profiles, the environment, the command line.

Each source returns the settings that it has a value for, the values read by their rules.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from live_cli.bounded_read import read_bounded
from live_cli.catalog import did_you_mean
from live_cli.errors import InputFileError, OptionError, SettingsError
from live_cli.prices import Prices
from live_cli.settings.named_tables import NAMED_TABLES, named_tables
from live_cli.settings.price_tables import read_prices
from live_cli.settings.rules import DeviceName, ValueRule
from live_cli.settings.schema import SETTINGS, TABLES, Setting
from live_cli.settings.toml_file import ConfigFile, KeyPath
from live_cli.settings.tool_tables import ToolTable, read_tool

_LARGEST_SYSTEM_BYTES = 1 << 20
"""A megabyte of text is more than any model's context takes with a conversation."""

_PATHS = ("talk.record", "serve.tls_cert", "serve.tls_key", "mcp_files")
"""Settings that name a file or a folder, beside those whose names end in _file."""


def from_file(file: ConfigFile, profile: str | None) -> dict[Setting, Any]:
    """Return what the file sets, ``profile`` over the rest; every profile's values are checked."""
    tables = {name: table for name, table in file.tables.items() if name not in NAMED_TABLES}
    profiles = tables.pop("profiles", {})
    if not isinstance(profiles, dict):
        raise file.complaint(("profiles",), "must be tables: [profiles.NAME]")
    values = dict(_from_tables(file, (), tables))
    for name, table in profiles.items():
        if not isinstance(table, dict):
            raise file.complaint(("profiles", name), f"must be a table: [profiles.{name}]")
        own = {key: value for key, value in table.items() if key not in NAMED_TABLES}
        of_profile = dict(_from_tables(file, ("profiles", name), own))
        if name == profile:
            values |= of_profile
    if profile and profile not in profiles:
        known = f" (it has {', '.join(profiles)})" if profiles else ""
        raise SettingsError(
            f"{file.path} has no profile {profile!r}{known}{did_you_mean(profile, profiles)}"
        )
    return values


def prices_from_file(file: ConfigFile, profile: str | None) -> dict[str, Prices]:
    """Return the prices by model."""
    found = named_tables(file, profile, "prices", read_prices)
    return {model.removeprefix("models/"): prices for model, prices in found.items()}


def mcp_from_file(file: ConfigFile, profile: str | None) -> dict[str, dict[str, Any]]:
    """Return the fields of the MCP servers, by the server's name."""
    return named_tables(file, profile, "mcp", lambda _file, _path, table: dict(table))


def tools_from_file(file: ConfigFile, profile: str | None) -> dict[str, ToolTable]:
    """Return what is set for single tools, by name or pattern, in the order of the file."""
    return named_tables(file, profile, "tool", read_tool)


def _from_tables(
    file: ConfigFile, prefix: KeyPath, tables: Mapping[str, Any], table: KeyPath = ()
) -> Iterator[tuple[Setting, Any]]:
    for name, value in tables.items():
        path = (*table, name)
        if not table and name in TABLES:
            if not isinstance(value, dict):
                raise file.complaint((*prefix, *path), f"must be a table: [{name}]")
            yield from _from_tables(file, prefix, value, path)
            continue
        setting = SETTINGS.get(path)
        if setting is None:
            raise file.complaint((*prefix, *path), _unknown(path))
        try:
            yield setting, _beside(file.path, setting, setting.rule.read(value))
        except ValueError as exc:
            raise file.complaint((*prefix, *path), f"{exc}") from None


def _unknown(path: KeyPath) -> str:
    if path[-1] in ("api_key", "key", "gemini_api_key", "google_api_key", "server_key"):
        return (
            "does not belong here: set GEMINI_API_KEY (or LIVE_CLI_KEY), or put the key alone "
            "into a file that only you can read and name it: api_key_file = '…'"
        )
    names = (
        [setting.name for setting in SETTINGS.values()] + list(TABLES) + ["profiles", *NAMED_TABLES]
    )
    whole = ".".join(path)
    near = did_you_mean(whole, names) or did_you_mean(path[-1], names)
    for known in SETTINGS:
        if known[-1] == path[-1]:  # the right key in the wrong table
            table = f"in [{known[0]}]" if len(known) > 1 else "at the top of the file"
            near = f"; it belongs {table}"
    return f"is not a setting{near}"


def _beside(config: Path, setting: Setting, value: Any) -> Any:
    """Return ``value``, a file that it names taken from the folder of the settings file."""
    if isinstance(value, tuple):
        return tuple(_beside(config, setting, each) for each in value)
    if setting.name.endswith("_file") or setting.name in _PATHS or _names_file(setting, value):
        return str(config.parent / Path(value).expanduser())
    if setting.name == "system" and value.startswith("@") and not value.startswith("@@"):
        return "@" + str(config.parent / Path(value[1:]).expanduser())
    return value


def _names_file(setting: Setting, value: object) -> bool:
    """Return whether a setting that need not name a file does."""
    text = str(value)
    if setting.name == "talk.camera":
        return "/" in text and not text.startswith("lavfi:")
    return setting.name == "tools" and text.endswith(".py")


def read_system(text: str) -> str:
    """Return a system instruction: ``text``, or the content of the file after its ``@``.

    ``@@`` at the start stands for one ``@``. Raises InputFileError.
    """
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@"):
        return text
    path = Path(text[1:]).expanduser()
    try:
        content = (
            read_bounded(path, _LARGEST_SYSTEM_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
        )
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, ValueError) else exc.strerror
        raise InputFileError(
            f"The system instruction {str(path)!r} cannot be read: {reason}. "
            "--system @FILE names a text file."
        ) from exc
    if not content.strip():
        raise InputFileError(f"The system instruction {str(path)!r} is empty.")
    return content


def from_environment(env: Mapping[str, str]) -> dict[Setting, Any]:
    """Return what the LIVE_CLI_ variables set; an empty variable sets nothing."""
    values: dict[Setting, Any] = {}
    for setting in SETTINGS.values():
        text = env.get(setting.variable)
        if not text:
            continue
        try:
            values[setting] = _from_text(setting.rule, text)
        except ValueError as exc:
            raise SettingsError(f"{setting.variable} {exc}") from None
    return values


def from_options(options: Mapping[str, object]) -> dict[Setting, Any]:
    """Return what the command line sets. ``options``: by the settings' names, None: not given."""
    by_name = {setting.name: setting for setting in SETTINGS.values()}
    values: dict[Setting, Any] = {}
    for name, value in options.items():
        setting = by_name[name]
        if value is None:
            continue
        try:
            values[setting] = _from_option(setting.rule, value)
        except ValueError as exc:
            raise OptionError(f"{setting.flag} {exc}") from None
    return values


def _from_option(rule: ValueRule, value: object) -> Any:
    if isinstance(value, str):
        return rule.read_option(value) if isinstance(rule, DeviceName) else _from_text(rule, value)
    return rule.read(value)


def _from_text(rule: ValueRule, text: str) -> Any:
    return rule.read(rule.from_text(text))
