"""Which of Kokoro's voices each of the thirty is."""

import pytest

from live_cli.catalog import VOICES
from live_cli.engine.backends.tts.kokoro.voices import HIGHER, LOWER, voice_for, voices_of

NAMES = (
    *("af_alloy", "af_heart", "af_kore", "am_puck", "bf_emma", "bm_lewis", "ef_dora", "em_alex"),
    *("ff_siwis", "jf_alpha", "jf_nezumi", "jm_kumo", "hf_beta"),
)


def test_every_name_of_the_live_api_is_higher_or_lower():
    assert sorted([*HIGHER, *LOWER]) == sorted(VOICES)


@pytest.mark.parametrize(
    ("language", "higher", "lower"),
    [
        ("es", {"ef_dora"}, {"em_alex"}),
        ("fr", {"ff_siwis"}, {"ff_siwis"}),
        ("ja", {"jf_alpha", "jf_nezumi"}, {"jm_kumo"}),
        ("en", {"af_alloy", "af_heart", "af_kore", "bf_emma"}, {"am_puck", "bm_lewis"}),
    ],
)
def test_the_thirty_are_all_voices_of_a_language_each_of_its_kind(language, higher, lower):
    assert {voice_for(name, language, NAMES) for name in HIGHER} == higher
    assert {voice_for(name, language, NAMES) for name in LOWER} == lower
    assert set(voices_of(language, NAMES)) == higher | lower


def test_a_namesake_is_taken_and_a_name_of_none_is_the_best():
    assert voice_for("Kore", "en", NAMES) == "af_kore"
    assert voice_for("Puck", "en", NAMES) == "am_puck"
    assert voice_for("", "en", NAMES) == "af_heart"


def test_a_language_without_a_voice_is_said():
    with pytest.raises(ValueError, match="zh"):
        voice_for("Kore", "zh", NAMES)
