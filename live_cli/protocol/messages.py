"""Every message of the Live API, both ways: the vocabulary that all packages share.

Field names here are the wire's names in snake_case; `wire.py` alone knows how they look on the
wire. ``None`` means absent. Enum-like fields are plain strings in upper case (`__post_init__`
lifts "low" to "LOW"), so that a value we do not know survives. Values under ``args``,
``response`` and JSON schemas are the user's: kept as plain dicts, never renamed.

Source of fields and meanings: the Live API reference (BidiGenerateContent), as of 2026-10.
"""

import math
from typing import Annotated, Any

import msgspec
from msgspec.structs import force_setattr

JsonObject = dict[str, Any]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""The wire's integers, which travel as numbers or as strings; larger ones are refused."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Root of all messages and their parts; tests find the subclasses by reflection."""


def _upper(message: Message, *fields: str) -> None:
    for field in fields:
        value = getattr(message, field)
        if isinstance(value, str):
            force_setattr(message, field, value.upper())


# --- content -----------------------------------------------------------------------------------


class TranscribedWord(Message, frozen=True):
    word: str | None = None
    start_offset: str | None = None
    end_offset: str | None = None


class Transcription(Message, frozen=True):
    """Offsets are proto durations, such as ``"1.25s"``, from the start of the session's audio."""

    text: str | None = None
    finished: bool | None = None
    language_code: str | None = None
    speaker_label: str | None = None
    words: list[TranscribedWord] | None = None
    start_offset: str | None = None
    end_offset: str | None = None


class Blob(Message, frozen=True):
    """Bytes with a MIME type, such as ``audio/pcm;rate=16000`` or ``image/jpeg``."""

    data: bytes = b""
    mime_type: str | None = None
    display_name: str | None = None


class FileData(Message, frozen=True):
    file_uri: str | None = None
    mime_type: str | None = None
    display_name: str | None = None


class FunctionCall(Message, frozen=True):
    """One call. ``partial_args`` and ``will_continue``: its arguments come piece by piece."""

    id: str | None = None
    name: str | None = None
    args: JsonObject | None = None
    partial_args: list[JsonObject] | None = None
    will_continue: bool | None = None


class FunctionResponse(Message, frozen=True):
    """The result of one call. ``scheduling`` (NON_BLOCKING): WHEN_IDLE, INTERRUPT or SILENT."""

    id: str | None = None
    name: str | None = None
    response: JsonObject | None = None
    scheduling: str | None = None
    will_continue: bool | None = None
    parts: list[JsonObject] | None = None

    def __post_init__(self) -> None:
        _upper(self, "scheduling")


class ExecutableCode(Message, frozen=True):
    id: str | None = None
    language: str | None = None
    code: str | None = None


class CodeExecutionResult(Message, frozen=True):
    id: str | None = None
    outcome: str | None = None
    output: str | None = None


class Part(Message, frozen=True):
    """One piece of content: one field with data, and beside it fields that tell about the data."""

    text: str | None = None
    thought: bool | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeExecutionResult | None = None
    tool_call: JsonObject | None = None
    tool_response: JsonObject | None = None
    audio_transcription: Transcription | None = None
    thought_signature: bytes | None = None
    part_metadata: JsonObject | None = None
    media_resolution: JsonObject | None = None
    media_processing: str | None = None
    video_metadata: JsonObject | None = None
    audio_metadata: JsonObject | None = None
    speech_metadata: JsonObject | None = None
    document_metadata: JsonObject | None = None
    spreadsheet_metadata: JsonObject | None = None


class Content(Message, frozen=True):
    """One turn of the history: its role, ``user`` or ``model``, and its parts."""

    role: str | None = None
    parts: list[Part] | None = None

    @property
    def text(self) -> str:
        """The text parts that are not thoughts, joined as paragraphs."""
        texts = (part.text for part in self.parts or () if not part.thought)
        return "\n".join(text for text in texts if text)


# --- setup -------------------------------------------------------------------------------------


class PrebuiltVoiceConfig(Message, frozen=True):
    voice_name: str | None = None


class VoiceConfig(Message, frozen=True):
    prebuilt_voice_config: PrebuiltVoiceConfig | None = None
    replicated_voice_config: JsonObject | None = None
    voice: str | None = None


class SpeechConfig(Message, frozen=True):
    voice_config: VoiceConfig | None = None
    language_code: str | None = None
    multi_speaker_voice_config: JsonObject | None = None


class ThinkingConfig(Message, frozen=True):
    """``thinking_budget``: tokens, 0 off, -1 automatic. ``thinking_level``: MINIMAL to XHIGH."""

    include_thoughts: bool | None = None
    thinking_budget: Int64 | None = None
    thinking_level: str | None = None

    def __post_init__(self) -> None:
        _upper(self, "thinking_level")


class TranslationConfig(Message, frozen=True):
    target_language_code: str | None = None
    echo_target_language: bool | None = None


