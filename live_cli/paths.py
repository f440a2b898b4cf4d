"""The platform's folders for live-cli. `platformdirs` is imported when a folder is asked for.

Logs (the local server's, its child's, bug reports) lie in the state folder.
"""

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
