"""The terms of an ephemeral token as bytes, for a store. Pure."""

import msgspec

from live_cli.net.server.access.principal import Principal, principal_of_token
from live_cli.net.server.access.tokens import Terms, Token
from live_cli.protocol.field_mask import FieldPath
from live_cli.protocol.messages import ClientMessage
from live_cli.protocol.setup_locks import SetupLocks
from live_cli.protocol.wire import decode_client, encode


class _Packed(msgspec.Struct):
    """``setup``: as JSON of the wire, empty where the token has none."""

    kind: str
    maker: str
    setup: bytes
    mask: tuple[FieldPath, ...]


_decoder = msgspec.msgpack.Decoder(_Packed)


def pack_terms(terms: Terms, maker: Principal) -> bytes:
    """Return what a token of ``maker`` fixes; its uses and times are the store's to keep."""
    setup = b"" if terms.setup is None else encode(ClientMessage(setup=terms.setup))
    return msgspec.msgpack.encode(_Packed(maker.kind, maker.id, setup, terms.mask))


def unpack_token(digest: bytes, packed: bytes, expires_at: float) -> Token:
    """Return the token with ``digest``; ``expires_at`` on the monotonic clock."""
    kept = _decoder.decode(packed)
    setup = decode_client(kept.setup).setup if kept.setup else None
    maker = Principal("key" if kept.kind == "key" else "nobody", kept.maker)
    return Token(
        digest,
        maker,
        principal_of_token(digest, maker),
        Terms(setup=setup, mask=kept.mask),
        SetupLocks(setup, kept.mask),
        expires_at=expires_at,
        new_sessions_until=expires_at,
        uses_left=None,
    )
