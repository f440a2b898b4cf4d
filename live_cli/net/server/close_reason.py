"""Why the server closes a connection: a close code and a reason for the client. Pure."""

from dataclasses import dataclass
from typing import Final

REASON_BYTES: Final = 123
"""A close frame holds 125 bytes, two of them the code (RFC 6455, 5.5)."""


@dataclass(frozen=True, slots=True)
class CloseReason:
    """A WebSocket close code and the reason sent with it.

    ``kind``: the label a refused connection is counted under in the metrics. ``by_client``: the
    client closed or lost the connection, so no close frame is sent. ``stuck``: the client does not
    read, so the connection is aborted without waiting for the close frame to get out.
    """

    code: int
    reason: str = ""
    kind: str = ""
    by_client: bool = False
    stuck: bool = False


SHUTTING_DOWN: Final = CloseReason(1001, "The server is shutting down.", "closing")
INTERNAL_ERROR: Final = CloseReason(1011, "Internal error encountered.")
RESUMED_ELSEWHERE: Final = CloseReason(1000, "This session was resumed over another connection.")
"""The code is 1000 because a client that reconnects on any other would take the session back."""


def closing_reason(text: str) -> str:
    """Return ``text`` as one line of at most 123 bytes of UTF-8, cut between characters."""
    line = " ".join(text.split())
    return line.encode()[:REASON_BYTES].decode(errors="ignore")