class AudioTranscriptionConfig(Message, frozen=True):
    """The settings of a transcription, which their presence, even empty, turns on."""

    language_codes: list[str] | None = None
    custom_vocabulary: list[str] | None = None
    adaptation_phrases: list[str] | None = None
    mode: str | None = None
    word_timestamp: bool | None = None
    diarization: bool | None = None
    source_text: str | None = None
    language_auto: JsonObject | None = None
    language_hints: JsonObject | None = None

    def __post_init__(self) -> None:
        _upper(self, "mode")


class GenerationConfig(Message, frozen=True):
    response_modalities: list[str] | None = None
    speech_config: SpeechConfig | None = None
    media_resolution: str | None = None
    thinking_config: ThinkingConfig | None = None
    enable_affective_dialog: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: Int64 | None = None
    seed: Int64 | None = None
    candidate_count: Int64 | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    translation_config: TranslationConfig | None = None
    audio_transcription_config: AudioTranscriptionConfig | None = None
    stop_sequences: list[str] | None = None
    response_format: list[JsonObject] | None = None
    response_mime_type: str | None = None
    response_schema: JsonObject | None = None
    response_json_schema: Any = None
    response_logprobs: bool | None = None
    logprobs: Int64 | None = None
    audio_timestamp: bool | None = None
    routing_config: JsonObject | None = None
    model_selection_config: JsonObject | None = None
    enable_enhanced_civic_answers: bool | None = None

    def __post_init__(self) -> None:
        _upper(self, "media_resolution")
        if self.response_modalities is not None:
            upper = [modality.upper() for modality in self.response_modalities]
            force_setattr(self, "response_modalities", upper)
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{field} is not a finite number")


class AutomaticActivityDetection(Message, frozen=True):
    disabled: bool | None = None
    start_of_speech_sensitivity: str | None = None
    end_of_speech_sensitivity: str | None = None
    prefix_padding_ms: Int64 | None = None
    silence_duration_ms: Int64 | None = None

    def __post_init__(self) -> None:
        _upper(self, "start_of_speech_sensitivity", "end_of_speech_sensitivity")


class RealtimeInputConfig(Message, frozen=True):
    automatic_activity_detection: AutomaticActivityDetection | None = None
    activity_handling: str | None = None
    turn_coverage: str | None = None
    interim_transcript_timestamp_enabled: bool | None = None

    def __post_init__(self) -> None:
        _upper(self, "activity_handling", "turn_coverage")


class SessionResumptionConfig(Message, frozen=True):
    """A request for resumption handles; ``handle`` resumes the session that it names."""

    handle: str | None = None
    transparent: bool | None = None


class SlidingWindow(Message, frozen=True):
    target_tokens: Int64 | None = None


class ContextWindowCompressionConfig(Message, frozen=True):
    trigger_tokens: Int64 | None = None
    sliding_window: SlidingWindow | None = None


class ProactivityConfig(Message, frozen=True):
    proactive_audio: bool | None = None
    proactive_video: bool | None = None


class HistoryConfig(Message, frozen=True):
    initial_history_in_client_content: bool | None = None


class FunctionDeclaration(Message, frozen=True):
    name: str | None = None
    description: str | None = None
    parameters: JsonObject | None = None
    parameters_json_schema: JsonObject | None = None
    response: JsonObject | None = None
    response_json_schema: Any = None
    behavior: str | None = None

    def __post_init__(self) -> None:
        _upper(self, "behavior")


class Tool(Message, frozen=True):
    function_declarations: list[FunctionDeclaration] | None = None
    google_search: JsonObject | None = None
    google_search_retrieval: JsonObject | None = None
    code_execution: JsonObject | None = None
    url_context: JsonObject | None = None
    google_maps: JsonObject | None = None
    computer_use: JsonObject | None = None
    file_search: JsonObject | None = None
    mcp_servers: list[JsonObject] | None = None
    retrieval: JsonObject | None = None
    enterprise_web_search: JsonObject | None = None
    parallel_ai_search: JsonObject | None = None
    exa_ai_search: JsonObject | None = None


class Setup(Message, frozen=True):
    """The first message of a session, and the only one of its kind."""

    model: str = ""
    generation_config: GenerationConfig | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    realtime_input_config: RealtimeInputConfig | None = None
    input_audio_transcription: AudioTranscriptionConfig | None = None
    output_audio_transcription: AudioTranscriptionConfig | None = None
    session_resumption: SessionResumptionConfig | None = None
    context_window_compression: ContextWindowCompressionConfig | None = None
    proactivity: ProactivityConfig | None = None
    history_config: HistoryConfig | None = None
    explicit_vad_signal: bool | None = None
    avatar_config: JsonObject | None = None
    safety_settings: list[JsonObject] | None = None
    labels: JsonObject | None = None
    prefix_turns: JsonObject | None = None


# --- client to server --------------------------------------------------------------------------


