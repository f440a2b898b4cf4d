"""The events that a client's session makes of server messages: the parts that need no state.

`session.py` says when the events happen and to which turn they belong.
"""

from collections.abc import Iterable, Iterator

from live_cli.protocol.events import (
    AnswerGrounded,
    AudioChunk,
    CodeRan,
    CodeWritten,
    Event,
    GoingAway,
    HeardWord,
    InputTranscript,
    OutputTranscript,
    PagesRead,
    ResumptionUpdated,
    TextChunk,
    Thought,
    ToolCallCancelled,
    VoiceActivityChanged,
)
from live_cli.protocol.grounding import citations_of, pages_of, queries_of, sources_of
from live_cli.protocol.messages import (
    Content,
    Part,
    ServerContent,
    ServerMessage,
    SessionResumptionUpdate,
    TranscribedWord,
    Transcription,
    UsageMetadata,
)
from live_cli.protocol.wire import parse_duration, sample_rate_of
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

_USUAL_TYPE = f"audio/pcm;rate={OUTPUT_SAMPLE_RATE}"


def notices(message: ServerMessage) -> list[Event]:
    """Return the events that belong to no turn. Offsets and times are in seconds."""
    events: list[Event] = []
    if (activity := message.voice_activity) is not None:
        started = activity.type == "ACTIVITY_START"
        events.append(VoiceActivityChanged(started, parse_duration(activity.audio_offset)))
    if (signal := message.voice_activity_detection_signal) is not None:
        events.append(VoiceActivityChanged(signal.vad_signal_type == "VAD_SIGNAL_TYPE_SOS"))
    if (cancelled := message.tool_call_cancellation) is not None:
        events.append(ToolCallCancelled(cancelled.ids or []))
    if (update := message.session_resumption_update) is not None:
        events.append(ResumptionUpdated(resumable_handle(update)))
    if message.go_away is not None:
        events.append(GoingAway(parse_duration(message.go_away.time_left)))
    return events


def resumable_handle(update: SessionResumptionUpdate) -> str | None:
    """Return the new handle; None for ``{}``: "not now, keep the previous one" (reference §3.5)."""
    return (update.new_handle or None) if update.resumable else None


def input_transcripts(content: ServerContent) -> list[Event]:
    events: list[Event] = []
    if (final := content.input_transcription) is not None:
        events.extend(_input_transcript(final, interim=False))
    if (preview := content.interim_input_transcription) is not None:
        events.extend(_input_transcript(preview, interim=True))
    return events


def _input_transcript(given: Transcription, *, interim: bool) -> list[Event]:
    if not given.text and not given.finished:
        return []
    return [
        InputTranscript(
            text=given.text or "",
            finished=bool(given.finished),
            interim=interim,
            start_s=parse_duration(given.start_offset),
            end_s=parse_duration(given.end_offset),
            words=tuple(_heard_words(given.words or ())),
            language=given.language_code,
        )
    ]


def _heard_words(given: Iterable[TranscribedWord]) -> Iterator[HeardWord]:
    """Yield the words that have both their times."""
    for word in given:
        start_s, end_s = parse_duration(word.start_offset), parse_duration(word.end_offset)
        if word.word and word.word.strip() and start_s is not None and end_s is not None:
            yield HeardWord(word.word.strip(), start_s, end_s)


def output_transcripts(given: Transcription, turn: int) -> list[Event]:
    if not given.text and not given.finished:
        return []
    return [OutputTranscript(turn, given.text or "", bool(given.finished))]


def part_events(content: Content, turn: int) -> list[Event]:
    """Return sound, text, thoughts and code of one modelTurn; other parts have no event."""
    events: list[Event] = []
    for part in content.parts or ():
        if (blob := part.inline_data) is not None:
            mime_type = blob.mime_type or "audio/pcm"
            whole = blob.data if len(blob.data) % 2 == 0 else blob.data[:-1]
            if whole and mime_type.startswith("audio/"):
                rate = _model_rate(mime_type)
                events.append(AudioChunk(turn, whole, rate))
        elif part.text:
            events.append(_text_event(part, part.text, turn))
        if (code := part.executable_code) is not None:
            events.append(CodeWritten(turn, code.code or "", code.language, code.id))
        if (ran := part.code_execution_result) is not None:
            events.append(CodeRan(turn, ran.output or "", ran.outcome, ran.id))
    return events


def grounding_events(content: ServerContent, turn: int) -> list[Event]:
    """Return what is told about the sources of an answer."""
    events: list[Event] = []
    if (given := content.grounding_metadata) is not None:
        facts = sources_of(given), citations_of(given), queries_of(given)
        events.append(AnswerGrounded(turn, *facts, given))
    if (read := content.url_context_metadata) is not None:
        events.append(PagesRead(turn, pages_of(read), read))
    return events


def _model_rate(mime_type: str) -> int:
    if mime_type == _USUAL_TYPE:  # nearly always: spare 50 searches a second
        return OUTPUT_SAMPLE_RATE
    return sample_rate_of(mime_type, default=OUTPUT_SAMPLE_RATE)


def _text_event(part: Part, text: str, turn: int) -> Event:
    return Thought(turn, text) if part.thought else TextChunk(turn, text)


def in_response_names(usage: UsageMetadata) -> UsageMetadata:
    """Return ``usage`` with Vertex's ``candidates*`` under Gemini's ``response*`` names."""
    if usage.candidates_token_count is None and usage.candidates_tokens_details is None:
        return usage
    count = usage.response_token_count
    details = usage.response_tokens_details
    names = {name: getattr(usage, name) for name in usage.__struct_fields__}
    names["response_token_count"] = usage.candidates_token_count if count is None else count
    names["response_tokens_details"] = (
        usage.candidates_tokens_details if details is None else details
    )
    names["candidates_token_count"] = names["candidates_tokens_details"] = None
    return UsageMetadata(**names)
