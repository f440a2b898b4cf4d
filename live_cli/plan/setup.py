"""Settings and a model in, the Setup message out: which option becomes which field of the wire."""

from typing import TypeVar

from live_cli.catalog import Model, language_name
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
    TranslationConfig,
    VoiceConfig,
)
from live_cli.settings.schema import SessionSettings, Settings, VoiceActivitySettings

_T = TypeVar("_T")


def build_setup(
    settings: Settings, model: Model, verb: str, modality: str, *, history: bool
) -> Setup:
    """The first message of a session; ``modality``: AUDIO or TEXT; ``history``: turns come first.

    What the model does not support has been refused before.
    """
    options = settings.session
    if verb == "transcribe":
        return _transcription_setup(options, model)
    hears, speaks = verb == "talk", modality == "AUDIO"
    flag = options.proactive and model.proactive != "always"
    initial = history and model.client_content == "initial"
    return Setup(
        model=f"models/{model.id}",
        generation_config=_generation(options, model, modality),
        system_instruction=_system(options, model, modality),
        realtime_input_config=_realtime_input(settings.vad) if hears else None,
        input_audio_transcription=_present(
            AudioTranscriptionConfig(), hears and options.input_transcript
        ),
        output_audio_transcription=_present(
            AudioTranscriptionConfig(), speaks and options.output_transcript
        ),
        session_resumption=_present(SessionResumptionConfig(), options.resume),
        context_window_compression=_present(
            ContextWindowCompressionConfig(sliding_window=SlidingWindow()), options.compress
        ),
        proactivity=_present(ProactivityConfig(proactive_audio=True), flag),
        history_config=_present(HistoryConfig(initial_history_in_client_content=True), initial),
    )


def _transcription_setup(options: SessionSettings, model: Model) -> Setup:
    """The command marks where speech starts and ends: one file is one activity after another."""
    languages = [options.language] if options.language else None
    return Setup(
        model=f"models/{model.id}",
        generation_config=GenerationConfig(response_modalities=["TEXT"]),
        realtime_input_config=RealtimeInputConfig(
            automatic_activity_detection=AutomaticActivityDetection(disabled=True)
        ),
        input_audio_transcription=AudioTranscriptionConfig(language_codes=languages),
    )


def _present(config: _T, wanted: bool) -> _T | None:
    return config if wanted else None


def _generation(options: SessionSettings, model: Model, modality: str) -> GenerationConfig:
    resolution = options.media_resolution
    translates = model.language == "target"
    return GenerationConfig(
        response_modalities=[modality],
        speech_config=_speech(options, model) if modality == "AUDIO" else None,
        media_resolution=f"MEDIA_RESOLUTION_{resolution.upper()}" if resolution else None,
        thinking_config=_thinking(options, model),
        enable_affective_dialog=True if options.affective else None,
        translation_config=TranslationConfig(target_language_code=options.language)
        if translates
        else None,
    )


def _speech(options: SessionSettings, model: Model) -> SpeechConfig | None:
    voice = None
    if options.voice:
        prebuilt = PrebuiltVoiceConfig(voice_name=options.voice)
        voice = VoiceConfig(prebuilt_voice_config=prebuilt)
    code = options.language if model.language == "code" else None
    return SpeechConfig(voice_config=voice, language_code=code) if voice or code else None


def _thinking(options: SessionSettings, model: Model) -> ThinkingConfig | None:
    level = options.thinking_level or model.default_thinking_level
    if level is None and options.thinking_budget is None and not options.show_thoughts:
        return None
    return ThinkingConfig(
        include_thoughts=True if options.show_thoughts else None,
        thinking_budget=options.thinking_budget,
        thinking_level=level,
    )


def _system(options: SessionSettings, model: Model, modality: str) -> Content | None:
    """The instruction, one part a paragraph; the language too, where no field carries it."""
    texts = [options.system] if options.system else []
    by_code = model.language == "code" and modality == "AUDIO"
    if options.language and not by_code and model.language != "target":
        name = language_name(options.language)
        texts.append(f"Answer in {name} ({options.language}) only, whatever language you hear.")
    return Content(parts=[Part(text=text) for text in texts]) if texts else None


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