class ClientContent(Message, frozen=True):
    """Turns appended to the history; ``turn_complete`` starts the model."""

    turns: list[Content] | None = None
    turn_complete: bool = False


class ActivityStart(Message, frozen=True):
    pass


class ActivityEnd(Message, frozen=True):
    pass


class RealtimeInput(Message, frozen=True):
    audio: Blob | None = None
    video: Blob | None = None
    text: str | None = None
    audio_stream_end: bool | None = None
    activity_start: ActivityStart | None = None
    activity_end: ActivityEnd | None = None
    media_chunks: list[Blob] | None = None


class ToolResponse(Message, frozen=True):
    function_responses: list[FunctionResponse] | None = None


class ToolList(Message, frozen=True):
    """The wrapper of `contextUpdate.tools`: present and empty clears all tools."""

    tools: list[Tool] | None = None


class ContextUpdate(Message, frozen=True):
    system_instruction: Content | None = None
    tools: ToolList | None = None


class ClientMessage(Message, frozen=True):
    """The envelope to the server; exactly one field is set."""

    setup: Setup | None = None
    client_content: ClientContent | None = None
    realtime_input: RealtimeInput | None = None
    tool_response: ToolResponse | None = None
    context_update: ContextUpdate | None = None


# --- server to client --------------------------------------------------------------------------


class SetupComplete(Message, frozen=True):
    session_id: str | None = None
    voice_consent_signature: JsonObject | None = None


class ServerContent(Message, frozen=True):
    model_turn: Content | None = None
    input_transcription: Transcription | None = None
    interim_input_transcription: Transcription | None = None
    output_transcription: Transcription | None = None
    interrupted: bool | None = None
    generation_complete: bool | None = None
    turn_complete: bool | None = None
    turn_complete_reason: str | None = None
    interaction_status: str | None = None
    waiting_for_input: bool | None = None
    speech_state: str | None = None
    grounding_metadata: JsonObject | None = None
    url_context_metadata: JsonObject | None = None


class ToolCall(Message, frozen=True):
    function_calls: list[FunctionCall] | None = None


class ToolCallCancellation(Message, frozen=True):
    ids: list[str] | None = None


class GoAway(Message, frozen=True):
    """``time_left`` is a proto duration, such as ``"50s"`` or ``"9.5s"``."""

    time_left: str | None = None


class SessionResumptionUpdate(Message, frozen=True):
    new_handle: str | None = None
    resumable: bool | None = None
    last_consumed_client_message_index: Int64 | None = None


class VoiceActivity(Message, frozen=True):
    type: str | None = None
    audio_offset: str | None = None


class VoiceActivityDetectionSignal(Message, frozen=True):
    vad_signal_type: str | None = None


class ModalityTokenCount(Message, frozen=True):
    modality: str | None = None
    token_count: Int64 | None = None


class UsageMetadata(Message, frozen=True):
    """Token counts of one turn, with the whole context as its prompt; the total is no sure sum."""

    prompt_token_count: Int64 | None = None
    cached_content_token_count: Int64 | None = None
    response_token_count: Int64 | None = None
    tool_use_prompt_token_count: Int64 | None = None
    thoughts_token_count: Int64 | None = None
    total_token_count: Int64 | None = None
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    cache_tokens_details: list[ModalityTokenCount] | None = None
    response_tokens_details: list[ModalityTokenCount] | None = None
    tool_use_prompt_tokens_details: list[ModalityTokenCount] | None = None
    candidates_token_count: Int64 | None = None
    candidates_tokens_details: list[ModalityTokenCount] | None = None
    traffic_type: str | None = None
    service_tier: str | None = None


class ServerMessage(Message, frozen=True):
    """The envelope to the client: usage beside at most one of the others."""

    setup_complete: SetupComplete | None = None
    server_content: ServerContent | None = None
    tool_call: ToolCall | None = None
    tool_call_cancellation: ToolCallCancellation | None = None
    go_away: GoAway | None = None
    session_resumption_update: SessionResumptionUpdate | None = None
    voice_activity: VoiceActivity | None = None
    voice_activity_detection_signal: VoiceActivityDetectionSignal | None = None
    usage_metadata: UsageMetadata | None = None
    interaction_status: str | None = None


# --- over REST ---------------------------------------------------------------------------------


class CountedPrompt(Message, frozen=True):
    """A prompt whose tokens are asked for."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None


class CountTokensRequest(CountedPrompt, frozen=True):
    """A request to count tokens: of its own contents, or of those of a whole request."""

    generate_content_request: CountedPrompt | None = None


class AuthToken(Message, frozen=True):
    """A request for an ephemeral token. Times are RFC 3339; ``uses`` 0 is no limit.

    ``field_mask``: comma-joined paths of the setup's fields that the token decides.
    """

    name: str | None = None
    uses: Int64 | None = None
    expire_time: str | None = None
    new_session_expire_time: str | None = None
    bidi_generate_content_setup: Setup | None = None
    field_mask: str | None = None
