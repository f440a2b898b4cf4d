"""What each family refuses, in each version: close code and words, as the reference quotes them."""

import pytest

from live_cli.catalog import HALF_CASCADE_2_0, LANGUAGES, NEWER_LANGUAGES
from live_cli.engine.setup.config import session_config_of
from live_cli.errors import UnsupportedError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import (
    FunctionDeclaration,
    GenerationConfig,
    PrebuiltVoiceConfig,
    ProactivityConfig,
    Setup,
    SpeechConfig,
    ThinkingConfig,
    Tool,
    VoiceConfig,
)

BETA, ALPHA, VERTEX = Dialect("v1beta"), Dialect("v1alpha"), Dialect("v1beta1", vertex=True)
LOCAL = "local"
V2_5 = "gemini-2.5-flash-native-audio-preview-12-2025"
CASCADE = "gemini-live-2.5-flash-preview"
V3_1 = "gemini-3.1-flash-live-preview"
V3_8 = "gemini-3.8-live"
THINKING = "gemini-3.8-live-extended-thinking"
TRANSCRIBE = "gemini-3.5-transcribe-live"

INVALID = "Request contains an invalid argument."
INTERNAL = (1011, "Internal error encountered.")


def unknown(name, parent="setup"):
    text = f"Invalid JSON payload received. Unknown name \"{name}\" at '{parent}': "
    return 1007, text + "Cannot find field."


def combination(names, model):
    text = f"The requested combination of response modalities ({names}) is not supported by the"
    return 1007, f"{text} model{model}"


NO_AFFECTIVE = unknown("enable_affective_dialog", "setup.generation_config")
NO_PROACTIVITY = unknown("proactivity")
LEVELS = "low, medium, high"
NEEDS_LEVEL = "Thinking level must be specified for this model"


def outcome(model, dialect=BETA, **fields):
    """Return None when accepted, else close code and reason; THINKING gets a level."""
    generation = GenerationConfig(
        **{name: fields.pop(name) for name in GenerationConfig.__struct_fields__ if name in fields}
    )
    if model == THINKING and generation.thinking_config is None:
        generation = GenerationConfig(
            response_modalities=generation.response_modalities,
            speech_config=generation.speech_config,
            enable_affective_dialog=generation.enable_affective_dialog,
            thinking_config=ThinkingConfig(thinking_level="low"),
        )
    try:
        session_config_of(
            Setup(model=f"models/{model}", generation_config=generation, **fields), dialect
        )
    except UnsupportedError as refused:
        return refused.close_code, refused.reason
    return None


@pytest.mark.parametrize("dialect", [BETA, ALPHA, VERTEX])
@pytest.mark.parametrize(
    ("model", "text"),
    [
        (LOCAL, None),
        (CASCADE, None),
        (V2_5, (1007, "Cannot extract voices from a non-audio request.")),
        (V3_1, INTERNAL),
        (V3_8, combination("TEXT", "")),
        (THINKING, combination("TEXT", "")),
        (TRANSCRIBE, None),
    ],
)
def test_modalities(model, text, dialect):
    assert outcome(model, dialect, response_modalities=["TEXT"]) == text
    both = outcome(model, dialect, response_modalities=["TEXT", "AUDIO"])
    assert both == combination("TEXT, AUDIO", f" {model}")
    spoken = outcome(model, dialect, response_modalities=["AUDIO"])
    assert spoken == (combination("AUDIO", f" {model}") if model == TRANSCRIBE else None)


@pytest.mark.parametrize(
    ("model", "thinking", "refused"),
    [
        (LOCAL, {"thinking_budget": 5}, None),
        (LOCAL, {"thinking_level": "MINIMAL"}, None),
        (V2_5, {"thinking_budget": 0, "include_thoughts": True}, None),
        (V2_5, {"thinking_level": "LOW"}, f"{V2_5[:40]} takes a thinkingBudget, no thinkingLevel."),
        (V3_1, {"thinking_level": "MINIMAL"}, None),
        (V3_1, {}, None),
        (V3_1, {"thinking_budget": 5}, f"{V3_1} takes a thinkingLevel, no thinkingBudget."),
        (V3_8, {}, None),
        (V3_8, {"thinking_level": "LOW"}, f"{V3_8} takes no thinkingConfig: leave it out."),
        (V3_8, {"include_thoughts": False}, f"{V3_8} takes no thinkingConfig: leave it out."),
        (THINKING, {"thinking_level": "HIGH"}, None),
        (THINKING, {"thinking_budget": 512}, None),
        (THINKING, {"include_thoughts": True}, NEEDS_LEVEL),
        (THINKING, {"thinking_level": "THINKING_LEVEL_UNSPECIFIED"}, NEEDS_LEVEL),
        (
            THINKING,
            {"thinking_level": "MINIMAL"},
            f"{THINKING} has no thinking level 'minimal': {LEVELS}.",
        ),
    ],
)
def test_thinking(model, thinking, refused):
    config = ThinkingConfig(**thinking) if thinking else None
    assert outcome(model, thinking_config=config) == (refused and (1007, refused))


