"""Messages that report: what was heard, and what a turn cost. Pure."""

from live_cli.engine.conversation.history import TokenCount
from live_cli.protocol.messages import ModalityTokenCount, Transcription, UsageMetadata


def transcription_of(
    text: str, start_s: float, end_s: float, *, final: bool, first: bool
) -> Transcription:
    """What was heard, with where it lies in the session's audio.

    Clients append what they get: all but the ``first`` begin with the space that parts them.
    """
    return Transcription(
        text=text if first else f" {text}",
        finished=final or None,
        start_offset=f"{start_s:.3f}s",
        end_offset=f"{end_s:.3f}s",
    )


def usage_of(
    prompt: TokenCount, replied: int, thoughts: int, modality: str, results: int = 0
) -> UsageMetadata:
    """Billed tokens of one turn: the whole context as its prompt, and the reply's modality.

    ``results``: of the function calls in it, which are not in the prompt.
    """
    counts = (
        ("TEXT", prompt.text),
        ("AUDIO", prompt.audio),
        ("IMAGE", prompt.image),
        ("VIDEO", prompt.video),
    )
    return UsageMetadata(
        prompt_token_count=prompt.total,
        response_token_count=replied,
        thoughts_token_count=thoughts or None,
        tool_use_prompt_token_count=results or None,
        total_token_count=prompt.total + replied + thoughts + results,
        prompt_tokens_details=[
            ModalityTokenCount(modality=name, token_count=count) for name, count in counts if count
        ],
        response_tokens_details=[ModalityTokenCount(modality=modality, token_count=replied)],
        tool_use_prompt_tokens_details=(
            [ModalityTokenCount(modality="TEXT", token_count=results)] if results else None
        ),
    )
