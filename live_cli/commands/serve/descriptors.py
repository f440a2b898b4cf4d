"""The open files and sockets that a server needs for its connections, and may have."""

import os
from typing import Final

from live_cli.errors import SettingsError
from live_cli.settings.schema import ServeSettings

_BESIDE: Final = 128
"""For models, logs, the store, requests to stages elsewhere, and callers that are turned away."""


def raise_descriptor_limit(serving: ServeSettings) -> None:
    """Let this process open as many files as its settings need.

    The system's soft limit (1024 on Linux, 256 on macOS) is raised as far as the hard one allows.
    Raises SettingsError where that is not enough, or the settings contradict each other.
    """
    if serving.max_sessions > serving.max_connections:
        name, count = "max_sessions", serving.max_sessions
    else:
        name, count = "max_connections", serving.max_connections
    _raise_to(count + _BESIDE, f"{name} = {count}")
    if serving.max_sessions > serving.max_connections:
        raise SettingsError(
            f"max_sessions = {serving.max_sessions} needs as many connections, and max_connections "
            f"is {serving.max_connections}: raise that too, and max_connections_per_address where "
            "they come from one address."
        )


def _raise_to(needed: int, setting: str) -> None:
    if os.name != "posix":
        return  # Windows has no such limit on sockets
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError) as exc:
        most = "fewer" if hard == resource.RLIM_INFINITY else f"{hard} at most"
        raise SettingsError(
            f"{setting} needs {needed} open files, and this process may have {most}: lower it, or "
            f"raise the limit (ulimit -n {needed}; LimitNOFILE={needed} in a systemd unit; "
            f"--ulimit nofile={needed} for a container)."
        ) from exc
