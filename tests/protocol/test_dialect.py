"""Messages in the dialect of Vertex, which words token counts and turns differently."""

from live_cli.protocol.dialect import Dialect, in_dialect
from live_cli.protocol.messages import (
    Blob,
    Content,
    ModalityTokenCount,
    Part,
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


def test_vertex_says_whose_turn_it_is_and_names_no_rate() -> None:
    sound = Blob(data=b"\1\2", mime_type="audio/pcm;rate=24000")
    parts = [Part(text="x"), Part(inline_data=sound)]
    content = ServerContent(model_turn=Content(parts=parts), interrupted=True)
    message = ServerMessage(server_content=content)
    assert in_dialect(message, Dialect()) is message
    turn = Content(
        role="model",
        parts=[Part(text="x"), Part(inline_data=Blob(data=b"\1\2", mime_type="audio/pcm"))],
    )
    assert in_dialect(message, VERTEX) == ServerMessage(
        server_content=ServerContent(model_turn=turn, interrupted=True)
    )


def test_what_counts_nothing_is_the_same_in_both() -> None:
    message = ServerMessage(server_content=ServerContent(turn_complete=True))
    assert in_dialect(message, VERTEX) is message
