"""Prosody: loudness, melody and pace of one utterance, and the manner that they tell. Pure.

Theory of operation
-------------------
An utterance is measured every 10 ms:

    level      RMS of the loud steps (those within 20 dB of the loudest), in dB full scale
    pitch      first high peak of the normalised autocorrelation between 65 and 400 Hz, with the
               window's own autocorrelation divided out (Boersma, 1993); the median, in Hz
    range      distance of the 10th and the 90th percentile of the pitch, in semitones; what lies
               further than ten semitones from the median is an octave error and left out
    voiced     share of the loud steps that have a pitch: whispering has hardly any
    pace       syllables a second, pauses left out; counted in the transcript, as groups of vowels
               (peaks of loudness, counted in the sound, miss a fifth of them in fast speech)

None of it means much by itself: microphones and people differ by more than moods do. So it is held
against what this session has heard before, as medians; until three utterances were heard, against
a mixture with an average speaker, and pitch against nothing. Each measure is a cue of one when it
is clearly off the usual (6 dB, 3 semitones, 8 semitones of range, 30 % of pace). A manner
needs two cues that agree; hurry is pace alone, softness loudness or whispering alone.

What this cannot do: tell joy from anger, or irony from anything; hear sadness in words; follow a
microphone that is moved. It reads arousal, not feelings, and says neutral when in doubt.
"""

import re
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from math import log2
from statistics import median
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.stages import VoiceTraits
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_HOP = INPUT_SAMPLE_RATE // 100
_PITCH_WINDOW = 640  # 40 ms: two and a half periods of the lowest pitch
_FFT = 2048
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 400.0
_VOICED = 0.5
_FEWEST_PITCHES = 5
_OCTAVE_ERROR = 10.0  # semitones
_SHORTEST_S = 0.3
_DEPTH_DB = 20.0
_LONGEST_PAUSE = 20  # steps of 10 ms; a longer pause is no part of the pace

