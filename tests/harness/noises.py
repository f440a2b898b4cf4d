"""Background noises, made by computation and so under the project's own licence; speech in them.

Each is mono at 16 kHz, float32, the same for the same seed: *pink* noise; *street*: rumble as
filtered noise, with cars that pass; *music*: chords, a bass and a beat, made of sines; *babble*:
eight of the synthesizer's voices at once, each in its own words.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_RATE = INPUT_SAMPLE_RATE
_TALK = (
    "We looked at four flats last week and none of them had a kitchen that you could stand up in.",
    "He says the train leaves at nine, but on Sundays it has never once been on time.",
    "Put the onions in first, and let them go soft before you think about the garlic.",
    "My sister rang again last night about the wedding, and whether we should bring the dog.",
    "If they score now it will be three to two, and the whole street is going to hear about it.",
    "I told the doctor that my knee only hurts when I walk down the stairs, not up.",
    "You cannot park there, they towed my neighbour's van away in under ten minutes.",
    "The soup was cold, the waiter was rude, and still we go back there every other Friday.",
)
_VOICES = ("Kore", "Charon", "Leda", "Puck", "Sulafat", "Orus", "Autonoe", "Schedar")


def with_noise(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return ``speech`` with ``noise`` under it, at ``snr_db`` between the RMS of the two.

    Both are made quieter alike where the sum would be clipped.
    """
    noise = np.resize(noise, speech.size)
    factor = _rms(speech) / _rms(noise) * 10 ** (-snr_db / 20)
    mixed = speech + np.float32(factor) * noise
    return np.asarray(mixed / max(1.0, np.abs(mixed).max() / 0.95), np.float32)


def pink(seconds: float, seed: int = 0) -> Samples:
    """Noise whose power falls by 3 dB an octave."""
    return _coloured(np.random.default_rng(seed), round(seconds * _RATE), 1.0)


def street(seconds: float, seed: int = 0) -> Samples:
    """Low rumble, and every few seconds a car that comes and goes: engine, tyres, their pitch."""
    rng = np.random.default_rng(seed)
    count = round(seconds * _RATE)
    sound = _coloured(rng, count, 2.0) / 2 + _coloured(rng, count, 1.0) / 3
    time = np.arange(count) / _RATE
    at = rng.uniform(0.0, 2.0)
    while at < seconds:
        nearness = 1 / (1 + ((time - at) / rng.uniform(0.4, 1.0)) ** 2)
        hertz = rng.uniform(45, 90) * (1 + 0.06 * np.tanh(at - time))
        turns = np.cumsum(hertz) / _RATE + rng.uniform()
        engine = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 12))
        tyres = _band(rng, count, 500, 2500)
        sound = sound + nearness * (0.3 * engine + rng.uniform(0.4, 0.9) * tyres)
        at += rng.uniform(1.5, 4.5)
    return _levelled(sound)


def music(seconds: float, seed: int = 0) -> Samples:
    """Four chords over and over, a bass, a melody and a beat."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * _RATE) + 3 * _RATE)
    beat_s, root = 60 / rng.uniform(85, 130), 110 * 2 ** (rng.integers(0, 12) / 12)
    chords = [(0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14)]
    for beat in range(int(seconds / beat_s) + 1):
        at, chord = beat * beat_s, chords[beat // 4 % 4]
        if beat % 4 == 0:
            for note in chord:
                _add(sound, at, _tone(2 * root * 2 ** (note / 12), 4 * beat_s, decay_s=2.5))
        _add(sound, at, 1.2 * _tone(root / 2 * 2 ** (chord[0] / 12), beat_s, decay_s=0.5))
        for half in (0.0, 0.5):
            note = chord[rng.integers(0, 3)] + 12 * rng.integers(1, 3)
            pitch = root * 2 ** (note / 12)
            _add(sound, at + half * beat_s, 0.7 * _tone(pitch, beat_s / 2, decay_s=0.4))
            hit = rng.standard_normal(_RATE // 8) * np.exp(-np.arange(_RATE // 8) / 250)
            _add(sound, at + half * beat_s, (0.5 if half else 0.3) * hit)
    return _levelled(sound[: round(seconds * _RATE)])


def babble(seconds: float, seed: int = 0) -> Samples:
    """Eight voices at once; ``seed`` shifts them against each other and makes some louder."""
    rng = np.random.default_rng(seed)
    count = round(seconds * _RATE)
    sound = np.zeros(count)
    for voice in _spoken():
        sound += rng.uniform(0.6, 1.4) * np.resize(np.roll(voice, rng.integers(voice.size)), count)
    return _levelled(sound)


NOISES: dict[str, Callable[[float, int], Samples]] = {
    "pink": pink,
    "babble": babble,
    "street": street,
    "music": music,
}


@cache
def _spoken() -> tuple[Samples, ...]:
    """What each of the voices says, over and over."""
    from live_cli.audio.resampler import Resampler
    from live_cli.engine.backends.tts.hibari import HibariSynthesizer
    from live_cli.engine.setup.voices import VOICE_TRAITS
    from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

    synthesizer = HibariSynthesizer()

    def said() -> Iterator[Samples]:
        for name, words in zip(_VOICES, _TALK, strict=True):
            speech = np.concatenate(list(synthesizer.speak(words, VOICE_TRAITS[name])))
            yield _levelled(Resampler(OUTPUT_SAMPLE_RATE, _RATE).process(speech))

    return tuple(said())


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _levelled(samples: Samples) -> Samples:
    return np.asarray(0.1 / _rms(samples) * samples, np.float32)


def _coloured(rng: np.random.Generator, count: int, power: float) -> Samples:
    """Noise whose power falls with the frequency to ``power``, above 20 Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / _RATE)
    spectrum *= np.where(hertz < 20, 0.0, np.maximum(hertz, 20) ** (-power / 2))
    return _levelled(np.fft.irfft(spectrum, count))


def _band(rng: np.random.Generator, count: int, low: float, high: float) -> Samples:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / _RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return _levelled(np.fft.irfft(spectrum, count)) * 10


def _tone(hertz: float, seconds: float, decay_s: float) -> Samples:
    time = np.arange(round(seconds * _RATE)) / _RATE
    partials = sum(
        np.sin(2 * np.pi * k * hertz * time) / k**1.5 for k in range(1, 9) if k * hertz < _RATE / 2
    )
    return np.asarray(partials * np.exp(-time / decay_s) * np.minimum(1, time / 0.01))


def _add(sound: Samples, at_s: float, part: Samples) -> None:
    start = round(at_s * _RATE)
    end = min(sound.size, start + part.size)
    sound[start:end] += part[: end - start]
