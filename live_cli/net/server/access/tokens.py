"""Ephemeral tokens: short-lived credentials for clients that must not hold a key. Pure.

A token admits sessions at the constrained endpoints: a number of new ones until
``new_sessions_until``, and those already open, or resumed, until ``expires_at``. It may fix fields
of their setup, for as long as they last. Only a hash of each name is kept, so that neither a memory
dump nor the time of a look-up reveals a name. Source: Live API reference, §4.13.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.admission import TOKEN_PREFIX
from live_cli.net.server.access.principal import (
    NOBODY,
    Principal,
    digest_of,
    principal_of_token,
)
from live_cli.net.server.close_reason import CloseReason
from live_cli.protocol.field_mask import FieldPath, effective_setup, read_mask
from live_cli.protocol.messages import AuthToken, Setup
from live_cli.protocol.setup_locks import SetupLocks

USABLE_S = 30 * 60.0
"""How long sessions may last where the request names no ``expireTime``."""
NEW_SESSIONS_S = 60.0
"""How long new sessions may begin where the request names no ``newSessionExpireTime``."""
LONGEST_S = 20 * 3600.0
"""The latest time a request may name, from now."""

UNKNOWN = CloseReason(
    1008, "This ephemeral token is not known here or has expired: create a new one.", "token"
)
SPENT = CloseReason(1008, "This ephemeral token has no uses left: create a new one.", "token")
TOO_LATE = CloseReason(
    1008, "This ephemeral token starts no new sessions any more: create a new one.", "token"
)
EXPIRED = CloseReason(1008, "The ephemeral token of this session has expired.", "token")


class TokensFullError(Exception):
    """The server keeps as many tokens of one key as it may; none has expired."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token allows: times in seconds from its creation; ``uses`` None is unlimited.

    ``setup`` and ``mask``: the fields of a session's setup that the token fixes.
    """

    uses: int | None = 1
    usable_s: float = USABLE_S
    new_sessions_s: float = NEW_SESSIONS_S
    setup: Setup | None = None
    mask: tuple[FieldPath, ...] = ()


@dataclass(slots=True)
class Token:
    """A token that was created. Times are on the monotonic clock whose ``now`` `Tokens` is told.

    ``maker``: who created it. ``principal``: whose the sessions are that it admits. ``locks``: what
    it keeps to itself of their setups.
    """

    digest: bytes
    maker: Principal
    principal: Principal
    terms: Terms
    locks: SetupLocks
    expires_at: float
    new_sessions_until: float
    uses_left: int | None

    def setup_for(self, client: Setup) -> Setup:
        """Return the setup of a session whose client asks for ``client``."""
        return effective_setup(client, self.terms.setup, self.terms.mask)

    def spend(self, now: float) -> CloseReason | None:
        """Take one use for a new session, or return why the session is refused."""
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


def terms_of(request: AuthToken, wall: datetime) -> Terms:
    """Return the terms that a request asks for; ``wall`` is the time of day, with its zone.

    Raises RemoteProtocolError, which names the invalid field.
    """
    uses = 1 if request.uses is None else request.uses
    if not 0 <= uses < 2**31:
        raise _invalid("uses", "a whole number from 0 (no limit) on")
    usable_s = _seconds_until(request.expire_time, "expire_time", wall, USABLE_S)
    new_s = _seconds_until(
        request.new_session_expire_time, "new_session_expire_time", wall, NEW_SESSIONS_S
    )
    return Terms(
        uses=uses or None,
        usable_s=usable_s,
        new_sessions_s=min(new_s, usable_s),
        setup=request.bidi_generate_content_setup,
        mask=read_mask(request.field_mask or ""),
    )


class Tokens:
    """The tokens of a server, ``most`` of each key at a time; expired ones make room.

    A key that makes too many is refused and takes no room from another. ``now`` in seconds.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tokens: dict[bytes, Token] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def create(self, terms: Terms, now: float, maker: Principal = NOBODY) -> str:
        """Create a token and return its name, which is not kept. Raises TokensFullError."""
        self._tokens = {key: each for key, each in self._tokens.items() if each.expires_at > now}
        if sum(each.maker == maker for each in self._tokens.values()) >= self._most:
            raise TokensFullError
        name = TOKEN_PREFIX + secrets.token_hex(32)
        digest = digest_of(name)
        self._tokens[digest] = Token(
            digest,
            maker,
            principal_of_token(digest, maker),
            terms,
            SetupLocks(terms.setup, terms.mask),
            expires_at=now + terms.usable_s,
            new_sessions_until=now + terms.new_sessions_s,
            uses_left=terms.uses,
        )
        return name

    def find(self, name: str, now: float) -> Token | CloseReason:
        """Return the token named ``name``, or UNKNOWN when there is none or it has expired."""
        digest = digest_of(name)
        token = self._tokens.get(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            return UNKNOWN
        return token if now < token.expires_at else UNKNOWN


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
