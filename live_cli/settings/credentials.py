"""Keys: read from the environment or a file of their own, and removed from what is logged.

A key's file must be one that nobody else may read; no error shows a key.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from live_cli.bounded_read import read_bounded
from live_cli.errors import SettingsError
from live_cli.private_files import is_open_to_others

_SHORTEST_SECRET = 4
"""Characters: a shorter word in the text of a log is more likely a word than a key."""
_LARGEST_KEY_FILE_BYTES = 4096
"""A key goes into a header, and servers refuse longer ones."""


def gemini_key(env: Mapping[str, str], key_file: str | None) -> tuple[str | None, str | None]:
    """Return the key for Gemini and its source: the first of two variables and a file to have one.

    Raises SettingsError for a key that cannot be read or does not fit in a header.
    """
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        if env.get(name, "").strip():
            return _checked(env[name], name), name
    if key_file:
        return _key_in(key_file, "api_key_file"), "api_key_file"
    return None, None


def server_key(env: Mapping[str, str], key_file: str | None) -> str | None:
    """Return the key for a server by address and for `serve`, from LIVE_CLI_KEY or the file."""
    if env.get("LIVE_CLI_KEY", "").strip():
        return _checked(env["LIVE_CLI_KEY"], "LIVE_CLI_KEY")
    return _key_in(key_file, "server_key_file") if key_file else None


def store_password(password_file: str | None) -> str | None:
    """Return the password of the store of sessions from its file, None where none is named."""
    return _key_in(password_file, "store_password_file") if password_file else None


def note_secret(secret: str | None) -> None:
    """Remember a secret that came with a setting, to be removed from what is logged."""
    if secret:
        _seen.add(secret)


def _key_in(name: str, setting: str) -> str:
    """Read the key in a file that nobody else may read, by its modes."""
    path = Path(name).expanduser()
    try:
        found = path.stat()
        text = read_bounded(path, _LARGEST_KEY_FILE_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not text" if isinstance(exc, ValueError) else exc.strerror
        raise SettingsError(f"{setting}: {path} cannot be read: {reason}.") from exc
    if is_open_to_others(found):
        raise SettingsError(
            f"{setting}: others can read {path}. Make it yours alone: chmod 600 {path}"
        )
    if not text.strip():
        raise SettingsError(f"{setting}: {path} is empty.")
    return _checked(text, setting)


def _checked(key: str, source: str) -> str:
    """Return ``key`` stripped; refuse one that does not fit in a header, without showing it."""
    key = key.strip()
    if not key.isascii() or not key.isprintable() or any(char.isspace() for char in key):
        raise SettingsError(f"{source} does not hold a key: it must be one word of plain letters.")
    _seen.add(key)
    return key


_seen: set[str] = set()


def seen_keys() -> set[str]:
    """Return every key that this process has read, or could read from its environment."""
    variables = (
        "GEMINI_API_KEY", "GOOGLE_API_KEY", "LIVE_CLI_KEY", "OPENAI_API_KEY",
        "TRANSCRIBER_API_KEY", "SYNTHESIZER_API_KEY",
    )  # fmt: skip
    return _seen | {os.environ.get(name, "").strip() for name in variables}


def scrub(text: str, keys: Iterable[str]) -> str:
    """Return ``text`` with ``[key]`` in place of each key of at least four characters."""
    found = sorted((key for key in keys if len(key) >= _SHORTEST_SECRET), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, found)), "[key]", text) if found else text
