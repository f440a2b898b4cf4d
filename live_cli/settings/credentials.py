"""Keys, and a system instruction in a file: what settings name but do not hold.

A key comes from the environment or from a file that nobody else may read; no error shows it.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from live_cli.errors import InputFileError, SettingsError

_SHORTEST_SECRET = 4


def gemini_key(env: Mapping[str, str], key_file: str | None) -> tuple[str | None, str | None]:
    """The key for Gemini and where it came from: the first of the three places that has one."""
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        if env.get(name, "").strip():
            return _checked(env[name], name), name
    if key_file:
        return _key_in(key_file, "api_key_file"), "api_key_file"
    return None, None


def server_key(env: Mapping[str, str], key_file: str | None) -> str | None:
    """The key for a server by address, and for `serve`."""
    if env.get("LIVE_CLI_KEY", "").strip():
        return _checked(env["LIVE_CLI_KEY"], "LIVE_CLI_KEY")
    return _key_in(key_file, "server_key_file") if key_file else None


def read_system(text: str) -> str:
    """A system instruction: the text, or what is in the file after ``@``; ``@@`` is one ``@``."""
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@"):
        return text
    path = Path(text[1:]).expanduser()
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, ValueError) else exc.strerror
        raise InputFileError(
            f"The system instruction {str(path)!r} cannot be read: {reason}. "
            "--system @FILE names a text file."
        ) from exc
    if not content.strip():
        raise InputFileError(f"The system instruction {str(path)!r} is empty.")
    return content


def _key_in(name: str, setting: str) -> str:
    """The key in a file that nobody else may read (checked where there are POSIX modes)."""
    path = Path(name).expanduser()
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not text" if isinstance(exc, ValueError) else exc.strerror
        raise SettingsError(f"{setting}: {path} cannot be read: {reason}.") from exc
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(
            f"{setting}: others can read {path}. Make it yours alone: chmod 600 {path}"
        )
    if not text.strip():
        raise SettingsError(f"{setting}: {path} is empty.")
    return _checked(text, setting)


def _checked(key: str, source: str) -> str:
    """A key that fits in a header: printable ASCII in one piece. The error never shows it."""
    key = key.strip()
    if not key.isascii() or not key.isprintable() or any(char.isspace() for char in key):
        raise SettingsError(f"{source} does not hold a key: it must be one word of plain letters.")
    _seen.add(key)
    return key


_seen: set[str] = set()


def seen_keys() -> set[str]:
    """Every key this process has read, or could read from its environment: for `scrub`."""
    variables = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "LIVE_CLI_KEY", "OPENAI_API_KEY")
    return _seen | {os.environ.get(name, "").strip() for name in variables}


def scrub(text: str, keys: Iterable[str]) -> str:
    """``text`` without the keys in it: for logs. A word that short is no secret, but a letter."""
    found = sorted((key for key in keys if len(key) >= _SHORTEST_SECRET), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, found)), "[key]", text) if found else text
