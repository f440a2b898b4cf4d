"""The last session that can be resumed, kept in a file of the state folder for ``--resume``.

A handle gives the whole session to whoever has it, so the file is the user's own (mode 0600). The
Live API keeps a session for two hours after its connection ended (reference: session resumption).

The file is written with every new handle, since a command can be killed at any moment, and it takes
the place of the one before in one step: a reader finds the old handle or the new one, whole.
"""

import contextlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from live_cli import paths
from live_cli.errors import SettingsError
from live_cli.whole_files import replacing

LAST = "last"
"""The value that ``--resume`` without a handle gets."""
_MOST_BYTES: Final = 65_536
"""Size of the file at most: handles of the service are below 200 bytes, and a larger file would be
something else."""
_HANDLE: Final = re.compile(r"[A-Za-z0-9_+/-]{20,}={0,2}")
_LEAST_CAPITALS_AND_DIGITS: Final = 0.2
"""Share of a handle: of random characters in base64 it is 0.56, in hexadecimal digits 0.63."""


@dataclass(frozen=True, slots=True)
class LastSession:
    """A session's server and model, and the handle that resumes it."""

    server: str
    model: str
    handle: str


def is_handle(text: str) -> bool:
    """Return whether ``text`` has the shape of a resumption handle, which no question has.

    Handles of the Live API and of `serve` are random bytes in base64 or in hexadecimal digits: one
    word of twenty characters or more, in which capitals and digits are many among other characters.
    A path, in which slashes are many, or an address is none.
    """
    if not _HANDLE.fullmatch(text) or text.count("/") * 10 > len(text):
        return False
    inside = text[1:]  # a capital may begin any word
    marked = sum(character.isupper() or character.isdigit() for character in inside)
    letters = sum(character.isalpha() for character in inside)
    is_mixed = marked < len(inside) and not (inside.isupper() and marked == letters)
    return is_mixed and marked >= len(inside) * _LEAST_CAPITALS_AND_DIGITS


def _state_path() -> Path:
    return paths.state_folder() / "last-session.json"


def remember(session: LastSession, path: Path | None = None) -> None:
    """Write ``session`` to ``path``; where the file cannot be written, nothing is kept."""
    path = path or _state_path()
    content = json.dumps(asdict(session)).encode()
    if len(content) <= _MOST_BYTES:
        with contextlib.suppress(OSError):
            paths.make_private(path.parent)
            with replacing(path) as file:
                file.write(content)


def recall(server: str, model: str, path: Path | None = None) -> str:
    """Return the last session's handle. Raises SettingsError where server or model was another."""
    path = path or _state_path()
    last = _read(path)
    if last is None:
        raise SettingsError(
            "There is no earlier session to resume: leave --resume away, or give its handle."
        )
    if (last.server, last.model) != (server, model):
        raise SettingsError(
            f"The last session was with {last.model} of {last.server}, not with {model} of "
            f"{server}: name that one by --model and --server, or leave --resume away."
        )
    return last.handle


def _read(path: Path) -> LastSession | None:
    """Return what ``path`` holds; None: there is no such file. Raises SettingsError."""
    try:
        if not path.exists():
            return None
        if not path.is_file():  # a pipe would never end
            raise ValueError("it is no file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError("it is too large")
        return _parsed(json.loads(content))
    except OSError as exc:
        why = exc.strerror or str(exc)
    except (ValueError, RecursionError):
        why = "it holds no session"
    raise SettingsError(
        f"The last session cannot be read from {path} ({why}): leave --resume away, or give the "
        "session's handle."
    )


def _parsed(value: object) -> LastSession:
    if not isinstance(value, dict):
        raise ValueError("no object")
    texts = [value.get(name) for name in ("server", "model", "handle")]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("something is missing")
    return LastSession(*map(str, texts))
