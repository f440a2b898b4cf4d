"""Tables of the settings file whose names are the user's: ``[prices."MODEL"]``, ``[mcp.NAME]``.

They stand at the top of the file and in each profile, and a profile's table takes the place of its
namesake. Every profile's tables are checked, also where the profile is not in use.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from live_cli.settings.toml_file import ConfigFile, KeyPath

_T = TypeVar("_T")

NAMED_TABLES = ("prices", "mcp", "tool")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def named_tables(
    file: ConfigFile,
    profile: str | None,
    kind: str,
    read: Callable[[ConfigFile, KeyPath, Mapping[str, Any]], _T],
) -> dict[str, _T]:
    """Return the tables ``[kind.NAME]`` by name, those of ``profile`` over the rest.

    ``read`` makes of one table what it means, and gets the path at which the table stands. Raises
    SettingsError with the line of what is no table, and what ``read`` raises.
    """
    found = _read_all(file, (kind,), file.tables.get(kind, {}), read)
    for name, table in file.tables.get("profiles", {}).items():
        own = _read_all(file, ("profiles", name, kind), table.get(kind, {}), read)
        if name == profile:
            found |= own
    return found


def _read_all(
    file: ConfigFile,
    prefix: KeyPath,
    tables: object,
    read: Callable[[ConfigFile, KeyPath, Mapping[str, Any]], _T],
) -> dict[str, _T]:
    kind = prefix[-1]
    if not isinstance(tables, Mapping):
        raise file.complaint(prefix, f"must be tables: [{kind}.NAME]")
    found: dict[str, _T] = {}
    for name, table in tables.items():
        path = (*prefix, name)
        if not isinstance(table, Mapping):
            raise file.complaint(path, f"must be a table: [{kind}.{_spelled(name)}]")
        found[name] = read(file, path, table)
    return found


def _spelled(name: str) -> str:
    return name if _BARE.fullmatch(name) else f'"{name}"'
