"""Models, voices, languages: the data, the near matches, and what a model refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.catalog import (
    LANGUAGES,
    LIVE_3_8,
    LOCAL,
    MODELS,
    TRANSCRIBE,
    VOICES,
    did_you_mean,
    find_language,
    find_model,
    find_voice,
    language_name,
    near_match,
)
from live_cli.plan.requirements import Requirements, newest_supporting, refusals, supports

NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"
HALF = "gemini-live-2.5-flash-preview"
THINKING = "gemini-3.8-live-extended-thinking"


def test_there_are_thirty_voices_and_seventy_languages():
    assert len(VOICES) == 30
    assert len(LANGUAGES) == 70
    assert len(set(LANGUAGES.values())) == 70
    assert all(code.isalpha() and code.islower() for code in LANGUAGES)


@pytest.mark.parametrize(
    ("given_name", "found"),
    [("Kore", "Kore"), ("kore", "Kore"), ("ZUBENELGENUBI", "Zubenelgenubi"), ("Kor", None)],
)
def test_a_voice_is_found_whatever_its_case(given_name, found):
    assert find_voice(given_name) == found


@pytest.mark.parametrize(
    ("code", "found", "name"),
    [
        ("en", "en", "English"),
        ("EN", "en", "English"),
        ("he", "iw", "Hebrew"),
        ("iw", "iw", "Hebrew"),
        ("de-de", "de-DE", "German"),
        ("pt_BR", "pt-BR", "Portuguese"),
        ("nb", "no", "Norwegian"),
        ("fil", "fil", "Filipino"),
        ("xx", None, None),
        ("", None, None),
        ("de-", None, None),
        ("de-\x1b", None, None),
    ],
)
def test_a_language_is_found_by_todays_and_yesterdays_codes(code, found, name):
    assert find_language(code) == found
    if found:
        assert language_name(found) == name


@given(st.text(max_size=20))
def test_a_code_that_is_found_is_found_again_as_itself(text):
    found = find_language(text)
    assert found is None or find_language(found) == found


def test_near_matches():
    assert near_match("GEMINI-3.8-lve", [model.id for model in MODELS]) == LIVE_3_8.id
    assert near_match("zzz", VOICES) is None
    assert did_you_mean("Zephir", VOICES) == "; did you mean 'Zephyr'?"
    assert did_you_mean("zzz", VOICES) == ""


def test_models_are_found_with_and_without_prefix_and_by_family():
    assert find_model("models/gemini-3.8-live") is LIVE_3_8
    older = find_model("gemini-2.5-flash-native-audio-preview-09-2025")
    assert older.known
    assert older.affective
    assert older.id.endswith("09-2025")
    unknown = find_model("gemini-9-live")
    assert not unknown.known
    assert unknown.id == "gemini-9-live"


def test_an_unknown_model_refuses_nothing():
    everything = Requirements(
        modality="TEXT",
        voice="Kore",
        system=True,
        affective=True,
        proactive=True,
        thinking_budget=True,
        thinking_level="high",
        show_thoughts=True,
    )
    assert refusals(find_model("gemini-9-live"), everything) == []


@pytest.mark.parametrize(
    ("model", "requirements", "says", "instead"),
    [
        (LIVE_3_8.id, Requirements(modality="TEXT"), "does not answer in text", HALF),
        (LIVE_3_8.id, Requirements(affective=True), "has no affective dialog", NATIVE),
        (LIVE_3_8.id, Requirements(thinking_budget=True), "takes no thinking budget", THINKING),
        (LIVE_3_8.id, Requirements(thinking_level="high"), "takes no thinking level", THINKING),
        (LIVE_3_8.id, Requirements(show_thoughts=True), "does not show its thoughts", THINKING),
        (
            THINKING,
            Requirements(thinking_level="minimal"),
            "has low, medium, high",
            "gemini-3.1-flash",
        ),
        (
            "gemini-3.1-flash-live-preview",
            Requirements(proactive=True),
            "proactive audio",
            LIVE_3_8.id,
        ),
        (HALF, Requirements(voice="Sulafat"), "has no voice Sulafat", LIVE_3_8.id),
        (TRANSCRIBE.id, Requirements(), "only transcribes", LIVE_3_8.id),
        (LIVE_3_8.id, Requirements(task="transcribe"), "instead of transcribing", TRANSCRIBE.id),
        (TRANSCRIBE.id, Requirements(system=True), "takes no system instruction", LIVE_3_8.id),
        (
            "gemini-3.5-live-translate-preview",
            Requirements(task="text"),
            "only translates",
            LIVE_3_8.id,
        ),
    ],
)
def test_what_a_model_does_not_do_is_refused_with_the_name_of_one_that_does(
    model, requirements, says, instead
):
    said = " ".join(refusals(find_model(model), requirements))
    assert f"{model} " in said
    assert says in said
    assert instead in said


TRISTATE = st.sampled_from([None, "TEXT", "AUDIO"])
REQUIREMENTS = st.builds(
    Requirements,
    task=st.sampled_from(["talk", "text", "transcribe"]),
    modality=TRISTATE,
    voice=st.sampled_from([None, "Kore", "Sulafat"]),
    system=st.booleans(),
    affective=st.booleans(),
    proactive=st.booleans(),
    thinking_budget=st.booleans(),
    thinking_level=st.sampled_from([None, "minimal", "low"]),
    show_thoughts=st.booleans(),
)


@given(st.sampled_from(MODELS), REQUIREMENTS)
def test_every_refusal_names_a_model_that_does_that_and_none_comes_without_need(
    model, requirements
):
    said = refusals(model, requirements)
    assert bool(said) is not supports(model, requirements)
    for sentence in said:
        assert sentence.endswith((").", "no model does."))
        named = sentence.partition("--model ")[2].rstrip(").").partition(" ")[0]
        assert named != model.id


@given(REQUIREMENTS, st.sampled_from(["gemini", "local"]))
def test_the_model_chosen_is_the_newest_that_does_all(requirements, server):
    chosen = newest_supporting(requirements, server)
    able = [each for each in MODELS if each.server == server and supports(each, requirements)]
    assert chosen == (able[0] if able else None)


def test_the_default_models():
    assert newest_supporting(Requirements(), "gemini") is LIVE_3_8
    assert newest_supporting(Requirements(task="transcribe"), "gemini") is TRANSCRIBE
    assert newest_supporting(Requirements(task="text"), "local") is LOCAL
