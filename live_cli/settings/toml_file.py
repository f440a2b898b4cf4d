"""The TOML file: its tables, and the line on which a key stands.

`tomllib` keeps no lines. A key's line is found by parsing ever longer beginnings of the
file: the statement that brings the key in starts after the last beginning that parses without it.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_cli.bounded_read import read_bounded
from live_cli.errors import SettingsError

_LARGEST_BYTES = 64 * 1024
_AT_LINE = re.compile(r"\s*\(at line (\d+), column (\d+)\)")

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A settings file that parsed: its path, its tables, and its text for finding lines."""

    path: Path
    tables: dict[str, Any]
    text: str

    def line_of(self, key: KeyPath) -> int | None:
        """Return the line, from 1, on which ``key`` gets its value or its table is opened."""
        lines = self.text.splitlines(keepends=True)
        start = 1
        for count, line in enumerate(lines, 1):
            if line.isspace() or line.lstrip().startswith("#"):
                continue
            try:
                tables = tomllib.loads("".join(lines[:count]))
            except tomllib.TOMLDecodeError:
                continue  # inside a value that goes over several lines
            if _has(tables, key):
                return _first_statement(lines, start)
            start = count + 1
        return None

    def complaint(self, key: KeyPath, says: str) -> SettingsError:
        """Return an error about ``key``: file, line, key, and ``says``, the sentence's end."""
        line = self.line_of(key)
        where = f"{self.path}, line {line}" if line else str(self.path)
        return SettingsError(f"{where}: {_spelled(key)} {says}")


def read_config(path: Path) -> ConfigFile:
    """Read the file at ``path``. Raises SettingsError naming what cannot be read, and the line."""
    try:
        raw = read_bounded(path, _LARGEST_BYTES)
    except OSError as exc:
        reason = exc.strerror or exc
        raise SettingsError(
            f"The settings file {path} cannot be read: {reason}. "
            "Name another with --config, or write one with: live-cli config init"
        ) from exc
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        return ConfigFile(path, tomllib.loads(text), text)
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        raise SettingsError(f"{path}, line {line}: this is not UTF-8 text.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(_syntax(path, str(exc), text)) from exc
    except RecursionError as exc:
        raise SettingsError(f"{path}: values are nested too deeply.") from exc


def _syntax(path: Path, message: str, text: str) -> str:
    found = _AT_LINE.search(message)
    line = int(found[1]) if found else text.count("\n") + 1
    what = _AT_LINE.sub("", message).replace(" (at end of document)", ", but the file ends")
    column = f", column {found[2]}" if found else ""
    return f"{path}, line {line}{column}: this is not TOML: {what}"


def _has(tables: Any, key: KeyPath) -> bool:
    for name in key:
        if not isinstance(tables, dict) or name not in tables:
            return False
        tables = tables[name]
    return True


def _first_statement(lines: list[str], start: int) -> int:
    """Return the first line from ``start`` that is neither empty nor a comment."""
    for number in range(start, len(lines) + 1):
        line = lines[number - 1].strip()
        if line and not line.startswith("#"):
            return number
    return start


def _spelled(key: KeyPath) -> str:
    return ".".join(part if part.replace("_", "").isalnum() else repr(part) for part in key)
