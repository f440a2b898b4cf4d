"""The Live API's two dialects, Gemini's and Vertex's, and messages in the wording of each. Pure."""

from dataclasses import dataclass

from msgspec.structs import replace

from live_cli.protocol.messages import Content, Part, ServerMessage, UsageMetadata


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect and API version of a client, known from the path of its request.

    Some fields exist in some versions only. ``vertex``: models are named
    ``publishers/google/models/…`` and defaults differ (reference §2).
    """

    api_version: str = "v1beta"
    vertex: bool = False


def in_dialect(message: ServerMessage, dialect: Dialect) -> ServerMessage:
    """Return ``message``, which is worded for the Gemini API, as ``dialect`` words it.

    Vertex AI counts candidates, says whose a modelTurn is, and names no rate of its sound
    (reference §3.4 and §9).
    """
    if not dialect.vertex:
        return message
    if message.usage_metadata is not None:
        message = replace(message, usage_metadata=_candidates(message.usage_metadata))
    content = message.server_content
    if content is not None and content.model_turn is not None:
        turn = _vertex_turn(content.model_turn)
        message = replace(message, server_content=replace(content, model_turn=turn))
    return message


def _vertex_turn(turn: Content) -> Content:
    parts = None if turn.parts is None else [_without_rate(part) for part in turn.parts]
    return Content(role="model", parts=parts)


def _without_rate(part: Part) -> Part:
    blob = part.inline_data
    if blob is None or blob.mime_type is None:
        return part
    kind = blob.mime_type.partition(";")[0]
    return replace(part, inline_data=replace(blob, mime_type=kind))


def _candidates(usage: UsageMetadata) -> UsageMetadata:
    return replace(
        usage,
        response_token_count=None,
        response_tokens_details=None,
        candidates_token_count=usage.response_token_count,
        candidates_tokens_details=usage.response_tokens_details,
    )
