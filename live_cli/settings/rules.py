"""What a value may be: one rule a kind, each reading values from TOML and from text.

A rule returns the value as the program uses it, or raises ValueError with the end of a
sentence that starts with the key's name: "must be true or false, not 3".
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from live_cli.catalog import (
    AUTO_LANGUAGE,
    LANGUAGES,
    MODELS,
    VOICES,
    did_you_mean,
    find_language,
    find_voice,
    near_language,
)
from live_cli.loopback import LOOPBACK_ADDRESS, canonical_host, is_loopback

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_SHOWN_CHARS = 60
_ADDRESSES = re.compile(r",\s*(?=(?:openai:)?https?://)", re.IGNORECASE)
_SCHEMES = ("wss", "ws", "https", "http")


class ValueRule(Protocol):
    """A kind of value: how it is read, and what is refused."""

    def read(self, value: object) -> Any:
        """Return ``value``, which comes from TOML, as the program uses it. Raises ValueError."""

    def from_text(self, text: str) -> object:
        """Return what TOML would have for ``text`` from the environment or the command line."""


def shown(value: object) -> str:
    """Return a wrong value for a complaint: cut at 60 characters, control characters escaped."""
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


class Boolean:
    """True or false; in text also yes and no, on and off, 1 and 0."""

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        near = did_you_mean(value, _TRUE | _FALSE) if isinstance(value, str) else ""
        raise ValueError(f"must be true or false, not {shown(value)}{near}")

    def from_text(self, text: str) -> object:
        lower = text.strip().lower()
        return True if lower in _TRUE else False if lower in _FALSE else text


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number from ``least`` to ``most``."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def read(self, value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if isinstance(value, int) and whole and self.least <= value <= self.most:
            return value
        raise ValueError(f"must be {self.allowed}, not {shown(value)}")

    def from_text(self, text: str) -> object:
        return int(text) if _WHOLE.fullmatch(text.strip()) else text


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that is not blank."""

    allowed: str = "text"

    def read(self, value: object) -> str:
        if isinstance(value, str) and value.strip():
            return value
        raise ValueError(f"must be {self.allowed}, not {shown(value)}")

    def from_text(self, text: str) -> object:
        return text


class DeviceName(Text):
    """A part of a device's name.

    A number is allowed for one run alone: numbers change when devices come and go.
    """

    options = "--input-device and --output-device"

    def read(self, value: object) -> str:
        if isinstance(value, int) or (isinstance(value, str) and value.strip().isdecimal()):
            raise ValueError(
                f"must be {self.allowed}, not {shown(value)}: numbers change when devices come "
                f"and go (live-cli devices shows the names; {self.options} take a number "
                "for one run)"
            )
        return Text.read(self, value)

    def read_option(self, text: str) -> str:
        """Read a name or a number from the command line. Raises ValueError."""
        return Text.read(self, text)


class ImageDevice(DeviceName):
    """A part of the name of a camera or a monitor, a file or folder; blank is the first one."""

    options = "--camera and --screen"

    def read(self, value: object) -> str:
        return "" if self._is_blank(value) else DeviceName.read(self, value)

    def read_option(self, text: str) -> str:
        return "" if self._is_blank(text) else DeviceName.read_option(self, text)

    @staticmethod
    def _is_blank(value: object) -> bool:
        return isinstance(value, str) and not value.strip()


@dataclass(frozen=True, slots=True)
class BackendName(Text):
    """A backend's name; several addresses of endpoints as a list, or with commas between them.

    An address never carries a key: the name stands on the command line of the child, which anybody
    on the machine can read. ``key``: the variable of the environment that has it.
    """

    key: str = "OPENAI_API_KEY"

    def read(self, value: object) -> str:
        given = value if isinstance(value, list | tuple) else [value]
        texts = [Text.read(self, each) for each in given or [None]]
        if len(texts) > 1 and not all("://" in text for text in texts):
            raise ValueError(f"must be {self.allowed}, or a list of addresses, not {shown(value)}")
        text = ",".join(text.strip() for text in texts) if len(texts) > 1 else texts[0]
        for each in _ADDRESSES.split(text.strip()):
            address = each.partition("#")[0]
            is_address = address.lower().startswith(("openai:", "//")) or "://" in address
            if is_address and ("@" in address or "?" in address):
                raise ValueError(
                    "must not carry a key or anything after ? or before @ in its address: "
                    f"put the key into the environment as {self.key}"
                )
        return text


class VoiceTable:
    """What voices are called elsewhere: a table, or NAME=VOICE each; read as the latter."""

    allowed: str = 'a table of voices such as { Puck = "am_puck" }'

    def read(self, value: object) -> tuple[str, ...]:
        if isinstance(value, dict):
            value = [f"{name}={v}" if isinstance(v, str) else v for name, v in value.items()]
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple):
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        return tuple(self._pair(each) for each in given)

    def from_text(self, text: str) -> object:
        return [part.strip() for part in text.split(",") if part.strip()]

    def _pair(self, value: object) -> str:
        name, equals, elsewhere = value.partition("=") if isinstance(value, str) else ("", "", "")
        if not equals or not elsewhere.strip():
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        voice = find_voice(name.strip())
        if voice is None:
            near = did_you_mean(name.strip(), VOICES)
            raise ValueError(f"has {shown(name.strip())}, which is no voice{near}")
        return f"{voice}={elsewhere.strip()}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, upper and lower case aside; read in lower case."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.words)

    def read(self, value: object) -> str:
        if isinstance(value, str):
            if value.lower() in self.words:
                return value.lower()
            near = did_you_mean(value, self.words)
            raise ValueError(f"must be {self.allowed}, not {shown(value)}{near}")
        raise ValueError(f"must be {self.allowed}, not {shown(value)}")

    def from_text(self, text: str) -> object:
        return text


