"""The last session that can be resumed, kept in a file of the state folder for ``--resume``.

A handle gives the whole session to whoever has it, so the file is the user's own (mode 0600). The
Live API keeps a session for two hours after its connection ended (reference: session resumption).
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from live_cli import paths
from live_cli.errors import SettingsError

LAST = "last"
"""The value that ``--resume`` without a handle gets."""


@dataclass(frozen=True, slots=True)
class LastSession:
    """A session's server and model, and the handle that resumes it."""

    server: str
    model: str
    handle: str


def _state_path() -> Path:
    return paths.state_folder() / "last-session.json"


def remember(session: LastSession, path: Path | None = None) -> None:
    """Write ``session`` to ``path``; where the file cannot be written, nothing is kept."""
    path = path or _state_path()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(session), file)
        part.replace(path)


def recall(server: str, model: str, path: Path | None = None) -> str:
    """Return the last session's handle. Raises SettingsError where server or model was another."""
    try:
        last = LastSession(**json.loads((path or _state_path()).read_bytes()))
    except (OSError, ValueError, TypeError):
        raise SettingsError(
            "There is no earlier session to resume: leave --resume away, or give its handle."
        ) from None
    if (last.server, last.model) != (server, model):
        raise SettingsError(
            f"The last session was with {last.model} of {last.server}, not with {model} of "
            f"{server}: name that one by --model and --server, or leave --resume away."
        )
    return last.handle
