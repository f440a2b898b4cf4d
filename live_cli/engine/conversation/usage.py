"""The usageMetadata of a turn: what it cost, by modality. Pure."""

from live_cli.engine.conversation.history.tokens import TokenCount
from live_cli.protocol.messages import ModalityTokenCount, UsageMetadata


def usage_of(
    prompt: TokenCount, replied: int, thoughts: int, modality: str, results: int = 0
) -> UsageMetadata:
    """Return the billed tokens of one turn, for which the whole context is the prompt.

    ``replied``: tokens of the reply, all of ``modality``. ``thoughts``: tokens of its thoughts.
    ``results``: tokens of function results that came during the turn, not counted in ``prompt``.
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
