"""The Setup message: which setting becomes which field, given what the model supports."""

from typing import TypeVar

from live_cli.catalog import AUTO_LANGUAGE, Model, language_name
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Content,
    ContextWindowCompressionConfig,
    GenerationConfig,
    HistoryConfig,
    Part,
    PrebuiltVoiceConfig,
    ProactivityConfig,
    RealtimeInputConfig,
    SessionResumptionConfig,
    Setup,
    SlidingWindow,
    SpeechConfig,
    ThinkingConfig,
    Tool,
    TranslationConfig,
    VoiceConfig,
)
from live_cli.settings.schema import SessionSettings, Settings, VoiceActivitySettings

_T = TypeVar("_T")


def build_setup(
    settings: Settings,
    model: Model,
    verb: str,
    modality: str,
    *,
    history: bool,
    word_times: bool = False,
) -> Setup:
    """Return a session's first message. ``modality``: AUDIO or TEXT; ``history``: turns come next.

    What the model does not support has been refused before.
    """
    session = settings.session
    if verb == "transcribe":
        return _transcription_setup(session, model, word_times=word_times)
    audio_in, audio_out = verb == "talk", modality == "AUDIO"
    flag = session.proactive and model.proactive != "always"
    initial = history and model.client_content == "initial"
    return Setup(
        model=f"models/{model.id}",
        generation_config=_generation(session, model, modality),
        system_instruction=_system(session, model, modality),
        tools=_built_in_tools(settings) or None,
        realtime_input_config=_realtime_input(settings.vad) if audio_in else None,
        input_audio_transcription=_present(
            AudioTranscriptionConfig(), audio_in and session.input_transcript
        ),
        output_audio_transcription=_present(
            AudioTranscriptionConfig(), audio_out and session.output_transcript
        ),
        session_resumption=_present(SessionResumptionConfig(), session.resume),
        context_window_compression=_present(
            ContextWindowCompressionConfig(sliding_window=SlidingWindow()), session.compress
        ),
        proactivity=_present(ProactivityConfig(proactive_audio=True), flag),
        history_config=_present(HistoryConfig(initial_history_in_client_content=True), initial),
    )


def _transcription_setup(session: SessionSettings, model: Model, *, word_times: bool) -> Setup:
    """Return a transcription's Setup: the client marks where speech starts and ends in a file."""
    languages = [session.language] if session.language else None
    return Setup(
        model=f"models/{model.id}",
        generation_config=GenerationConfig(response_modalities=["TEXT"]),
        realtime_input_config=RealtimeInputConfig(
            automatic_activity_detection=AutomaticActivityDetection(disabled=True)
        ),
        input_audio_transcription=AudioTranscriptionConfig(
            language_codes=languages,
            word_timestamp=_present(True, word_times and model.transcribes_only),
        ),
    )


def _present(config: _T, wanted: bool) -> _T | None:
    return config if wanted else None


def _generation(session: SessionSettings, model: Model, modality: str) -> GenerationConfig:
    resolution = session.media_resolution
    translates = model.language == "target"
    return GenerationConfig(
        response_modalities=[modality],
        speech_config=_speech(session, model) if modality == "AUDIO" else None,
        media_resolution=f"MEDIA_RESOLUTION_{resolution.upper()}" if resolution else None,
        thinking_config=_thinking(session, model),
        enable_affective_dialog=True if session.affective else None,
        translation_config=TranslationConfig(target_language_code=session.language)
        if translates
        else None,
    )


def _speech(session: SessionSettings, model: Model) -> SpeechConfig | None:
    voice = None
    if session.voice:
        prebuilt = PrebuiltVoiceConfig(voice_name=session.voice)
        voice = VoiceConfig(prebuilt_voice_config=prebuilt)
    code = session.language if model.language == "code" else None
    return SpeechConfig(voice_config=voice, language_code=code) if voice or code else None


def _thinking(session: SessionSettings, model: Model) -> ThinkingConfig | None:
    level = session.thinking_level
    if level is None and session.thinking_budget is None:
        level = model.default_thinking_level
    if level is None and session.thinking_budget is None and not session.show_thoughts:
        return None
    return ThinkingConfig(
        include_thoughts=True if session.show_thoughts else None,
        thinking_budget=session.thinking_budget,
        thinking_level=level,
    )


def _system(session: SessionSettings, model: Model, modality: str) -> Content | None:
    """Return the system instruction, and the language where no other field carries it."""
    texts = [session.system] if session.system else []
    by_code = model.language == "code" and modality == "AUDIO"
    in_words = session.language not in (None, AUTO_LANGUAGE) and model.language != "target"
    if session.language and in_words and not by_code:
        name = language_name(session.language)
        texts.append(f"Answer in {name} ({session.language}) only, whatever language you hear.")
    return Content(parts=[Part(text=text) for text in texts]) if texts else None


_WIRE_TOOLS = {
    "search": Tool(google_search={}),
    "code-execution": Tool(code_execution={}),
    "url-context": Tool(url_context={}),
    "maps": Tool(google_maps={}),
}


def _built_in_tools(settings: Settings) -> list[Tool]:
    """Return the tools that the service runs; functions are known only once they are loaded."""
    return [tool for name, tool in _WIRE_TOOLS.items() if name in settings.tools.tools]


def _realtime_input(vad: VoiceActivitySettings) -> RealtimeInputConfig | None:
    def named(prefix: str, value: str | None) -> str | None:
        return f"{prefix}_{value.upper().replace('-', '_')}" if value else None

    if vad.push_to_talk:
        detection = AutomaticActivityDetection(disabled=True)
    else:
        detection = AutomaticActivityDetection(
            start_of_speech_sensitivity=named("START_SENSITIVITY", vad.start_sensitivity),
            end_of_speech_sensitivity=named("END_SENSITIVITY", vad.end_sensitivity),
            prefix_padding_ms=vad.prefix_padding_ms,
            silence_duration_ms=vad.silence_ms,
        )
    config = RealtimeInputConfig(
        automatic_activity_detection=_present(detection, detection != AutomaticActivityDetection()),
        activity_handling=None if vad.interruption else "NO_INTERRUPTION",
        turn_coverage=named("TURN_INCLUDES", vad.turn_coverage),
    )
    return _present(config, config != RealtimeInputConfig())
