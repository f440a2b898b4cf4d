"""The rule for where `serve` keeps its sessions, whose address may hold a password."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

MEMORY: Final = "memory"
_SCHEMES: Final = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """``memory``, or the address of a Redis or Valkey server; no complaint shows it."""

    allowed: str = "memory, or an address such as redis://host:6379/0 (rediss:// with TLS)"

    def read(self, value: object) -> str:
        if isinstance(value, str):
            text = value.strip()
            if text.lower() == MEMORY:
                return MEMORY
            if _is_address(text):
                return text
        raise ValueError(f"must be {self.allowed}")

    def from_text(self, text: str) -> object:
        return text


def password_of(address: str) -> str | None:
    """Return the password in the address of a store, None where there is none."""
    return urlsplit(address).password


def without_password(address: str) -> str:
    """Return the address of a store as it may be shown."""
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return address
    shown = f"{user.partition(':')[0]}:…@{host}" if ":" in user else parts.netloc
    return urlunsplit(parts._replace(netloc=shown))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    named = parts.path if parts.scheme == "unix" else parts.hostname
    return parts.scheme in _SCHEMES and bool(named) and port != 0
