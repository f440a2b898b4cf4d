"""The platform's folders for live-cli, and those of installed packages, of which none is imported.

`platformdirs` is imported when a folder is asked for.

Logs (the local server's, its child's, bug reports) lie in the state folder. What is kept in the
state and cache folders is its user's alone: `make_private` makes them so, whatever the umask.
"""

import os
import stat
from importlib.util import find_spec
from pathlib import Path

_APP = "live-cli"


def config_folder() -> Path:
    """Return the folder of the settings file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path(_APP, appauthor=False)


def cache_folder() -> Path:
    """Return the folder of what can be fetched again, such as chat models; it need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path(_APP, appauthor=False)


def state_folder() -> Path:
    """Return the folder of logs, certificates and the last session; it need not exist."""
    from platformdirs import user_state_path

    return user_state_path(_APP, appauthor=False)


def package_folder(name: str) -> Path | None:
    """Return the folder of the package ``name`` without importing it; None: it is not here."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def make_private(folder: Path) -> None:
    """Make ``folder``, and the folders above it that are missing, with mode 0700. Raises OSError.

    A folder of live-cli's own that has another mode gets this one, where it belongs to this user:
    ``folder`` inside the state or cache folder, and those between. Windows has no such modes.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if os.name != "posix":
        return
    for each in _own(folder):
        found = each.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != 0o700:
            each.chmod(0o700)


def _own(folder: Path) -> list[Path]:
    """Return ``folder`` and those above it up to live-cli's own; none where it is elsewhere."""
    for own in (state_folder(), cache_folder()):
        if folder.is_relative_to(own):
            return [each for each in (folder, *folder.parents) if each.is_relative_to(own)]
    return []
