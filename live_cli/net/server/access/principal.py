"""Principals: whoever a server serves under one credential, told apart without keeping it. Pure.

What a session leaves behind (its resumption handles, its share of what is kept) belongs to the
principal that opened it. A key and each ephemeral token are principals of their own; callers of a
server without a key are one, nobody.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from live_cli.fair_share import OWNER

_ID_BYTES = 16
"""Of a SHA-256: enough that no two credentials meet, and no way back to either."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal: the kind of its credential, and ``id``, its opaque name in the engine.

    ``id`` is made of digests, never of the credential itself. The owner's is empty: the server's
    first key, or nobody where there is none. A token's begins with that of the key that made it.
    """

    kind: Literal["nobody", "key", "token"]
    id: str


NOBODY = Principal("nobody", OWNER)


def principal_of_key(key: str, *, is_first: bool) -> Principal:
    """Return the principal of a key; ``is_first``: the server's first, which is its owner's."""
    return Principal("key", OWNER if is_first else f"key:{_shortened(digest_of(key))}")


def principal_of_token(digest: bytes, maker: Principal) -> Principal:
    """Return the principal of the ephemeral token with ``digest`` that ``maker`` made."""
    return Principal("token", f"{maker.id}/token:{_shortened(digest)}")


def digest_of(credential: str) -> bytes:
    """Return the SHA-256 of a credential, which is kept in its place."""
    return hashlib.sha256(credential.encode(errors="surrogatepass")).digest()


def _shortened(digest: bytes) -> str:
    return digest[:_ID_BYTES].hex()
