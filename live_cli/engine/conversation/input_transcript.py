"""The message that tells a client what its user said. Pure."""

from collections.abc import Sequence

from live_cli.protocol.messages import TranscribedWord, Transcription


def transcription_of(
    text: str,
    start_s: float,
    end_s: float,
    *,
    final: bool,
    first: bool,
    words: Sequence[tuple[str, float, float]] = (),
    language: str | None = None,
) -> Transcription:
    """Return the input transcription of a segment at ``start_s`` to ``end_s`` of the audio.

    Clients append the transcriptions of a turn: all but the ``first`` begin with a space. ``final``
    marks the end of what was said, on Vertex AI and by transcription models. On the Gemini API no
    frame of a conversation was seen with the mark, and Google's own pages take a frame that has it
    for one without words (reference §9). ``words``: each with its start and end, in seconds of the
    audio.
    """
    return Transcription(
        text=text if first else f" {text}",
        finished=final or None,
        language_code=language,
        words=[TranscribedWord(word, _offset(start), _offset(end)) for word, start, end in words]
        or None,
        start_offset=_offset(start_s),
        end_offset=_offset(end_s),
    )


def _offset(seconds: float) -> str:
    return f"{seconds:.3f}s"