class ModelId(Text):
    """A model's id. One that is not known here is for the server to judge."""

    words = tuple(model.id for model in MODELS)


class VoiceName(Text):
    """One of the thirty voices, whatever the case; read as the wire spells it."""

    words = tuple(VOICES)

    def read(self, value: object) -> str:
        voice = find_voice(value) if isinstance(value, str) else None
        if voice is None:
            near = did_you_mean(str(value), VOICES)
            raise ValueError(f"must be a voice (live-cli voices), not {shown(value)}{near}")
        return voice


class LanguageCode(Text):
    """A language code of `catalog.LANGUAGES`, also by a newer name; read as the API spells it.

    Or "auto": the language is listened for.
    """

    words = (AUTO_LANGUAGE, *LANGUAGES)

    def read(self, value: object) -> str:
        if isinstance(value, str) and value.lower() == AUTO_LANGUAGE:
            return AUTO_LANGUAGE
        code = find_language(value) if isinstance(value, str) else None
        if code is None:
            near = near_language(value) if isinstance(value, str) else None
            raise ValueError(
                f"must be a language code such as en or de-DE (live-cli languages), "
                f"not {shown(value)}{f'; did you mean {near!r}?' if near else ''}"
            )
        return code


class Origins:
    """Origins of web pages, each a scheme and a host; in text separated by commas."""

    allowed: str = "origins of web pages such as https://app.example:8080"

    def read(self, value: object) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple):
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        return tuple(self._origin(each) for each in given)

    def from_text(self, text: str) -> object:
        return [part.strip() for part in text.split(",") if part.strip()]

    def _origin(self, value: object) -> str:
        text = value.strip().rstrip("/") if isinstance(value, str) else ""
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or text.lower() != f"{parts.scheme}://{parts.netloc}".lower() or "@" in text:
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        return text.lower()


class HostNames:
    """Names and addresses of hosts, as a certificate has them; in text separated by commas."""

    allowed: str = "names or addresses of hosts such as voice.example or 192.0.2.7"

    def read(self, value: object) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple):
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        return tuple(dict.fromkeys(self._host(each) for each in given))

    def from_text(self, text: str) -> object:
        return [part.strip() for part in text.split(",") if part.strip()]

    def _host(self, value: object) -> str:
        host = canonical_host(value) if isinstance(value, str) else None
        if host is None:
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        return host


@dataclass(frozen=True, slots=True)
class Texts:
    """Several texts; in text separated by commas."""

    allowed: str
    words: tuple[str, ...] = ()

    def read(self, value: object) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        texts = given if isinstance(given, list | tuple) else [None]
        if not all(isinstance(each, str) and each.strip() for each in texts):
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        return tuple(dict.fromkeys(map(str, texts)))

    def from_text(self, text: str) -> object:
        return [part.strip() for part in text.split(",") if part.strip()]


class ToolNames(Texts):
    """Built-in tools by their names, and Python files."""

    def read(self, value: object) -> tuple[str, ...]:
        names = Texts.read(self, value)
        for name in names:
            if name not in self.words and not name.endswith(".py"):
                near = did_you_mean(name, self.words)
                raise ValueError(f"must be {self.allowed}, not {shown(name)}{near}")
        return names


class ServerAddress(Text):
    """One of auto, gemini and local, or the address of a server, which never carries a key.

    ``host:port`` is completed to an address: ``ws://`` on this machine, and ``wss://`` elsewhere,
    since a key would travel unencrypted.
    """

    words = ("auto", "gemini", "local")

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"must be {self.allowed}, not {shown(value)}")
        text = value.strip()
        if text.lower() in self.words:
            return text.lower()
        address = text if "://" in text else _completed_address(text)
        if address is None:
            near = did_you_mean(text, self.words)
            raise ValueError(f"must be {self.allowed}, not {shown(text)}{near}")
        return _address(address)


def _completed_address(text: str) -> str | None:
    """Return an address for ``host``, ``host:port`` or either with a path; None for other words.

    A host alone has a dot or is this machine, or a misspelt word would be looked for in the
    network. ``:port`` is this machine's. What may hold a key is left to `_address` to refuse.
    """
    if text.count(":") > 1 and not text.startswith("[") and canonical_host(text):
        text = f"[{text}]"  # an IPv6 address without a port
    elif text.startswith(":"):
        text = f"{LOOPBACK_ADDRESS}{text}"
    elsewhere = f"wss://{text}"
    try:
        parts = urlsplit(elsewhere)
        host, port = canonical_host(parts.hostname or ""), parts.port
    except ValueError:
        return elsewhere
    if "@" in text or "?" in text:
        return elsewhere
    if host is None:
        return None
    if is_loopback(host):
        return f"ws://{text}"
    return elsewhere if port is not None or "." in host or ":" in host else None


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise ValueError(f"is not an address that can be read ({exc})") from None
    if parts.query or parts.username or parts.password or parts.fragment:
        raise ValueError(
            "must not carry a key or anything after ? or before @: "
            "put the key into the environment as LIVE_CLI_KEY"
        )
    if parts.scheme not in _SCHEMES or not host:
        near = did_you_mean(parts.scheme, _SCHEMES)
        raise ValueError(
            f"must start with wss://, ws://, https:// or http://, not {shown(text)}{near}"
        )
    return text.rstrip("/")
