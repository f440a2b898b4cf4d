"""The address of a Live API server: its URL, and the headers that carry the key."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from live_cli.errors import ConnectError
from live_cli.loopback import is_loopback

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_METHOD = "GenerativeService.BidiGenerateContent"
_TOKEN = "auth_tokens/"  # noqa: S105 - the prefix that tells a token from a key


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of one server, and the key for it.

    ``url``: ``wss://host[:port]``, perhaps with a path before the Live API's own; ``http`` means
    ``ws``. A URL that names the method itself (Vertex) is taken as it is. ``label``: how to call
    the server in a sentence: "Gemini", "the local server", or its host.
    """

    url: str
    key: str | None = field(repr=False)
    api_version: str
    label: str

    @property
    def endpoint(self) -> str:
        """The URL of the WebSocket, without the key. Raises ConnectError for a URL that is none."""
        parts = self._parts()
        path = parts.path.rstrip("/")
        if "BidiGenerateContent" not in path:
            method = _METHOD + ("Constrained" if self._holds_token else "")
            path = f"{path}/ws/google.ai.generativelanguage.{self.api_version}.{method}"
        query = f"?{parts.query}" if parts.query else ""
        return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{path}{query}"

    @property
    def rest_base(self) -> str:
        """The URL of the REST methods beside the WebSocket, with the version.

        Raises ConnectError where the address names the socket's method itself, and so none of them.
        """
        parts = self._parts()
        if "BidiGenerateContent" in parts.path:
            raise ConnectError("This address names a WebSocket alone.")
        scheme = {"ws": "http", "wss": "https"}[_SCHEMES[parts.scheme]]
        return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/{self.api_version}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry the key or token. Raises ConnectError for a malformed key."""
        if self.key is None:
            return {}
        if not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise ConnectError("The API key holds characters no key has. Copy it again.")
        shown = {"x-goog-api-key": self.key}
        if self._holds_token:
            shown["Authorization"] = f"Token {self.key}"
        return shown

    @property
    def place(self) -> str:
        """Host and port, for messages to the user. Raises ConnectError."""
        parts = self._parts()
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port}" if parts.port else str(host)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine: then without proxy and compression."""
        return is_loopback(self._parts().hostname or "")

    @property
    def _holds_token(self) -> bool:
        return self.key is not None and self.key.startswith(_TOKEN)

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
        except ValueError:
            usable = None
        if not usable or parts.username is not None:
            raise ConnectError(
                "The server's address is not usable. Write it as wss://host or ws://host:port, "
                "and give the key by its own setting."
            )
        return parts
