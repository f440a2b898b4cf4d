"""The message that tells a client what its user said. Pure."""

from live_cli.protocol.messages import Transcription


def transcription_of(
    text: str, start_s: float, end_s: float, *, final: bool, first: bool
) -> Transcription:
    """Return the input transcription of a segment at ``start_s`` to ``end_s`` of the audio.

    Clients append the transcriptions of a turn: all but the ``first`` begin with a space. ``final``
    marks the end of what was said, on Vertex AI and by transcription models. On the Gemini API no
    frame of a conversation was seen with the mark, and Google's own pages take a frame that has it
    for one without words (reference §9).
    """
    return Transcription(
        text=text if first else f" {text}",
        finished=final or None,
        start_offset=f"{start_s:.3f}s",
        end_offset=f"{end_s:.3f}s",
    )
