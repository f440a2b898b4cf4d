"""The voice of a synthesizer that only knows pitch and speed, made into any of the thirty. Pure.

To play sound faster by a factor raises pitch, formants and pace by that factor together. So a
synthesizer is asked for a pitch and a pace that are lower by the voice's timbre, and its sound is
resampled by it: what is left is the formants that moved, as with a shorter vocal tract.
"""

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.audio.resampler import Resampler
from live_cli.engine.stages import VoiceTraits
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

_FRAME = OUTPUT_SAMPLE_RATE // 50
_SILENT = 0.01
"""Of the loudest frame's power: below it is a pause."""
_LEVEL = 10 ** (-22 / 20)
_CEILING = 10 ** (-1 / 20)


def asked_of(voice: VoiceTraits) -> tuple[float, float]:
    """Return the pitch and the pace to ask for, as factors on the synthesizer's own."""
    return voice.pitch / voice.timbre, voice.pace / voice.timbre


def reshaped(speech: Samples, sample_rate: int, voice: VoiceTraits) -> Samples:
    """``speech`` at ``sample_rate`` Hz, asked for by `asked_of`, as ``voice`` at 24 kHz."""
    resampler = Resampler(round(sample_rate * voice.timbre), OUTPUT_SAMPLE_RATE)
    return np.concatenate([resampler.process(speech), resampler.flush()])


def levelled(speech: Samples) -> Samples:
    """``speech`` (24 kHz) at -22 dBFS where it sounds, with no peak above -1 dBFS."""
    frames = speech[: len(speech) // _FRAME * _FRAME].reshape(-1, _FRAME)
    powers = np.mean(frames * frames, axis=1)
    sounding = powers[powers > _SILENT * powers.max(initial=0.0)]
    if not sounding.size:
        return speech
    gain = min(_LEVEL / np.sqrt(sounding.mean()), _CEILING / np.abs(speech).max())
    return np.ascontiguousarray(speech * gain, dtype=np.float32)
