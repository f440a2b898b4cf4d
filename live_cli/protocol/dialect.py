"""The Live API's two dialects, Gemini's and Vertex's, and messages in the wording of each. Pure."""

from dataclasses import dataclass

from msgspec.structs import replace

from live_cli.protocol.messages import ServerMessage


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect and API version of a client, known from the path of its request.

    Some fields exist in some versions only. ``vertex``: models are named
    ``publishers/google/models/…`` and defaults differ (reference §2).
    """

    api_version: str = "v1beta"
    vertex: bool = False


def in_dialect(message: ServerMessage, dialect: Dialect) -> ServerMessage:
    """Return ``message`` worded for ``dialect``: Vertex counts candidates (reference §3.4)."""
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
