"""Every option of a setup: honoured, or refused by a close code and a sentence."""

import pytest

from live_cli.engine.languages import LocalLanguages
from live_cli.engine.setup.config import session_config_of, spoken_style
from live_cli.engine.setup.voices import VOICE_TRAITS, traits_of
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Content,
    ContextWindowCompressionConfig,
    FunctionDeclaration,
    GenerationConfig,
    Part,
    PrebuiltVoiceConfig,
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

HALF_CASCADE = "models/gemini-live-2.5-flash-preview"
TRANSCRIBER = "models/gemini-3.5-transcribe-live"


def setup(model="models/local", **fields):
    return Setup(model=model, **fields)


def generation(**fields):
    return setup(generation_config=GenerationConfig(**fields))


def voiced(name):
    voice = VoiceConfig(prebuilt_voice_config=PrebuiltVoiceConfig(voice_name=name))
    return generation(speech_config=SpeechConfig(voice_config=voice))


def detection(**fields):
    config = AutomaticActivityDetection(**fields)
    return setup(realtime_input_config=RealtimeInputConfig(automatic_activity_detection=config))


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (generation(response_modalities=["TEXT", "AUDIO"]), 1007, r"\(TEXT, AUDIO\)"),
        (generation(response_modalities=["VIDEO"]), 1007, "VIDEO"),
        (
            setup(TRANSCRIBER, tools=[Tool(function_declarations=[FunctionDeclaration(name="f")])]),
            1007,
            "functions",
        ),
        (
            generation(translation_config=TranslationConfig(target_language_code="pl")),
            1007,
            "translate",
        ),
        (voiced("Koree"), 1007, "Did you mean Kore"),
        (voiced("korre"), 1007, "Did you mean Kore"),
        (generation(speech_config=SpeechConfig(language_code="xx")), 1007, "code 'xx'"),
        (
            setup(input_audio_transcription=AudioTranscriptionConfig(diarization=True)),
            1007,
            "speakers",
        ),
        (generation(candidate_count=2), 1007, "one candidate"),
        (generation(thinking_config=ThinkingConfig(thinking_level="huge")), 1007, "HUGE"),
        (generation(temperature=-0.1), 1007, "temperature must lie between 0 and 2, not -0.1"),
        (generation(top_p=1.5), 1007, "topP"),
        (generation(top_k=-1.0), 1007, "topK"),
        (generation(max_output_tokens=0), 1007, "maxOutputTokens must lie between 1"),
        (generation(presence_penalty=3.0), 1007, "presencePenalty"),
        (generation(frequency_penalty=-3.0), 1007, "frequencyPenalty"),
        (generation(thinking_config=ThinkingConfig(thinking_budget=-2)), 1007, "thinkingBudget"),
        (
            setup(realtime_input_config=RealtimeInputConfig(activity_handling="INTERRUPT")),
            1007,
            "Activity handling 'INTERRUPT' is not known",
        ),
        (detection(silence_duration_ms=-1), 1007, "silenceDurationMs"),
        (detection(start_of_speech_sensitivity="MAYBE"), 1007, "MAYBE"),
        (
            setup(session_resumption=SessionResumptionConfig(transparent=True)),
            1007,
            "transparent",
        ),
        (
            Setup(
                model=TRANSCRIBER,
                generation_config=GenerationConfig(response_modalities=["AUDIO"]),
            ),
            1007,
            "AUDIO",
        ),
    ],
)
def test_refused(asked, code, words):
    with pytest.raises(UnsupportedError, match=words) as refused:
        session_config_of(asked)
    assert refused.value.close_code == code
    assert len(refused.value.reason.encode()) <= 123


@pytest.mark.parametrize(
    "model",
    [
        "local",
        "models/local",
        "models/gemini-3.8-live",
        "models/gemini-2.5-flash-native-audio-preview-12-2025",
        "publishers/google/models/gemini-live-2.5-flash-native-audio",
    ],
)
def test_accepted_models_answer_by_voice(model):
    config = session_config_of(setup(model))
    assert config.speaks
    assert not config.transcribes_only


