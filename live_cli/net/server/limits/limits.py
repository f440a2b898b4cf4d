"""What a server session may cost, and what fits into a frame. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from live_cli.net.server.limits.lifetime import LifetimeLimits
from live_cli.protocol.messages import Blob, Content, Part, ServerContent, ServerMessage

REASON_BYTES = 123
"""A close frame holds 125 bytes, two of them the code (RFC 6455, 5.5)."""

_AUDIO_BYTES = 512 * 1024
"""Most raw audio in one message: in base64 and its JSON well below a frame's limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    message_bytes: int = 16 * 1024 * 1024
    """The largest message taken in; beyond it the socket closes with 1009."""
    frame_bytes: int = 1024 * 1024
    """Every frame sent is smaller: the Python SDK drops the connection otherwise."""
    connections: int = 500
    """Of any kind, also those that have said nothing yet. A process may open some 1000 files."""
    sessions: int = 16
    tokens: int = 1000
    """Ephemeral tokens alive at a time."""
    lifetimes: LifetimeLimits = field(default_factory=LifetimeLimits)
    request_s: float = 10.0
    """From the connection to the first request, and the same for a TLS handshake within it."""
    setup_s: float = 10.0
    """From the handshake to the setup message."""
    refused_s: float = 0.5
    """From the handshake to the first message of one who is refused, who is told after it."""
    ping_s: float = 30.0
    """How often a client is asked for a sign of life."""
    pong_s: float = 60.0
    """How long the sign may take. Under load they were measured at 30 s (reference 4.14)."""
    unsent_s: float = 10.0
    """How long a reader may leave its socket full before it is cut off."""
    held_bytes: int = 16 * 1024 * 1024
    """Received and not yet handled, of one session; beyond it the socket is not read."""
    small_messages_per_s: float = 1000.0
    """Of those too small for back pressure (`flood.py`), on average over five seconds."""
    grace_s: float = 5.0
    """For turns to finish when the server stops."""


def closing_reason(text: str) -> str:
    """``text`` as one line of at most 123 bytes of UTF-8, cut between characters."""
    line = " ".join(text.split())
    return line.encode()[:REASON_BYTES].decode(errors="ignore")


def split_audio(message: ServerMessage) -> Iterator[ServerMessage]:
    """The message itself, or several in its place when its one audio part is too long for a frame.

    What else the message says (transcripts, turn ends, usage) stays with the last piece.
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
