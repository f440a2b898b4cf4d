"""Ephemeral tokens: short-lived passes for clients that must not hold a key. Pure.

A token admits sessions at the constrained door: so many new ones, until a first time; existing
ones, and those that resume one of them, until a second. It may decide fields of their setup.
Only a hash of each name is kept, so that neither a dump nor the time of a look-up tells one.
Source: Live API reference, §4.13.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.admission import TOKEN_PREFIX, Refusal
from live_cli.protocol.field_mask import Path, effective_setup, read_mask
from live_cli.protocol.messages import AuthToken, Setup

USABLE_S = 30 * 60.0
"""How long sessions may go on, unless it is said."""
NEW_SESSIONS_S = 60.0
"""How long new sessions may begin, unless it is said."""
LONGEST_S = 20 * 3600.0

UNKNOWN = Refusal(
    1008, "This ephemeral token is not known here or has expired: create a new one.", "token"
)
SPENT = Refusal(1008, "This ephemeral token has no uses left: create a new one.", "token")
TOO_LATE = Refusal(
    1008, "This ephemeral token starts no new sessions any more: create a new one.", "token"
)
EXPIRED = Refusal(1008, "The ephemeral token of this session has expired.", "token")


class TokensFullError(Exception):
    """There are as many tokens as there may be."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token is good for: seconds from its making; ``uses`` None: as many as one likes."""

    uses: int | None = 1
    usable_s: float = USABLE_S
    new_sessions_s: float = NEW_SESSIONS_S
    setup: Setup | None = None
    mask: tuple[Path, ...] = ()


@dataclass(slots=True)
class Token:
    """One that was made. Times on the owner's steady clock."""

    digest: bytes
    terms: Terms
    expires_at: float
    new_sessions_until: float
    uses_left: int | None

    def setup_for(self, client: Setup) -> Setup:
        """What a session with this token gets when its client asks for ``client``."""
        return effective_setup(client, self.terms.setup, self.terms.mask)

    def spend(self, now: float) -> Refusal | None:
        """Begin a new session, or say why not."""
        if now >= self.expires_at:
            return UNKNOWN
        if now >= self.new_sessions_until:
            return TOO_LATE
        if self.uses_left is None:
            return None
        if self.uses_left <= 0:
            return SPENT
        self.uses_left -= 1
        return None


def terms_of(asked: AuthToken, wall: datetime) -> Terms:
    """The terms a request asks for; ``wall`` is the time of day, with its zone.

    Raises RemoteProtocolError that names the field which is wrong.
    """
    uses = 1 if asked.uses is None else asked.uses
    if not 0 <= uses < 2**31:
        raise _invalid("uses", "a whole number from 0 (no limit) on")
    usable_s = _seconds_until(asked.expire_time, "expire_time", wall, USABLE_S)
    new_s = _seconds_until(
        asked.new_session_expire_time, "new_session_expire_time", wall, NEW_SESSIONS_S
    )
    return Terms(
        uses=uses or None,
        usable_s=usable_s,
        new_sessions_s=min(new_s, usable_s),
        setup=asked.bidi_generate_content_setup,
        mask=read_mask(asked.field_mask or ""),
    )


class Tokens:
    """All tokens of a server, ``most`` at a time; the expired make room. ``now`` in seconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tokens: dict[bytes, Token] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def create(self, terms: Terms, now: float) -> str:
        """The name of a new token, which is told once. Raises TokensFullError."""
        self._tokens = {key: each for key, each in self._tokens.items() if each.expires_at > now}
        if len(self._tokens) >= self._most:
            raise TokensFullError
        name = TOKEN_PREFIX + secrets.token_hex(32)
        digest = _digest(name)
        self._tokens[digest] = Token(
            digest, terms, now + terms.usable_s, now + terms.new_sessions_s, terms.uses
        )
        return name

    def find(self, name: str, now: float) -> Token | Refusal:
        """The token of that name, as long as it is good for anything."""
        digest = _digest(name)
        token = self._tokens.get(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            return UNKNOWN
        return token if now < token.expires_at else UNKNOWN


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()


def _seconds_until(text: str | None, field: str, wall: datetime, default_s: float) -> float:
    if text is None:
        return default_s
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(field, "a time such as 2026-01-01T00:30:00Z") from None
    if at.tzinfo is None or "T" not in text.upper():
        raise _invalid(field, "a time with its zone, such as 2026-01-01T00:30:00Z")
    seconds = (at.astimezone(UTC) - wall).total_seconds()
    if not 0 < seconds < LONGEST_S:
        raise _invalid(field, "later than now, and by less than 20 hours")
    return seconds


def _invalid(field: str, must_be: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"Invalid value at '{field}': must be {must_be}.")
