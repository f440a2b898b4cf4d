"""Voices of other languages: understood again, thirty of them equally loud, not to be hung."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest
import soxr

from live_cli.engine.backends.stt.whisper import WhisperTranscriber
from live_cli.engine.backends.tts.by_language import SynthesizerByLanguage
from live_cli.engine.backends.tts.espeak import EspeakSynthesizer
from live_cli.engine.backends.tts.open_jtalk import OpenJTalkSynthesizer
from live_cli.engine.backends.tts.pico import PicoSynthesizer
from live_cli.engine.backends.tts.plain_words import plain_words
from live_cli.engine.setup.voices import VOICE_TRAITS
from live_cli.engine.speech_models.lookup import packaged_whisper
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError
from tests.harness.other_languages import EVERYDAY, sound_error_rate
from tests.harness.speech import character_error_rate

HIGHEST, LOWEST = "Leda", "Algenib"
SENTENCES = {
    "de": "Wie viele Beine hat ein Hund?",
    "es": "¿Cuántas patas tiene un perro?",
    "fr": "Bonjour, comment allez-vous aujourd'hui ?",
    "it": "Domani mattina andiamo al mercato.",
}
NASTY = ("", "  ", "-", "日本語", "\ud800", "<b></b>", "Ä" * 5000, "a" * 300, "Ab" * 400, "1" * 200)


@pytest.fixture(scope="module")
def pico() -> Iterator[PicoSynthesizer]:
    voice = PicoSynthesizer()
    yield voice
    voice.close()


@pytest.fixture(scope="module")
def whisper() -> WhisperTranscriber:
    model = packaged_whisper()
    assert model is not None
    return WhisperTranscriber(model.where, model.files)


def said(voice, text: str, traits: VoiceTraits) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *voice.speak(text, traits)])


@pytest.mark.parametrize("language", SENTENCES)
def test_what_pico_says_is_understood_in_the_highest_and_the_lowest_voice(pico, whisper, language):
    for name in (HIGHEST, LOWEST):
        pitch, pace, timbre = (getattr(VOICE_TRAITS[name], x) for x in ("pitch", "pace", "timbre"))
        sound = said(pico, SENTENCES[language], VoiceTraits(pitch, pace, timbre, language))
        heard = whisper.transcribe_in_detail(
            soxr.resample(sound, 24_000, 16_000), words=False, language=language
        )
        assert character_error_rate(SENTENCES[language], heard.text) <= 0.10, (name, heard.text)


def test_what_open_jtalk_says_is_understood_in_the_lowest_voice(whisper):
    text, voice, lowest = EVERYDAY["ja"][1], OpenJTalkSynthesizer(), VOICE_TRAITS[LOWEST]
    traits = VoiceTraits(lowest.pitch, lowest.pace, lowest.timbre, "ja")
    sound = soxr.resample(said(voice, text, traits), 24_000, 16_000)
    heard = whisper.transcribe_in_detail(sound, words=False, language="ja")
    assert sound_error_rate("ja", text, heard.text) <= 0.25, heard.text
    for nasty in (*NASTY, "(^_^)"):
        said(voice, nasty, traits)


def level(sound: np.ndarray) -> float:
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    powers = np.mean(frames * frames, axis=1)
    return float(10 * np.log10(powers[powers > 0.01 * powers.max()].mean()))


def test_the_thirty_are_thirty_voices_and_equally_loud(pico):
    sounds = [
        said(pico, SENTENCES["de"], VoiceTraits(v.pitch, v.pace, v.timbre, "de"))
        for v in VOICE_TRAITS.values()
    ]
    assert len({sound.tobytes() for sound in sounds}) == 30
    levels = [level(sound) for sound in sounds]
    assert max(levels) - min(levels) < 1.0
    assert -23.5 < np.mean(levels) < -20.5


@pytest.mark.parametrize("text", NASTY)
def test_no_text_hangs_a_voice_or_is_read_as_markup(pico, text):
    for voice in (pico, EspeakSynthesizer()):
        said(voice, text, VoiceTraits(language="de"))
    assert len(said(pico, "Gut.", VoiceTraits(language="de")))
    assert len(plain_words(text)) < 700


def test_a_child_that_never_answers_is_ended_and_the_next_text_spoken(monkeypatch, pico):
    monkeypatch.setattr("live_cli.engine.backends.tts.pico._LONGEST_S", 0.5)
    monkeypatch.setattr("live_cli.engine.backends.tts.pico.plain_words", lambda text: text)
    assert not len(said(pico, "Ä" * 300, VoiceTraits(language="de")))  # the library's endless loop
    monkeypatch.undo()
    assert len(said(pico, "Gut.", VoiceTraits(language="de")))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pl", "Dzień dobry"), ("iw", "שלום"), ("no", "God dag"), ("zh", "你好"), ("ru", "Привет"),
        ("en", "Hello"), ("fr", "Bonjour"), ("el", "Καλημέρα"), ("hi", "नमस्ते"),
    ],
)  # fmt: skip
def test_espeak_speaks_the_catalogs_codes(language, text):
    sound = said(EspeakSynthesizer(), text, VoiceTraits(language=language))
    assert 0.2 * 24_000 < len(sound) < 4 * 24_000


class Tone:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def speak(self, text, voice):
        yield np.full(4, len(self.name), np.float32)

    def close(self) -> None:
        self.closed = True


def test_a_voice_is_made_once_when_its_language_is_first_spoken():
    made: list[Tone] = []

    def make(name: str) -> Tone:
        if name == "broken":
            raise EngineError("no file")
        made.append(Tone(name))
        return made[-1]

    names = {"": "own", "en": "own", "de": "pico", "xx": None, "ja": "broken"}
    router = SynthesizerByLanguage(names.get, make)
    assert [tone.name for tone in made] == ["own"]  # at once: what does not load is told early
    for language in ("de", "en", "de", ""):
        assert len(said(router, "Ja", VoiceTraits(language=language)))
    assert [tone.name for tone in made] == ["own", "pico"]
    for silent in ("xx", "ja"):
        assert not len(said(router, "Ja", VoiceTraits(language=silent)))
    router.close()
    assert all(tone.closed for tone in made)


def test_the_configured_voice_that_does_not_load_is_an_error():
    def fails(name: str) -> Tone:
        raise EngineError("no file")

    with pytest.raises(EngineError, match="no file"):
        SynthesizerByLanguage(lambda language: "own", fails)


def test_pico_is_imported_by_its_own_process_alone(pico):
    assert "py_nanotts" not in sys.modules
