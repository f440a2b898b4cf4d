"""Prosody and manner: measured on tones and on real speech, against the usual of a session."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.cues.prosody import (
    AVERAGE,
    Manner,
    MannerReader,
    Prosody,
    prosody_of,
    syllables,
    toned,
)
from live_cli.engine.setup.voices import VOICE_TRAITS
from live_cli.engine.stages import VoiceTraits

RATE = 16_000
SENTENCES = (
    "What is the weather going to be like tomorrow in the mountains?",
    "Tell me about the book on the table, please.",
    "I would like to know how a steam engine works.",
    "Could you help me write a letter to my sister?",
    "My train leaves at nine and I have lost the ticket.",
    "What did the old man say about the river?",
)
USUAL = Prosody(-30.0, 120.0, 8.0, 0.7, 5.0)


def buzz(pitch_hz, seconds=1.0, level=0.1):
    """A pulse train through a soft low pass: as a voice is at the glottis."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 12))
    return (level * tone / np.sqrt(np.mean(tone**2))).astype(np.float32)


def hiss(seconds=1.0, level=0.1):
    return (level * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(
        np.float32
    )


def whispered(samples):
    """``samples`` with noise in place of the voice: short-time spectra without their phase."""
    size, hop = 512, 128
    window, rng = np.hanning(size), np.random.default_rng(0)
    smooth = np.hanning(15) / np.hanning(15).sum()  # the harmonics go, the formants stay
    whisper = np.zeros(len(samples) + size)
    for start in range(0, len(samples) - size, hop):
        bins = np.abs(np.fft.rfft(samples[start : start + size] * window))
        noise = np.exp(2j * np.pi * rng.random(len(bins)))
        step = np.fft.irfft(np.convolve(bins, smooth, mode="same") * noise)
        whisper[start : start + size] += window * step
    return whisper[: len(samples)].astype(np.float32)


@pytest.fixture(scope="session")
def speech(synthesizer):
    """Real speech at 16 kHz, at -26 dB full scale and ``gain_db``; each sentence made once."""

    @cache
    def made(text, voice):
        samples = soxr.resample(np.concatenate(list(synthesizer.speak(text, voice))), 24_000, RATE)
        return samples / np.sqrt(np.mean(samples * samples))

    def spoken(text, voice=VoiceTraits(), gain_db=0.0):  # noqa: B008 - frozen
        return (made(text, voice) * 0.05 * 10 ** (gain_db / 20)).astype(np.float32)

    return spoken


def familiar(prosody=USUAL, times=5):
    """Return a reader that has heard one speaker in the usual manner."""
    reader = MannerReader()
    for _ in range(times):
        reader.read(prosody)
    return reader


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Hello.", 2),
        ("What is the weather going to be like tomorrow in the mountains?", 16),
        ("Tell me about the book on the table, please.", 11),
        ("I would like to know how a steam engine works.", 11),
        ("My train leaves at nine and I have lost the ticket.", 12),
        ("It was the best of times, it was the worst of times.", 12),
        ("Hm.", 1),
        ("42", 4),
    ],
)
def test_syllables_are_counted_within_a_fifth(text, count):
    assert abs(syllables(text) - count) <= max(0, count // 5)


@pytest.mark.parametrize("pitch_hz", [80, 110, 150, 220, 300])
def test_pitch_of_a_buzz(pitch_hz):
    heard = prosody_of(buzz(pitch_hz), "aaa")
    assert heard.pitch_hz == pytest.approx(pitch_hz, rel=0.03)
    assert heard.range_semitones < 0.5
    assert heard.voiced > 0.9


@pytest.mark.parametrize("level", [0.5, 0.1, 0.01, 0.001])
def test_level_is_that_of_the_speech_and_not_of_the_silence_around_it(level):
    silence = np.zeros(RATE, np.float32)
    heard = prosody_of(np.concatenate([silence, buzz(120, level=level), silence]), "aaa")
    assert heard.level_dbfs == pytest.approx(20 * np.log10(level), abs=0.5)
    assert heard.pitch_hz == pytest.approx(120, rel=0.03)


def test_noise_has_no_pitch():
    assert prosody_of(hiss(), "sss").voiced < 0.1


def test_a_glide_of_an_octave_has_a_range():
    glide = np.concatenate([buzz(hz, 0.1) for hz in np.geomspace(120, 200, 12)])
    assert prosody_of(glide, "aaa").range_semitones == pytest.approx(7.1, abs=1.0)


def test_pauses_do_not_slow_the_pace():
    fluent = prosody_of(buzz(120, 2.0), "one two three four five six")
    halves = [buzz(120), np.zeros(RATE, np.float32), buzz(120)]
    paused = prosody_of(np.concatenate(halves), "one two three four five six")
    assert paused.syllables_a_second == pytest.approx(fluent.syllables_a_second, rel=0.05)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), buzz(120, 0.2)])