def test_the_instruction_stands_after_the_spoken_style_and_alone_in_text():
    own = Content(parts=[Part(text="Be a pirate.")])
    assert (
        session_config_of(setup(system_instruction=own)).system
        == f"{spoken_style(None)}\nBe a pirate."
    )
    text = GenerationConfig(response_modalities=["TEXT"])
    written = setup(system_instruction=own, generation_config=text)
    assert session_config_of(written).system == "Be a pirate."


@pytest.mark.parametrize(
    ("handling", "interrupts"),
    [
        (None, True),
        ("ACTIVITY_HANDLING_UNSPECIFIED", True),
        ("START_OF_ACTIVITY_INTERRUPTS", True),
        ("NO_INTERRUPTION", False),
    ],
)
def test_activity_handling(handling, interrupts):
    config = RealtimeInputConfig(activity_handling=handling)
    assert session_config_of(setup(realtime_input_config=config)).interrupts is interrupts


def test_sampling_is_passed_through():
    sampling = session_config_of(
        generation(
            temperature=0.7, top_p=0.9, top_k=40.0, max_output_tokens=512, seed=7,
            presence_penalty=0.1, frequency_penalty=0.2,
        )
    ).sampling  # fmt: skip
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.7, 0.9, 40)
    assert (sampling.max_tokens, sampling.seed) == (512, 7)
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (0.1, 0.2)


@pytest.mark.parametrize(
    ("modality", "thinking", "budget"),
    [
        ("AUDIO", {}, 0),
        ("TEXT", {}, None),
        ("AUDIO", {"include_thoughts": True}, None),
        ("AUDIO", {"thinking_budget": -1}, None),
        ("TEXT", {"thinking_budget": 0}, 0),
        ("AUDIO", {"thinking_budget": 99}, 99),
        ("TEXT", {"thinking_level": "minimal"}, 0),
        ("TEXT", {"thinking_level": "high"}, None),
    ],
)
def test_thinking(modality, thinking, budget):
    config = ThinkingConfig(**thinking)
    asked = generation(response_modalities=[modality], thinking_config=config)
    assert session_config_of(asked).sampling.thinking_budget == budget


def test_detection_settings():
    rules = session_config_of(
        detection(
            start_of_speech_sensitivity="START_SENSITIVITY_LOW",
            end_of_speech_sensitivity="END_SENSITIVITY_LOW",
            prefix_padding_ms=20,
            silence_duration_ms=100,
        )
    ).endpointing
    default = session_config_of(setup()).endpointing
    assert rules.start_threshold > default.start_threshold
    assert rules.end_threshold < default.end_threshold
    assert (rules.prefix_padding_ms, rules.silence_ms) == (20, 100)
    assert default.silence_ms == 500


def test_compression_resumption_and_activity():
    config = session_config_of(
        setup(
            context_window_compression=ContextWindowCompressionConfig(
                trigger_tokens=9, sliding_window=SlidingWindow(target_tokens=4)
            ),
            session_resumption=SessionResumptionConfig(handle="h"),
            realtime_input_config=RealtimeInputConfig(
                activity_handling="NO_INTERRUPTION", turn_coverage="TURN_INCLUDES_ALL_INPUT"
            ),
        )
    )
    assert (config.trigger_tokens, config.target_tokens) == (9, 4)
    assert config.resumable
    assert config.handle == "h"
    assert not config.interrupts
    assert config.all_input


def test_a_transcription_model_writes():
    config = session_config_of(setup(TRANSCRIBER))
    assert config.transcribes_only
    assert config.input_transcripts
    assert not config.speaks


def test_an_avatar_is_ignored_and_not_refused():
    """An avatar only adds to what is spoken (reference §2.1); the modality VIDEO is refused."""
    assert session_config_of(setup(avatar_config={"x": 1})) == session_config_of(setup())