@pytest.mark.parametrize(
    ("model", "beta", "alpha", "vertex"),
    [
        (LOCAL, None, None, None),
        (V2_5, NO_PROACTIVITY, None, None),
        (CASCADE, NO_PROACTIVITY, None, None),
        (V3_1, NO_PROACTIVITY, None, None),
        (V3_8, NO_PROACTIVITY, None, None),
        (THINKING, NO_PROACTIVITY, None, None),
        (TRANSCRIBE, NO_PROACTIVITY, None, None),
    ],
)
def test_proactivity_is_known_by_the_version_whatever_the_model(model, beta, alpha, vertex):
    asked = ProactivityConfig(proactive_audio=True)
    outcomes = [outcome(model, dialect, proactivity=asked) for dialect in (BETA, ALPHA, VERTEX)]
    assert outcomes == [beta, alpha, vertex]


def test_proactive_audio_cannot_be_turned_off_where_it_is_always_on():
    asked = ProactivityConfig(proactive_audio=False)
    assert outcome(V3_8, ALPHA, proactivity=asked) == (1007, INVALID)
    assert outcome(V2_5, ALPHA, proactivity=asked) is None
    assert session_config_of(Setup(model=V3_8)).proactive
    assert not session_config_of(Setup(model=V2_5)).proactive


@pytest.mark.parametrize(
    ("model", "beta", "alpha", "vertex"),
    [
        (LOCAL, None, None, None),
        (V2_5, NO_AFFECTIVE, None, None),
        (V3_1, (1007, INVALID), (1007, INVALID), (1007, INVALID)),
        (V3_8, None, None, None),
        (THINKING, None, None, None),
    ],
)
def test_affective_dialog(model, beta, alpha, vertex):
    outcomes = [
        outcome(model, dialect, enable_affective_dialog=True) for dialect in (BETA, ALPHA, VERTEX)
    ]
    assert outcomes == [beta, alpha, vertex]


@pytest.mark.parametrize("model", [V3_8, THINKING])
def test_affective_dialog_ends_the_models_since_3_8_at_their_first_input(model):
    def refused(dialect, *, affective):
        thinking = ThinkingConfig(thinking_level="low") if model == THINKING else None
        generation = GenerationConfig(enable_affective_dialog=affective, thinking_config=thinking)
        setup = Setup(model=model, generation_config=generation)
        return session_config_of(setup, dialect).refuses_input

    assert refused(BETA, affective=True)
    assert refused(ALPHA, affective=True)
    assert not refused(VERTEX, affective=True)  # it is built in there
    assert not refused(BETA, affective=False)


def test_what_half_cascade_does_not_have_is_told_with_who_has_it():
    code, reason = outcome(CASCADE, ALPHA, enable_affective_dialog=True)
    assert (code, reason.startswith(f"{CASCADE} has no affective dialog: local")) == (1007, True)


@pytest.mark.parametrize(
    ("model", "behavior", "accepted"),
    [
        (LOCAL, "NON_BLOCKING", True),
        (V2_5, "NON_BLOCKING", True),
        (V3_1, "BLOCKING", True),
        (V3_1, "NON_BLOCKING", False),
        (V3_8, "BLOCKING", True),
        (THINKING, None, True),
        (THINKING, "BLOCKING", False),
    ],
)
def test_behaviors_of_functions(model, behavior, accepted):
    tools = [Tool(function_declarations=[FunctionDeclaration(name="f", behavior=behavior)])]
    refused = outcome(model, tools=tools)
    assert (refused is None) == accepted
    assert refused is None or refused[0] == 1007