def test_what_is_too_short_tells_nothing(samples):
    assert prosody_of(samples, "hm") is None


def test_silence_is_measured_without_fault():
    heard = prosody_of(np.zeros(RATE, np.float32), "hm")
    assert (heard.pitch_hz, heard.level_dbfs) == (0.0, pytest.approx(-100, abs=1))


@pytest.mark.parametrize(
    ("change", "manner"),
    [
        ({}, Manner.NEUTRAL),
        ({"level_dbfs": -24.0}, Manner.NEUTRAL),  # one cue alone
        ({"level_dbfs": -24.0, "pitch_hz": 150.0}, Manner.EXCITED),
        ({"level_dbfs": -25.0, "syllables_a_second": 6.5}, Manner.EXCITED),
        ({"pitch_hz": 150.0, "range_semitones": 15.0}, Manner.EXCITED),
        ({"syllables_a_second": 6.6}, Manner.HURRIED),
        ({"syllables_a_second": 5.8}, Manner.NEUTRAL),
        ({"level_dbfs": -35.0, "syllables_a_second": 3.9}, Manner.CALM),
        ({"pitch_hz": 100.0, "syllables_a_second": 3.9}, Manner.CALM),
        ({"level_dbfs": -41.0}, Manner.SOFT),
        ({"level_dbfs": -33.0, "voiced": 0.1}, Manner.SOFT),
        ({"voiced": 0.1}, Manner.NEUTRAL),  # hoarse, or a bad line
        ({"level_dbfs": -24.0, "pitch_hz": 100.0}, Manner.NEUTRAL),  # cues that disagree
        ({"pitch_hz": 0.0, "range_semitones": 0.0}, Manner.NEUTRAL),
    ],
)
def test_a_manner_is_a_clear_distance_from_the_usual(change, manner):
    assert familiar().read(replace(USUAL, **change)) is manner


@pytest.mark.parametrize(
    ("change", "manner"),
    [
        ({}, Manner.NEUTRAL),
        ({"level_dbfs": -38.0}, Manner.NEUTRAL),  # a microphone turned low
        ({"level_dbfs": -15.0}, Manner.NEUTRAL),
        ({"pitch_hz": 250.0}, Manner.NEUTRAL),  # a high voice
        ({"syllables_a_second": 9.0}, Manner.HURRIED),
        ({"level_dbfs": -50.0}, Manner.SOFT),
        ({"level_dbfs": -40.0, "voiced": 0.1}, Manner.SOFT),
    ],
)
def test_of_someone_not_heard_before_only_the_plain_is_believed(change, manner):
    assert MannerReader().read(replace(AVERAGE, **change)) is manner


def test_what_becomes_usual_is_no_manner_any_more():
    reader = familiar(times=3)
    fast = replace(USUAL, syllables_a_second=7.0)
    manners = [reader.read(fast) for _ in range(8)]
    assert manners[0] is Manner.HURRIED
    assert manners[-1] is Manner.NEUTRAL


@pytest.mark.parametrize(
    ("voice", "gain_db", "whispers", "manners", "at_least"),
    [
        (VoiceTraits(), 0, False, {Manner.NEUTRAL}, 6),
        (VoiceTraits(), 3, False, {Manner.NEUTRAL}, 6),
        (VoiceTraits(pitch=1.28, pace=1.15), 6, False, {Manner.EXCITED}, 5),
        (VoiceTraits(pace=1.3), 0, False, {Manner.HURRIED, Manner.EXCITED}, 5),
        (VoiceTraits(pitch=0.9, pace=0.8), -6, False, {Manner.CALM}, 4),
        (VoiceTraits(pace=0.9), -14, False, {Manner.SOFT}, 6),
        (VoiceTraits(pace=0.9), -6, True, {Manner.SOFT}, 6),
    ],
)
@pytest.mark.parametrize("microphone_db", [-12, 0])
def test_real_speech_is_read_against_its_speaker_whatever_the_microphone(
    speech, voice, gain_db, whispers, manners, at_least, microphone_db
):
    read = []
    for text in SENTENCES:
        reader = MannerReader()
        for other in SENTENCES:
            if other != text:
                usual = speech(other, gain_db=microphone_db)
                assert reader.read(prosody_of(usual, other)) is Manner.NEUTRAL
        samples = speech(text, voice, gain_db + microphone_db)
        samples = whispered(samples) if whispers else samples
        read.append(reader.read(prosody_of(samples, text)))
    assert sum(manner in manners for manner in read) >= at_least


@given(st.sampled_from(list(VOICE_TRAITS.values())), st.sampled_from(list(Manner)))
def test_every_voice_stays_intelligible_in_every_manner(voice, manner):
    answer = toned(voice, manner)
    assert 0.62 <= answer.pitch <= 1.3
    assert 0.85 <= answer.pace <= 1.25
    assert answer is voice or manner is not Manner.NEUTRAL