GERMAN = SpeechConfig(language_code="de-DE")
HEARS = RealtimeInputConfig()


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (
            setup(
                generation_config=GenerationConfig(speech_config=GERMAN),
                realtime_input_config=HEARS,
            ),
            "German",
        ),
        (
            setup(input_audio_transcription=AudioTranscriptionConfig(language_codes=["fr"])),
            "French",
        ),
        (
            setup(input_audio_transcription=AudioTranscriptionConfig(language_codes=["en", "fr"])),
            "any language",
        ),
        (
            setup(
                TRANSCRIBER,
                input_audio_transcription=AudioTranscriptionConfig(language_codes=["zu"]),
            ),
            "Zulu",
        ),
    ],
)
def test_a_language_that_nothing_here_hears_is_refused_with_the_way_out(nothing_else, asked, name):
    with pytest.raises(UnsupportedError, match=f"Nothing here hears {name}, only English: ") as no:
        session_config_of(asked)
    assert ("models pull whisper-base" in str(no.value)) == (name != "Zulu")


def test_who_types_in_a_language_needs_nobody_who_hears_it(nothing_else):
    config = session_config_of(setup(generation_config=GenerationConfig(speech_config=GERMAN)))
    assert (config.language, config.chosen) == ("de", "de")


def test_native_audio_ignores_a_language_code_that_nothing_here_hears(nothing_else):
    german = GenerationConfig(speech_config=SpeechConfig(language_code="de-DE"))
    native = "models/gemini-2.5-flash-native-audio-preview-12-2025"
    assert session_config_of(setup(native, generation_config=german)) == session_config_of(
        setup(native)
    )
    heard = RealtimeInputConfig()
    with pytest.raises(UnsupportedError, match="German"):
        session_config_of(
            setup(HALF_CASCADE, generation_config=german, realtime_input_config=heard)
        )


def test_other_languages_in_text_where_an_endpoint_answers():
    config = GenerationConfig(
        response_modalities=["TEXT"], speech_config=SpeechConfig(language_code="de-DE")
    )
    assert session_config_of(setup(generation_config=config)).modality == "TEXT"


@pytest.mark.parametrize(
    ("code", "style"),
    [
        (None, "Answer in English,"),
        ("en-GB", "Answer in English,"),
        ("de-DE", "Answer in German,"),
        ("he", "Answer in Hebrew,"),
        ("auto", "Answer in the language that the user speaks,"),
    ],
)
def test_the_model_is_told_the_language_of_its_answers(code, style):
    config = GenerationConfig(speech_config=SpeechConfig(language_code=code))
    assert style in session_config_of(setup(generation_config=config)).system
    listening = LocalLanguages(transcriber="whisper:/folder")
    told = session_config_of(setup(generation_config=config), languages=listening).system
    assert (style if code else "the language that the user speaks") in told


def test_there_are_30_voices_and_each_is_its_own():
    assert len(VOICE_TRAITS) == 30
    points = [(v.pitch / 0.03, v.pace / 0.04, v.timbre / 0.03) for v in VOICE_TRAITS.values()]
    for index, one in enumerate(points):
        for other in points[index + 1 :]:
            assert max(abs(a - b) for a, b in zip(one, other, strict=True)) >= 1
    for voice in VOICE_TRAITS.values():
        assert 0.62 <= voice.pitch <= 1.3
    assert traits_of(None) == VOICE_TRAITS["Kore"]


# --- who decides when speech ends ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("detection", "by_sense", "silence_ms"),
    [
        ({}, True, 850),
        ({"start_of_speech_sensitivity": "START_SENSITIVITY_LOW"}, True, 850),
        ({"end_of_speech_sensitivity": "END_SENSITIVITY_UNSPECIFIED"}, True, 850),
        ({"end_of_speech_sensitivity": "END_SENSITIVITY_LOW"}, False, 500),
        ({"silence_duration_ms": 700}, False, 700),
        ({"silence_duration_ms": 0}, False, 0),
        ({"disabled": True}, False, 500),
    ],
)
def test_what_a_client_says_of_the_end_of_speech_is_the_law(detection, by_sense, silence_ms):
    found = AutomaticActivityDetection(**detection)
    realtime = RealtimeInputConfig(automatic_activity_detection=found)
    setup = Setup(model="models/gemini-3.1-flash-live-preview", realtime_input_config=realtime)
    config = session_config_of(setup, semantic=True)
    assert (config.semantic_end, config.endpointing.silence_ms) == (by_sense, silence_ms)
    assert not session_config_of(setup, semantic=False).semantic_end
