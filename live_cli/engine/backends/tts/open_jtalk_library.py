"""The library of Open JTalk, imported when Japanese is first spoken."""

from functools import cache
from typing import Any

from live_cli.errors import EngineError

INSTALL = "pip install 'live-cli[japanese]'"


@cache
def open_jtalk() -> Any:
    """Return the library pyopenjtalk. Raises EngineError where it is not there or does not load."""
    try:
        import pyopenjtalk
    except Exception as exc:  # its parts raise kinds of their own
        raise EngineError(f"Open JTalk is not there ({exc}): {INSTALL}") from exc
    return pyopenjtalk
