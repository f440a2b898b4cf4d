"""A report of an unforeseen failure: a file with the traceback and the versions, without keys."""

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from live_cli import paths
from live_cli.settings.credentials import scrub, seen_keys


def write_report(exc: BaseException, args: Sequence[str]) -> str:
    """Write the report and return the sentence for the user."""
    text = "".join(
        (
            f"live-cli {_version()}, Python {sys.version}, {platform.platform()}\n",
            f"{datetime.now(UTC).isoformat()}\narguments: {list(args)}\n\n",
            *traceback.format_exception(exc),
        )
    )
    says = f"This is a bug: {type(exc).__name__}: {exc}"
    path = _write(scrub(text, seen_keys()))
    kept = f"The details are in {path}." if path else "The details could not be written anywhere."
    return f"{scrub(says, seen_keys()).rstrip('.')}. {kept}"


def _version() -> str:
    from live_cli import __version__

    return __version__


def _write(text: str) -> Path | None:
    """Write to the platform's state folder, or to the temporary one; None where neither works."""
    state = paths.state_folder()
    for folder in (state, Path(tempfile.gettempdir())):
        try:
            if folder == state:
                paths.make_private(folder)
            # mkstemp makes it with mode 0600
            descriptor, name = tempfile.mkstemp(".log", "bug-", folder, text=True)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return Path(name)
    return None