_VOWELS = re.compile(r"[aeiouyäöüáéíóúàèìòùâêîôû]+", re.IGNORECASE)
_SILENT_E = re.compile(r"(?<=[aeiouy])[^aeiouyl\W\d]+e\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prosody:
    """Measures of one utterance; ``voiced`` is a share from 0 to 1.

    ``pitch_hz`` and ``range_semitones`` are 0 where nothing was voiced.
    """

    level_dbfs: float
    pitch_hz: float
    range_semitones: float
    voiced: float
    syllables_a_second: float


AVERAGE = Prosody(-27.0, 0.0, 8.0, 0.7, 5.0)
"""An average speaker at a headset, assumed before anything was heard; the pitch is left open."""


def prosody_of(samples: Samples, text: str) -> Prosody | None:
    """Measure an utterance of ``text``: samples at 16 kHz. None where it is below 0.3 s."""
    if len(samples) < _SHORTEST_S * INPUT_SAMPLE_RATE or not text.strip():
        return None
    levels = _levels(samples)
    loud = levels > levels.max() - _DEPTH_DB
    pitches = _pitches(samples)
    heard = pitches[loud[: len(pitches)] & (pitches > 0)]
    pitch, spread = _melody(heard)
    return Prosody(
        level_dbfs=float(10 * np.log10(np.mean(10 ** (levels[loud] / 10)))),
        pitch_hz=pitch,
        range_semitones=spread,
        voiced=len(heard) / int(loud.sum()),
        syllables_a_second=syllables(text) / max(_SHORTEST_S, _speech_s(loud)),
    )


def syllables(text: str) -> int:
    """Estimate the syllables of ``text``: right within a fifth for English; a digit is two."""
    groups = len(_VOWELS.findall(text)) - len(_SILENT_E.findall(text))
    return max(1, groups + 2 * sum(map(str.isdigit, text)))


def _levels(samples: Samples) -> Samples:
    """Return the level of each 10 ms, in dB full scale."""
    steps = samples[: len(samples) // _HOP * _HOP].reshape(-1, _HOP)
    power = np.maximum(np.mean(steps * steps, axis=1), 1e-10)
    return np.asarray(10 * np.log10(power), np.float32)


def _speech_s(loud: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    steps = np.diff(np.flatnonzero(loud))
    return float(steps[steps <= _LONGEST_PAUSE].sum() + 1) * _HOP / INPUT_SAMPLE_RATE


def _melody(heard: Samples) -> tuple[float, float]:
    """Return the median pitch in Hz, and the range in semitones."""
    if len(heard) < _FEWEST_PITCHES:
        return 0.0, 0.0
    middle = float(np.median(heard))
    semitones = 12 * np.log2(heard / middle)
    low, high = np.percentile(semitones[np.abs(semitones) <= _OCTAVE_ERROR], [10, 90])
    return middle, float(high - low)


def _pitches(samples: Samples) -> Samples:
    """Return the pitch in Hz at each 10 ms; 0 where there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _PITCH_WINDOW)[::_HOP]
    taper = np.hanning(_PITCH_WINDOW).astype(np.float32)
    shortest, longest = int(INPUT_SAMPLE_RATE / _HIGHEST_HZ), int(INPUT_SAMPLE_RATE / _LOWEST_HZ)
    tapered = np.asarray((windows - windows.mean(axis=1, keepdims=True)) * taper, np.float32)
    power, own = _autocorrelation(tapered), _autocorrelation(taper)
    scale = own[0] / (own[: longest + 1] * np.maximum(power[:, :1], 1e-9))
    likeness = (power[:, : longest + 1] * scale)[:, shortest - 1 :]
    inner = likeness[:, 1:-1]
    peak = (inner >= likeness[:, :-2]) & (inner >= likeness[:, 2:])
    best = np.where(peak, inner, 0.0).max(axis=1)
    # The first lag that is nearly as good: a multiple of the period is no worse, but too low.
    lag = shortest + np.argmax(peak & (inner >= 0.9 * best[:, None]), axis=1)
    return np.where(best >= _VOICED, INPUT_SAMPLE_RATE / lag, 0.0).astype(np.float32)


def _autocorrelation(windows: Samples) -> Samples:
    spectrum = np.fft.rfft(windows, _FFT, axis=-1)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, axis=-1), np.float32)


class Manner(Enum):
    """How a speaker sounds, by arousal."""

    NEUTRAL = "neutral"
    CALM = "calm"
    SOFT = "soft"
    EXCITED = "excited"
    HURRIED = "hurried"


_MEMORY = 20
_KNOWN = 3  # utterances until a speaker is known
_LEVEL_CUE_DB = 6.0
_PITCH_CUE_SEMITONES = 3.0
_RANGE_CUE_SEMITONES = 8.0
_PACE_CUE = log2(1.3)
_CLEAR = 0.8
_SOFT_DB = -10.0
_WHISPERED = 0.35  # of the usual share of voiced steps


class MannerReader:
    """Reads the manner of one session's user against how that user usually sounds."""

    def __init__(self) -> None:
        self._heard: deque[Prosody] = deque(maxlen=_MEMORY)

    def read(self, prosody: Prosody) -> Manner:
        """Return the manner of an utterance, and count the utterance among the usual ones."""
        usual = self._usual()
        # Before microphone and speaker are known, half of the distance is believed.
        belief = 0.5 + 0.5 * min(len(self._heard), _KNOWN) / _KNOWN
        self._heard.append(prosody)
        level_db = (prosody.level_dbfs - usual.level_dbfs) * belief
        if level_db <= _SOFT_DB or (prosody.voiced < _WHISPERED * usual.voiced and level_db < 0):
            return Manner.SOFT
        faster = prosody.syllables_a_second / usual.syllables_a_second
        pace = log2(faster) / _PACE_CUE * belief
        cues = (
            level_db / _LEVEL_CUE_DB,
            _semitones(prosody.pitch_hz, usual.pitch_hz) / _PITCH_CUE_SEMITONES,
            (prosody.range_semitones - usual.range_semitones) / _RANGE_CUE_SEMITONES,
            pace,
        )
        if sum(cue >= _CLEAR for cue in cues) >= 2 and sum(cues) > 0:
            return Manner.EXCITED
        if pace >= 1.0:
            return Manner.HURRIED
        if sum(cue <= -_CLEAR for cue in cues) >= 2 and sum(cues) < 0:
            return Manner.CALM
        return Manner.NEUTRAL

    def _usual(self) -> Prosody:
        if not self._heard:
            return AVERAGE
        known = min(len(self._heard), _KNOWN) / _KNOWN

        def middle(name: str) -> float:
            own = median(getattr(heard, name) for heard in self._heard)
            return float(known * own + (1 - known) * getattr(AVERAGE, name))

        pitches = [heard.pitch_hz for heard in self._heard if heard.pitch_hz]
        return Prosody(
            level_dbfs=middle("level_dbfs"),
            pitch_hz=median(pitches) if pitches else 0.0,
            range_semitones=middle("range_semitones"),
            voiced=middle("voiced"),
            syllables_a_second=middle("syllables_a_second"),
        )


def _semitones(pitch_hz: float, usual_hz: float) -> float:
    return 12 * log2(pitch_hz / usual_hz) if pitch_hz and usual_hz else 0.0


# --- what a manner changes ---------------------------------------------------------------------

_ASIDES = {
    Manner.NEUTRAL: "",
    Manner.CALM: "(The user sounds calm and low: answer gently.)",
    Manner.SOFT: "(The user speaks very softly: answer quietly and gently.)",
    Manner.EXCITED: "(The user sounds excited: answer with energy.)",
    Manner.HURRIED: "(The user is in a hurry: answer very briefly.)",
}

#                                pitch  pace  timbre
_TONES = {
    Manner.NEUTRAL: VoiceTraits(1.00, 1.00, 1.00),
    Manner.CALM: VoiceTraits(0.97, 0.94, 1.00),
    Manner.SOFT: VoiceTraits(0.96, 0.91, 1.02),
    Manner.EXCITED: VoiceTraits(1.05, 1.06, 1.01),
    Manner.HURRIED: VoiceTraits(1.00, 1.11, 1.00),
}
_PITCH = (0.62, 1.30)
_PACE = (0.85, 1.25)


def aside_of(manner: Manner) -> str:
    """Return the line that tells the chat model of ``manner``; "" for the neutral.

    The line comes after the user's words, so that a prefill with the words stays in the cache.
    """
    return _ASIDES[manner]


def toned(voice: VoiceTraits, manner: Manner) -> VoiceTraits:
    """Return ``voice`` in the tone that answers ``manner``, within what stays intelligible."""
    if manner is Manner.NEUTRAL:
        return voice
    tone = _TONES[manner]
    return replace(
        voice,
        pitch=min(max(voice.pitch * tone.pitch, _PITCH[0]), _PITCH[1]),
        pace=min(max(voice.pace * tone.pace, _PACE[0]), _PACE[1]),
        timbre=voice.timbre * tone.timbre,
    )
