"""The tables ``[tool.NAME]`` of the settings file: how a tool is called, and its result told."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from live_cli.catalog import did_you_mean
from live_cli.settings.rules import Choice, shown
from live_cli.settings.toml_file import ConfigFile, KeyPath

_FIELDS: Final = ("timeout_s", "scheduling")
_SCHEDULING: Final[dict[str, Literal["WHEN_IDLE", "INTERRUPT", "SILENT"]]] = {
    "when-idle": "WHEN_IDLE",
    "interrupt": "INTERRUPT",
    "silent": "SILENT",
}
_LONGEST_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class ToolTable:
    """A table for the tools that its name fits; None: nothing.

    ``timeout_s``: seconds after which a call is given up. ``scheduling``: when a model that does
    not wait for the result tells it, in the words of the wire (WHEN_IDLE, INTERRUPT, SILENT).
    """

    timeout_s: float | None = None
    scheduling: Literal["WHEN_IDLE", "INTERRUPT", "SILENT"] | None = None


def read_tool(file: ConfigFile, path: KeyPath, table: Mapping[str, Any]) -> ToolTable:
    """Return what ``table``, at ``path`` in the file, says. Raises SettingsError with the line."""
    for name in table:
        if name not in _FIELDS:
            near = did_you_mean(name, _FIELDS) or f": choose {' or '.join(_FIELDS)}"
            raise file.complaint((*path, name), f"is not a setting of a tool{near}")
    try:
        return ToolTable(_seconds(table.get("timeout_s")), _scheduling(table.get("scheduling")))
    except ValueError as exc:
        name, _, says = str(exc).partition(" ")
        raise file.complaint((*path, name), says) from None


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    number = float(value) if isinstance(value, int | float) else math.nan
    if 0 < number <= _LONGEST_S and not isinstance(value, bool):
        return number
    raise ValueError(f"timeout_s must be seconds, up to a day, not {shown(value)}")


def _scheduling(value: object) -> Literal["WHEN_IDLE", "INTERRUPT", "SILENT"] | None:
    if value is None:
        return None
    word = value.replace("_", "-") if isinstance(value, str) else value
    try:
        return _SCHEDULING[Choice(tuple(_SCHEDULING)).read(word)]
    except ValueError as exc:
        raise ValueError(f"scheduling {exc}") from None
