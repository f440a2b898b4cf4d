"""Families of models: which id belongs to which, and what each one is like."""

import pytest

from live_cli.catalog import LANGUAGES, MODELS
from live_cli.engine.setup.families import (
    BLOCKING,
    FAMILIES,
    FAMILY_2_0,
    FAMILY_2_5,
    FAMILY_2_5_CASCADE,
    FAMILY_3_1,
    FAMILY_3_8,
    FAMILY_3_8_THINKING,
    FAMILY_TRANSCRIBE,
    FAMILY_TRANSLATE,
    NEUTRAL,
    NON_BLOCKING,
    find_family,
)
from live_cli.engine.setup.media import ALL_VIDEO, ONLY_ACTIVITY


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("models/local", NEUTRAL),
        ("models/gemini-3.8-live", FAMILY_3_8),
        ("gemini-3.8-live-preview-09-2026", FAMILY_3_8),
        ("publishers/google/models/gemini-3.8-live-001", FAMILY_3_8),
        ("gemini-3.8-live-extended-thinking-10-2026", FAMILY_3_8_THINKING),
        ("gemini-3.1-flash-live-preview-03-2026", FAMILY_3_1),
        ("gemini-3.2-flash-live", FAMILY_3_1),
        ("gemini-2.5-flash-native-audio-latest", FAMILY_2_5),
        ("gemini-2.5-flash-preview-native-audio-dialog", FAMILY_2_5),
        ("projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash-native-audio",
         FAMILY_2_5),
        ("gemini-live-2.5-flash", FAMILY_2_5_CASCADE),
        ("gemini-2.0-flash-live-preview-04-09", FAMILY_2_0),
        ("models/gemini-2.0-flash-exp", FAMILY_2_0),
        ("gemini-3.5-live-translate-preview-2", FAMILY_TRANSLATE),
        ("gemini-3.5-transcribe-live-preview", FAMILY_TRANSCRIBE),
        ("gemini-4.2-pro-live", FAMILY_3_8),
        ("gemini-5-live-extended-thinking", FAMILY_3_8_THINKING),
        ("gemini-live-latest", FAMILY_3_8),
    ],
)  # fmt: skip
def test_an_id_finds_its_family_and_keeps_its_name(name, family):
    found = find_family(name)
    assert found is not None
    assert found.model.id == name.rsplit("/", 1)[-1]
    alike = [field for field in family.__slots__ if field != "model"]
    assert [getattr(found, f) for f in alike] == [getattr(family, f) for f in alike]
    assert found.model.title == family.model.title


@pytest.mark.parametrize(
    "name",
    [
        "",
        "models/",
        "gemini-2.5-flash",
        "gemini-1.5-pro",
        "gemini-2.0-flash-exp-image-generation",
        "gemini-olive",
        "gpt-live",
        "Local",
    ],
)
def test_what_is_no_live_id_has_none(name):
    assert find_family(name) is None


def test_every_model_of_the_catalog_is_a_family_with_its_limits():
    assert {family.model.id for family in FAMILIES} == {model.id for model in MODELS}
    limits = {
        model.id: (model.context_tokens, model.output_tokens)
        for model in MODELS
        if model.server == "gemini"
    }
    assert limits["gemini-3.8-live"] == (131_072, 65_536)
    assert limits["gemini-2.5-flash-native-audio-preview-12-2025"] == (131_072, 8_192)
    assert limits["gemini-live-2.5-flash-preview"] == (32_768, 8_192)
    assert all(all(tokens) for tokens in limits.values())


@pytest.mark.parametrize(
    ("family", "behaviors", "default", "half_cascade", "coverage", "affective", "proactive"),
    [
        (NEUTRAL, {BLOCKING, NON_BLOCKING}, BLOCKING, False, ONLY_ACTIVITY, "free", "free"),
        (FAMILY_2_0, {BLOCKING, NON_BLOCKING}, BLOCKING, True, ONLY_ACTIVITY, "no", "no"),
        (
            FAMILY_2_5, {BLOCKING, NON_BLOCKING}, BLOCKING, False, ONLY_ACTIVITY,
            "v1alpha", "v1alpha",
        ),
        (FAMILY_3_1, {BLOCKING}, BLOCKING, False, ALL_VIDEO, "no", "no"),
        (FAMILY_3_8, {BLOCKING, NON_BLOCKING}, NON_BLOCKING, False, ALL_VIDEO, "no", "always"),
        (FAMILY_3_8_THINKING, {NON_BLOCKING}, NON_BLOCKING, False, ALL_VIDEO, "no", "always"),
    ],
)  # fmt: skip
def test_what_a_family_is_like(
    family, behaviors, default, half_cascade, coverage, affective, proactive
):
    assert set(family.behaviors) == behaviors
    assert family.default_behavior == default
    assert family.half_cascade == half_cascade
    assert family.default_turn_coverage == coverage
    assert (family.affective, family.proactive) == (affective, proactive)


def test_languages_are_seventy_or_ninety_seven():
    assert frozenset(LANGUAGES) == FAMILY_2_5.languages
    assert len(FAMILY_2_5.languages) == 70
    assert len(FAMILY_3_8.languages) == 97
