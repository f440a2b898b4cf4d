"""hibari, English text to speech at 24 kHz: thirty voices made of the one in its package.

The network predicts, for each 12.5 ms, a fundamental frequency and spectral envelopes; the
library turns them into a waveform. Between the two, a voice's traits apply (`envelopes.py`): the
fundamental is multiplied (pitch), the envelopes are stretched along the frequency axis, which moves
the formants as a longer or shorter vocal tract does (timbre), and the network is asked for another
speed (pace).
"""

import math
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.tts.envelopes import harmonics_of, moved, stretched
from live_cli.engine.backends.tts.pauses import pause_after, without_padding
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError
from live_cli.scripts import latin_part

_LOUDNESS = 1.6
"""The model speaks at some -26 dBFS, conversation is at about -22. Peaks are rounded off."""
_KNEE = 0.75
_CEILING = 0.89
"""-1 dBFS, which leaves room for the overshoot of a resampler at a peak."""
_SPEED_POWER = 1.6
"""Asked for a speed between 0.85 and 1.25 the network goes only part of the way."""


class HibariSynthesizer:
    """A loaded hibari model and the voice inside its package."""

    def __init__(self) -> None:
        try:
            from hibari import dsp
            from hibari.tts import Hibari
        except ImportError as exc:
            raise EngineError(
                "the synthesizer is not installed: pip install 'live-cli[local]'"
            ) from exc
        self._dsp: Any = dsp
        try:
            self._tts: Any = Hibari(threads=1)
            self._lock = threading.Lock()
            for _ in self.speak("Ready when you are.", VoiceTraits()):
                pass  # the first call builds the grapheme-to-phoneme tables
        except Exception as exc:  # onnxruntime raises its own kinds
            raise EngineError(
                f"the synthesizer does not load ({exc}): reinstall hibari-tts"
            ) from exc

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield a chunk for each sentence as soon as it is ready; none for text without words.

        Words in other scripts than Latin are left out: the library would spell them, as nonsense.
        """
        text = latin_part(text)
        with self._lock:
            sentences = self._tts.phonemize(text)
        for number, phonemes in enumerate(sentences, start=1):
            with self._lock:
                samples = self._sentence(phonemes, voice)
            pause = pause_after(text if number == len(sentences) else ".")
            if len(samples := without_padding(samples, pause)):
                yield samples

    def _sentence(self, phonemes: str, voice: VoiceTraits) -> Samples:
        ids = self._tts.ids(phonemes)
        if len(ids) < 3:  # the two pads alone
            return np.zeros(0, np.float32)
        inputs = {
            "ids": np.asarray([ids], np.int64),
            "speed": np.asarray([voice.pace**_SPEED_POWER], np.float32),
        }
        harmonic, phase, noise, rest, rest_phase, f0 = (
            out[0] for out in self._tts.sess.run(None, inputs)
        )
        harmonic, phase = harmonics_of(harmonic, phase, f0, voice)
        if voice.timbre != 1.0:
            noise, rest = (stretched(envelope, voice.timbre) for envelope in (noise, rest))
            rest_phase = moved(rest_phase, voice.timbre)
        rng = np.random.default_rng(len(ids))  # the same words sound the same
        samples = self._dsp.synth(harmonic, phase, noise, rest, rest_phase, f0 * voice.pitch, rng)
        return limited(np.asarray(samples * gain_of(voice), dtype=np.float32))


def gain_of(voice: VoiceTraits) -> float:
    """Return the gain that makes ``voice`` as loud as the synthesizer's own.

    The power of a pulse train under an envelope grows with the harmonics that stand below it:
    as 1 / pitch, for they stand closer, and as timbre, for formants grow as wide as they go high.
    """
    return _LOUDNESS * math.sqrt(voice.pitch / voice.timbre)


def limited(samples: Samples) -> Samples:
    """``samples`` with peaks above the knee bent to stay below the ceiling."""
    loud = np.abs(samples) - _KNEE
    room = _CEILING - _KNEE
    bent = np.sign(samples) * (_KNEE + room * np.tanh(loud / room))
    return np.ascontiguousarray(np.where(loud > 0, bent, samples), dtype=np.float32)
