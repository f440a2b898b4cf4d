"""Where settings come from: the file with its profiles, the environment, the command line.

Each source answers with the keys it sets, their values already read by their rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_cli.catalog import did_you_mean
from live_cli.errors import SettingsError
from live_cli.settings.rules import DeviceName, ValueRule
from live_cli.settings.toml_file import ConfigFile, KeyPath

TABLES = ("talk", "engine", "serve")
"""Groups that are tables in the file; the keys of the other groups stand at its top."""


class OptionError(SettingsError):
    """A wrong value on the command line: wrong usage, not a wrong setting."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its path in the file, the group that holds it, its rule and its default."""

    path: KeyPath
    group: str | None
    rule: ValueRule
    default: Any

    @property
    def name(self) -> str:
        """As `load` takes it and the file spells it: ``voice``, ``serve.port``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        return "LIVE_CLI_" + "_".join(self.path).upper()


Keys = Mapping[KeyPath, Setting]


def from_file(keys: Keys, file: ConfigFile, profile: str | None) -> dict[Setting, Any]:
    """What the file says, its profile over the rest; all profiles are checked."""
    tables = dict(file.tables)
    profiles = tables.pop("profiles", {})
    if not isinstance(profiles, dict):
        raise file.complaint(("profiles",), "must be tables: [profiles.NAME]")
    values = dict(_from_tables(keys, file, (), tables))
    for name, table in profiles.items():
        if not isinstance(table, dict):
            raise file.complaint(("profiles", name), f"must be a table: [profiles.{name}]")
        of_profile = dict(_from_tables(keys, file, ("profiles", name), table))
        if name == profile:
            values |= of_profile
    if profile and profile not in profiles:
        known = f" (it has {', '.join(profiles)})" if profiles else ""
        raise SettingsError(
            f"{file.path} has no profile {profile!r}{known}{did_you_mean(profile, profiles)}"
        )
    return values


def _from_tables(
    keys: Keys, file: ConfigFile, prefix: KeyPath, tables: Mapping[str, Any], table: KeyPath = ()
) -> Iterator[tuple[Setting, Any]]:
    for name, value in tables.items():
        path = (*table, name)
        if not table and name in TABLES:
            if not isinstance(value, dict):
                raise file.complaint((*prefix, *path), f"must be a table: [{name}]")
            yield from _from_tables(keys, file, prefix, value, path)
            continue
        key = keys.get(path)
        if key is None:
            raise file.complaint((*prefix, *path), _unknown(keys, path))
        try:
            yield key, _beside(file.path, key, key.rule.read(value))
        except ValueError as exc:
            raise file.complaint((*prefix, *path), f"{exc}") from None


def _unknown(keys: Keys, path: KeyPath) -> str:
    if path[-1] in ("api_key", "key", "gemini_api_key", "google_api_key", "server_key"):
        return (
            "does not belong here: set GEMINI_API_KEY (or LIVE_CLI_KEY), or put the key alone "
            "into a file that only you can read and name it: api_key_file = '…'"
        )
    names = [key.name for key in keys.values()] + list(TABLES) + ["profiles"]
    whole = ".".join(path)
    near = did_you_mean(whole, names) or did_you_mean(path[-1], names)
    for key in keys.values():
        if key.path[-1] == path[-1]:  # the right key in the wrong table
            table = f"in [{key.path[0]}]" if len(key.path) > 1 else "at the top of the file"
            near = f"; it belongs {table}"
    return f"is not a setting{near}"


def _beside(config: Path, key: Setting, value: Any) -> Any:
    """Files named in the settings file are looked for beside it."""
    if key.name.endswith("_file") or key.name == "talk.record":
        return str(config.parent / Path(value).expanduser())
    if key.name == "system" and value.startswith("@") and not value.startswith("@@"):
        return "@" + str(config.parent / Path(value[1:]).expanduser())
    return value


def from_environment(keys: Keys, env: Mapping[str, str]) -> dict[Setting, Any]:
    """What the LIVE_CLI_ variables say; an empty one says nothing."""
    values: dict[Setting, Any] = {}
    for key in keys.values():
        text = env.get(key.variable)
        if not text:
            continue
        try:
            values[key] = _from_text(key.rule, text)
        except ValueError as exc:
            raise SettingsError(f"{key.variable} {exc}") from None
    return values


def from_options(keys: Keys, options: Mapping[str, object]) -> dict[Setting, Any]:
    """What the command line says, by the names of the settings; None was not given."""
    by_name = {key.name: key for key in keys.values()}
    values: dict[Setting, Any] = {}
    for name, value in options.items():
        key = by_name[name]
        if value is None:
            continue
        try:
            values[key] = _from_option(key.rule, value)
        except ValueError as exc:
            raise OptionError(f"{_flag(key)} {exc}") from None
    return values


def _flag(key: Setting) -> str:
    """A list is given one by one, by an option in the singular."""
    name = key.path[-1].replace("_", "-")
    return f"--{name.removesuffix('s') if isinstance(key.default, tuple) else name}"


def _from_option(rule: ValueRule, value: object) -> Any:
    if isinstance(value, str):
        return rule.read_option(value) if isinstance(rule, DeviceName) else _from_text(rule, value)
    return rule.read(value)


def _from_text(rule: ValueRule, text: str) -> Any:
    return rule.read(rule.from_text(text))
