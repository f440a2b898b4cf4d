"""`live-cli config`: the settings file. No key is ever shown."""

import json as json_module
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from live_cli.errors import SettingsError
from live_cli.prices import Prices
from live_cli.settings.load import config_path, load, unknown_variables
from live_cli.settings.schema import SETTINGS, Settings
from live_cli.settings.store_address import without_password
from live_cli.settings.tool_tables import ToolTable
from live_cli.ui.printable import printable

_EXAMPLE = "config.example.toml"


def path(config: Path | None) -> None:
    """Print the path of the settings file, whether there is one or not."""
    where, _ = config_path(config, os.environ)
    print(where)
    if not where.exists():
        _tell("It is not there yet; live-cli config init writes it.")


def show(settings: Settings, *, json: bool) -> None:
    """Print the merged settings as TOML that could be a settings file, or as one JSON object."""
    values = {
        setting.name: _value(settings, setting.group, setting.path[-1])
        for setting in SETTINGS.values()
    }
    of_names = {
        "prices": {model: _known(each) for model, each in settings.prices.items()},
        "tool": {name: _known(each) for name, each in settings.tool.items()},
    }
    if json:
        named = {kind: tables for kind, tables in of_names.items() if tables}
        shown = {**values, **named, **_keys(settings)}
        print(json_module.dumps(shown, ensure_ascii=False))
        return
    file = settings.config_path or "none"
    print(
        f"# settings file: {file}" + (f", profile {settings.profile}" if settings.profile else "")
    )
    for name, state in _keys(settings).items():
        print(f"# {name}: {state or 'not set'}")
    table = ""
    for setting in sorted(SETTINGS.values(), key=lambda setting: setting.path[:-1]):
        if setting.path[:-1] and setting.path[0] != table:
            table = setting.path[0]
            print(f"\n[{table}]")
        value = values[setting.name]
        line = f"{setting.path[-1]} = {_toml(value)}"
        print(f"# {setting.path[-1]} is not set" if value is None else line)
    for kind, tables in of_names.items():
        for name, fields in tables.items():
            print(f"\n[{kind}.{_toml(name)}]")
            for key, each in fields.items():
                print(f"{key} = {_toml(each)}")


def init(config: Path | None) -> None:
    """Write the example as the settings file. Raises SettingsError where a file is there."""
    where, _ = config_path(config, os.environ)
    text = example()
    try:
        os.makedirs(where.parent, exist_ok=True)
    except OSError as exc:
        raise SettingsError(f"{where.parent} cannot be made: {exc.strerror}.") from exc
    try:
        with where.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise SettingsError(
            f"{where} is there already and is left as it is. Name another with --config, "
            "or move it away first."
        ) from None
    except OSError as exc:
        raise SettingsError(f"{where} cannot be written: {exc.strerror}.") from exc
    print(where)


def check(config: Path | None) -> None:
    """Check the settings file with all its profiles, and the environment. Raises SettingsError."""
    settings = load(config=config)
    wrong = unknown_variables(os.environ)
    if wrong:
        raise SettingsError("; ".join(wrong) + ".")
    if settings.config_path is None:
        print("There is no settings file; the defaults and the environment are in order.")
    else:
        print(f"{settings.config_path} is in order.")


def example() -> str:
    """Return the example file: inside the installed package, or at the root of a clone."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package, package.parent):
        if (folder / _EXAMPLE).is_file():
            return (folder / _EXAMPLE).read_text(encoding="utf-8")
    raise SettingsError(f"{_EXAMPLE} is missing from this installation: install live-cli again.")


def _value(settings: Settings, group: str | None, name: str) -> Any:
    value = getattr(getattr(settings, group) if group else settings, name)
    return without_password(value) if (group, name) == ("serve", "store") else value


def _known(table: Prices | ToolTable) -> dict[str, float | str]:
    return {name: value for name, value in asdict(table).items() if value is not None}


def _keys(settings: Settings) -> dict[str, str | None]:
    """Return whether each key is set, and where; never the key itself."""
    source = settings.gemini_key_source
    return {
        "gemini_key": f"set by {source}" if source else None,
        "server_key": "set" if settings.server_key else None,
    }


def _toml(value: object) -> str:
    """Return ``value`` in TOML, whose basic strings are JSON strings with controls escaped."""
    if isinstance(value, str):
        return printable(json_module.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f"))
    return json_module.dumps(value)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
