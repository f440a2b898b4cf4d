"""Does a piece of speech sound as a hum does, such as "mm-hmm"? Pure.

Theory. Lips that are closed send the voice through the nose, which takes out most between 500 and
1000 Hz; in an open vowel, as in "no", lie its formants. Measured on thirty voices: of a hum -14 to
-22 dB of the power up to 4 kHz lie there, of "no" -4 to -10. A transcriber writes a hum as such a
word with all certainty now and then, so the sound is asked, too. It alone does not tell: "can" and
"we" have their formants elsewhere.
"""

from typing import Final

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_ALL_HZ: Final = (80.0, 4000.0)
_OPEN_HZ: Final = (500.0, 1000.0)
_LEAST_OPEN, _MOST_OPEN = 10 ** (-27 / 10), 10 ** (-12 / 10)
"""Less than the least is no voice but a tone."""


def is_hum(samples: Samples) -> bool:
    """Return whether ``samples``, speech at 16 kHz, may have been said with closed lips."""
    if not samples.size:
        return False
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size).astype(np.float32))) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / INPUT_SAMPLE_RATE)
    in_open, in_all = (
        float(power[(hertz >= low) & (hertz < high)].sum()) for low, high in (_OPEN_HZ, _ALL_HZ)
    )
    return _LEAST_OPEN * in_all < in_open < _MOST_OPEN * in_all
