"""Kokoro: understood again in six languages, read in pieces, and what it lacks is said."""

import numpy as np
import pytest
import soxr

from live_cli.engine.backends.stt.whisper import WhisperTranscriber
from live_cli.engine.backends.tts.kokoro import synthesizer as module
from live_cli.engine.backends.tts.kokoro.synthesizer import KokoroSynthesizer
from live_cli.engine.backends.tts.kokoro.voices import HIGHER
from live_cli.engine.speech_models.lookup import find_kokoro, packaged_whisper
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError
from tests.harness.kokoro import kokoro
from tests.harness.other_languages import EVERYDAY, sound_error_rate

LIMITS = {"es": 0.10, "ja": 0.25, "zh": 0.25}


@pytest.fixture(scope="module")
def whisper() -> WhisperTranscriber:
    model = packaged_whisper()
    assert model is not None
    return WhisperTranscriber(model.where, model.files)


def said(text: str, **traits: object) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *kokoro().speak(text, VoiceTraits(**traits))])


@pytest.mark.parametrize("language", LIMITS)
def test_what_it_says_is_understood_and_as_loud_as_others(whisper, language):
    """A language of each way to phonemes; the benchmark `voices` has all of them."""
    text = EVERYDAY[language][1]
    sound = said(text, language=language, name="Kore")
    heard = whisper.transcribe_in_detail(
        soxr.resample(sound, 24_000, 16_000), words=False, language=language
    )
    assert sound_error_rate(language, text, heard.text) <= LIMITS[language], heard.text
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    powers = np.mean(frames * frames, axis=1)
    level = 10 * np.log10(powers[powers > 0.01 * powers.max()].mean())
    assert -24.5 < level < -20.5
    assert np.abs(sound).max() <= 0.9


def test_few_voices_and_a_slow_machine_are_said_once(monkeypatch, caplog):
    monkeypatch.setattr(module, "_SLOW", 0.0)
    monkeypatch.setattr(module, "_JUDGED_S", 0.1)
    kokoro()._told.clear()
    own, quick = (said("你好。", language="zh", name="Kore", pace=pace) for pace in (1.0, 1.5))
    assert len(quick) < 0.9 * len(own)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0] == "Kokoro's voices of Chinese: 8, which the thirty names share"
    assert "for a second of speech here" in told[1]


@pytest.mark.parametrize("text", ["", "  ", "-", "?!", "\ud800", "<>", "…"])
@pytest.mark.parametrize("language", ["ja", "zh", "es", "xx"])
def test_what_has_no_words_is_silent(text, language):
    assert not len(said(text, language=language))


def test_what_lacks_is_said(monkeypatch, tmp_path):
    """With the packages alone, whose voices are Japanese, and a file that is no voice."""
    broken = tmp_path / "zf_a.bin"
    broken.write_bytes(b"nothing")
    packaged = find_kokoro()
    voice = KokoroSynthesizer(packaged.model, packaged.voices | {"zf_a": broken})
    styles = [voice._style("ja", VoiceTraits(language="ja", name=name)) for name in HIGHER]
    assert {each.shape for each in styles} == {(510, 256)}
    assert len({each.tobytes() for each in styles}) == 4
    monkeypatch.setitem(module._BY_RULES, "es", lambda text: "ola")
    for language, says in (("es", "models pull kokoro"), ("zh", "no voice zf_a")):
        with pytest.raises(EngineError, match=says):
            list(voice.speak("你好", VoiceTraits(language=language)))
    with pytest.raises(EngineError, match="models pull kokoro"):
        KokoroSynthesizer([broken], {})
