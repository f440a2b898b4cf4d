"""The limits of a server's connections, and the split of messages that exceed one. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from live_cli.net.server.limits.lifetime import LifetimeLimits
from live_cli.protocol.messages import Blob, Content, Part, ServerContent, ServerMessage

_AUDIO_BYTES = 512 * 1024
"""The most PCM in one message: its base64 and JSON stay well below ``sent_payload_bytes``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server. Times in seconds, sizes in bytes."""

    received_payload_bytes: int = 16 * 1024 * 1024
    """The largest payload received; beyond it the socket closes with 1009."""
    setup_bytes: int = 1024 * 1024
    """The largest setup message of a caller with a key or a token: as much as any message may have
    beside media (`limits.payload`)."""
    stranger_bytes: int = 64 * 1024
    """The same without either, which is what anybody may make the server keep; ten times the setup
    of a program with a page of instructions and twenty functions. Also what is read of a caller
    who is refused."""
    sent_payload_bytes: int = 1024 * 1024
    """Every payload sent is smaller: the Python SDK drops the connection otherwise."""
    connections: int = 500
    """TCP connections, also those that have sent nothing. A process may open some 1000 files."""
    connections_per_address: int = 250
    """Of these, from one IPv4 address or one /64 network; 0 is no limit. Half of all: many callers
    share an address, all do on one machine, and none shall have the places of all others."""
    sessions: int = 16
    sessions_per_key: int = 0
    """Of each key and the tokens it made, on all replicas that share a store; 0 is no limit."""
    tokens: int = 1000
    """Ephemeral tokens alive at a time, of each key."""
    wrong_keys_per_min: float = 10.0
    """Of one address, before the answers to more of them are slowed; 0 is no limit. A program with
    a wrong key tries again now and then; ten times a minute is more than any that waits between."""
    lifetimes: LifetimeLimits = field(default_factory=LifetimeLimits)
    request_s: float = 10.0
    """From the connection, or the response before, to the end of a request's head; the same for
    its body, and for a TLS handshake."""
    setup_s: float = 10.0
    """From the handshake to the setup message."""
    refused_s: float = 0.5
    """How long a refused connection is read before its close, for its setup message."""
    ping_s: float = 30.0
    """How often a client is pinged."""
    pong_s: float = 60.0
    """How long a pong may take. Under load 30 s were measured (reference 4.14)."""
    unsent_s: float = 10.0
    """How long a client may leave its socket full before its connection is aborted."""
    held_bytes: int = 16 * 1024 * 1024
    """Received and not yet handled, for each session; beyond it the socket is not read."""
    small_messages_per_s: float = 1000.0
    """Messages, fragments and pings too small for back pressure (`limits.rate`), on average over
    five seconds."""
    grace_s: float = 5.0
    """How long turns may go on when the server stops."""
    drain_s: float = 0.0
    """Before that, how long clients have to go on at another replica."""


def split_audio(message: ServerMessage) -> Iterator[ServerMessage]:
    """Yield the message, or several in its place when its one audio part is over 512 KiB of PCM.

    All else in the message (transcripts, turn ends, usage) stays with the last piece.
    """
    content = message.server_content
    turn = content.model_turn if content else None
    parts = turn.parts if turn else None
    blob = parts[0].inline_data if parts and len(parts) == 1 else None
    if blob is None or len(blob.data) <= _AUDIO_BYTES or content is None or turn is None:
        yield message
        return
    for start in range(0, len(blob.data), _AUDIO_BYTES):
        piece = _with_audio(turn, blob, blob.data[start : start + _AUDIO_BYTES])
        if start + _AUDIO_BYTES < len(blob.data):
            yield ServerMessage(server_content=ServerContent(model_turn=piece))
        else:
            yield replace(message, server_content=replace(content, model_turn=piece))


def _with_audio(turn: Content, blob: Blob, data: bytes) -> Content:
    return replace(turn, parts=[Part(inline_data=replace(blob, data=data))])
