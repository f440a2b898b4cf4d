"""Messages in the dialect of Vertex, which names token counts differently."""

from live_cli.protocol.dialect import Dialect, in_dialect
from live_cli.protocol.messages import (
    ModalityTokenCount,
    ServerContent,
    ServerMessage,
    UsageMetadata,
)

VERTEX = Dialect("v1beta1", vertex=True)


def test_vertex_counts_a_reply_as_candidates() -> None:
    reply = [ModalityTokenCount(modality="AUDIO", token_count=7)]
    usage = UsageMetadata(
        prompt_token_count=3, response_token_count=7, response_tokens_details=reply
    )
    message = ServerMessage(server_content=ServerContent(turn_complete=True), usage_metadata=usage)
    assert in_dialect(message, Dialect()) is message
    assert in_dialect(message, VERTEX) == ServerMessage(
        server_content=ServerContent(turn_complete=True),
        usage_metadata=UsageMetadata(
            prompt_token_count=3, candidates_token_count=7, candidates_tokens_details=reply
        ),
    )


def test_what_counts_nothing_is_the_same_in_both() -> None:
    message = ServerMessage(server_content=ServerContent(turn_complete=True))
    assert in_dialect(message, VERTEX) is message