@pytest.mark.parametrize(
    ("name", "dialect", "reason"),
    [
        (
            "gemini-2.5-flash",
            BETA,
            "models/gemini-2.5-flash is not found for API version v1beta, or is not supported "
            "for bidiGenerateContent. Call ListMod",
        ),
        ("nonsense", ALPHA, "models/nonsense is not found for API version v1alpha, or is"),
        ("gemini-2.5-flash", VERTEX, "Publisher model gemini-2.5-flash was not found"),
    ],
)
def test_a_model_that_is_not_live_is_not_found(name, dialect, reason):
    code, told = outcome(name, dialect)
    assert code == 1008
    assert told.startswith(reason)


def voiced(name):
    voice = VoiceConfig(prebuilt_voice_config=PrebuiltVoiceConfig(voice_name=name))
    return SpeechConfig(voice_config=voice)


@pytest.mark.parametrize("model", [LOCAL, V2_5, V3_1, V3_8, THINKING, CASCADE])
def test_voices(model):
    assert outcome(model, speech_config=voiced("Kore")) is None
    sulafat = outcome(model, speech_config=voiced("Sulafat"))
    assert (sulafat is None) == (model != CASCADE)
    code, reason = outcome(model, speech_config=voiced("Nobody"))
    assert (code, "Nobody" in reason) == (1007, True)
    multi = SpeechConfig(multi_speaker_voice_config={"speakerVoiceConfigs": []})
    assert (outcome(model, speech_config=multi) is None) == (model in (V3_1, V3_8, THINKING))


@pytest.mark.parametrize("model", [LOCAL, V2_5, V3_8, CASCADE])
@pytest.mark.parametrize("name", ["kore", "KORE", "kOrE"])
def test_a_voice_is_known_in_any_case(model, name):
    def voice_of(name):
        generation = GenerationConfig(speech_config=voiced(name))
        return session_config_of(Setup(model=model, generation_config=generation)).voice

    assert voice_of(name) == voice_of("Kore") != voice_of("Puck")
    sulafat = outcome(model, speech_config=voiced("sulafat"))
    assert (sulafat is None) == (model != CASCADE)


@pytest.mark.parametrize("dialect", [BETA, ALPHA, VERTEX])
@pytest.mark.parametrize(
    "name", ["gemini-2.0-flash-exp", "gemini-2.0-flash-live-001", "gemini-2.0-flash-live-exp"]
)
def test_a_model_that_google_ended_is_taken_for_its_family_and_refused_when_strict(
    name, dialect, caplog
):
    config = session_config_of(Setup(model=f"models/{name}"), dialect)
    assert (config.model, config.family.model.title) == (name, HALF_CASCADE_2_0.title)
    assert f"{name} was ended by Google on 2025-12-09" in caplog.text
    with pytest.raises(UnsupportedError) as caught:
        session_config_of(Setup(model=f"models/{name}"), dialect, strict=True)
    assert caught.value.close_code == 1008
    assert f"{name} " in caught.value.reason
    assert "not found" in caught.value.reason


@pytest.mark.parametrize("name", [LOCAL, V2_5, CASCADE, V3_1, V3_8, "gemini-live-2.5-flash"])
def test_a_model_of_the_guide_or_of_today_is_taken_when_strict_too(name):
    assert session_config_of(Setup(model=f"models/{name}"), strict=True).model == name


@pytest.mark.parametrize(
    ("model", "count"),
    [(V2_5, 70), (V3_1, 97), (V3_8, 97), (THINKING, 97), (LOCAL, 97), (CASCADE, 97)],
)
def test_languages(model, count):
    codes = [*LANGUAGES, *NEWER_LANGUAGES]
    taken = [
        code
        for code in codes
        if outcome(model, speech_config=SpeechConfig(language_code=code)) is None
    ]
    assert len(taken) == count
    hebrew = [outcome(model, speech_config=SpeechConfig(language_code=c)) for c in ("he", "iw")]
    assert hebrew == [None, None]
    assert outcome(model, speech_config=SpeechConfig(language_code="xx"))[0] == 1007


def test_what_only_vertex_has():
    for dialect, accepted in ((BETA, False), (ALPHA, False), (VERTEX, True)):
        assert (outcome(V2_5, dialect, explicit_vad_signal=True) is None) == accepted
    assert outcome(LOCAL, BETA, explicit_vad_signal=True) is None
    assert outcome(V3_8, BETA, explicit_vad_signal=True) == unknown("explicit_vad_signal")


def test_a_model_that_translates_is_refused():
    told = outcome("gemini-3.5-live-translate-preview")
    assert told == (1007, "The local engine does not translate.")
