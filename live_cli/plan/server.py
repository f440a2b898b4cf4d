"""The choice of the server: Gemini, one by its address, or the engine on this machine.

Nothing is connected here; the packages of the local engine are looked for and not imported.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from live_cli.engine.backends.table import SERVER_MODULES, Stage, find_backend
from live_cli.errors import SettingsError
from live_cli.loopback import LOOPBACK_HOSTS
from live_cli.settings.schema import EngineSettings, Settings

ServerKind = Literal["gemini", "child", "url"]

GEMINI_URL = "wss://generativelanguage.googleapis.com"
_GEMINI_HOST = "generativelanguage.googleapis.com"


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """The server of a session: what to connect to, with which key, and its name for the user.

    ``url``: None where a child process is to be started. ``server``: whose models are there.
    """

    kind: ServerKind
    url: str | None
    key: str | None = field(repr=False)
    label: str
    server: Literal["gemini", "local"]


def missing_local_packages(engine: EngineSettings) -> list[str]:
    """The modules of the extra `engine` that the chosen backends need and that are not installed.

    `local` and `whisper` both include that extra. A transcriber comes with one of them only: where
    it is missing, its own error names the ways out, and `text` does without.
    """
    chosen = (
        find_backend(Stage.DETECTOR, engine.detector),
        find_backend(Stage.SYNTHESIZER, engine.synthesizer),
        find_backend(Stage.CHAT, engine.chat),
    )
    modules = [each.module for each, _ in chosen if each is not None and each.extra == "engine"]
    needed = (*SERVER_MODULES, *filter(None, modules))
    return [name for name in needed if find_spec(name) is None]


def choose_server(settings: Settings, local_installed: bool | None = None) -> ServerChoice:
    """Return the server that ``--server`` names; ``auto``: Gemini with its key, else the local one.

    Raises SettingsError where Gemini has no key or the local engine is not installed.
    """
    if settings.server == "gemini" or (settings.server == "auto" and settings.gemini_key):
        return ServerChoice("gemini", GEMINI_URL, _gemini_key(settings), "Gemini", "gemini")
    if settings.server in ("auto", "local"):
        installed = local_installed
        if installed is None:
            installed = not missing_local_packages(settings.engine)
        if not installed:
            raise SettingsError(_no_way(settings.server))
        return ServerChoice("child", None, None, "the local server", "local")
    return _by_address(settings)


def _gemini_key(settings: Settings) -> str:
    if settings.gemini_key is None:
        raise SettingsError(
            "Gemini needs a key: set GEMINI_API_KEY (free at https://aistudio.google.com), "
            "or talk to the engine on this machine with --server local."
        )
    return settings.gemini_key


def _no_way(server: str) -> str:
    if server == "local":
        return (
            "The local engine is not installed: pip install 'live-cli[local]' "
            "(make setup in a clone), or set GEMINI_API_KEY and leave --server away."
        )
    return (
        "There is nothing to talk to: no GEMINI_API_KEY is set and the local engine is not "
        "installed. Set GEMINI_API_KEY, or pip install 'live-cli[local]' (make setup in a clone)."
    )


def _by_address(settings: Settings) -> ServerChoice:
    parts = urlsplit(settings.server)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    url = urlunsplit((scheme, parts.netloc, parts.path, "", ""))
    if parts.hostname == _GEMINI_HOST:
        return ServerChoice("url", url, _gemini_key(settings), "Gemini", "gemini")
    return ServerChoice("url", url, settings.server_key, parts.netloc, "local")


def unencrypted(choice: ServerChoice) -> list[str]:
    """Return a warning where the key goes over a socket without TLS to another machine."""
    parts = urlsplit(choice.url or "")
    if choice.key is None or parts.scheme != "ws" or parts.hostname in LOOPBACK_HOSTS:
        return []
    return [f"The key travels to {choice.label} unencrypted: use wss:// where the server has TLS."]
