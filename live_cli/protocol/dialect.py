"""Which of the Live API's two dialects, and which version of it, a client speaks. Pure."""

from dataclasses import dataclass

from msgspec.structs import replace

from live_cli.protocol.messages import ServerMessage


@dataclass(frozen=True, slots=True)
class Dialect:
    """Told by the path that a client came in by: some fields exist in some versions only.

    ``vertex``: models are named ``publishers/google/models/…`` and defaults differ (reference §2).
    """

    api_version: str = "v1beta"
    vertex: bool = False


def worded(message: ServerMessage, dialect: Dialect) -> ServerMessage:
    """``message`` as ``dialect`` says it: Vertex counts a reply as candidates (reference §3.4)."""
    usage = message.usage_metadata
    if usage is None or not dialect.vertex:
        return message
    counted = replace(
        usage,
        response_token_count=None,
        response_tokens_details=None,
        candidates_token_count=usage.response_token_count,
        candidates_tokens_details=usage.response_tokens_details,
    )
    return replace(message, usage_metadata=counted)
