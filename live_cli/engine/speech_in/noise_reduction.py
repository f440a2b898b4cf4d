"""Noise taken out of segments of speech, where they are noisy enough to be heard better without.

Theory of operation
-------------------
Whether a segment is noisy is judged when it is bounded, by how far its speech stands out of its
background (`audio.noise.meter`): so the same sound is always treated alike, and clean speech, which
a denoiser harms, never comes near one. The denoising itself would be late then, a tenth of a second
and more for each second of speech, so it runs beside the speech: from the first noisy segment on,
and in that as soon as half a second shows that it is noisy. What was before its beginning is put
through the denoiser first, for a second, since it has to know the noise. In silence it rests.

Sound that is not denoised yet where a segment is bounded, at most 42 ms of the silence at its end,
is silence in what is heard. Calls are made by one thread at a time.
"""

import logging
from collections.abc import Callable
from typing import Final

import numpy as np

from live_cli.audio.noise.denoiser import Denoiser, DenoiserError
from live_cli.audio.noise.meter import NoiseMeter
from live_cli.audio.noise.mix import NOISY_BELOW_DB, less_noisy
from live_cli.audio.pcm import Samples
from live_cli.engine.speech_in.sample_buffer import SampleBuffer
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_log = logging.getLogger("live_cli.serve.engine")

WARM_UP: Final = INPUT_SAMPLE_RATE
"""Samples before a segment from which the denoiser learns the noise, and the meter its level."""
_STEP: Final = INPUT_SAMPLE_RATE // 100
"""Samples that a denoiser is fed at a time, or a multiple of them: it keeps none back then."""
_JUDGED_EVERY: Final = INPUT_SAMPLE_RATE // 2


class NoiseReduction:
    """Denoises the noisy segments of one stream at 16 kHz; positions count its samples.

    ``begin`` makes the denoiser, once it is needed. ``always``: every segment is denoised.
    """

    def __init__(self, begin: Callable[[], Denoiser], *, always: bool = False) -> None:
        self._begin = begin
        self._always = always
        self._meter = NoiseMeter()
        self._denoiser: Denoiser | None = None
        self._failed = False
        self._running = always
        self._denoised = SampleBuffer()
        self._fed = 0  # the first sample that the denoiser has not seen
        self._judge_at = 0

    def follow(self, sound: SampleBuffer, new: Samples, speech_from: int | None) -> None:
        """Take ``new``, the end of ``sound``; ``speech_from``: the start of the segment that is open."""
        self._meter.push(new)
        if speech_from is None:
            return
        if not self._running and sound.end >= self._judge_at:
            self._judge_at = sound.end + _JUDGED_EVERY
            self._running = self._is_noisy(speech_from, sound.end)
        if self._running:
            self._feed(sound, speech_from)

    def end(self, sound: SampleBuffer) -> None:
        """The stream pauses: what the denoiser still holds of it comes out."""
        if self._denoiser is not None and self._denoised.end < sound.end <= self._fed + _STEP:
            rest = sound.between(self._fed, sound.end)
            wanted = rest.size + self._denoiser.delay_samples
            self._give(np.pad(rest, (0, wanted - rest.size + -wanted % _STEP)))

    def heard(self, sound: SampleBuffer, start: int, end: int, *, is_open: bool = False) -> Samples:
        """Return what a transcriber is to hear of ``sound`` from ``start`` to ``end``.

        ``is_open``: the segment goes on; nothing is computed then.
        """
        raw = sound.between(start, end)
        if is_open:
            covered = self._running and self._denoised.start <= start < self._denoised.end
            return self._mixed(raw, start, end) if covered else raw
        self._running = self._is_noisy(start, end)
        if not self._running:
            return raw
        self._feed(sound, start)
        return raw if self._denoiser is None else self._mixed(raw, start, end)

    def forget_before(self, index: int) -> None:
        """Drop what was denoised before ``index``."""
        self._denoised.forget_before(min(index, self._denoised.end))

    def _is_noisy(self, start: int, end: int) -> bool:
        if self._always:
            return True
        snr_db = self._meter.snr_db(start - WARM_UP, end)
        return snr_db is not None and snr_db < NOISY_BELOW_DB

    def _feed(self, sound: SampleBuffer, start: int) -> None:
        """Denoise ``sound`` from ``start`` to its end, where that has not been done."""
        if self._denoiser is None and not self._load():
            return
        assert self._denoiser is not None  # noqa: S101 - it is loaded
        if self._denoised.start > start or self._denoised.end < start:
            self._fed = max(sound.start, start - WARM_UP)
            self._denoised = SampleBuffer(self._fed - self._denoiser.delay_samples)
        whole = (sound.end - self._fed) // _STEP * _STEP
        if whole > 0:
            self._give(sound.between(self._fed, self._fed + whole))

    def _give(self, samples: Samples) -> None:
        assert self._denoiser is not None  # noqa: S101 - the callers have made sure
        self._denoised.append(self._denoiser.process(samples))
        self._fed += samples.size

    def _load(self) -> bool:
        if self._failed:
            return False
        try:
            self._denoiser = self._begin()
        except DenoiserError as exc:
            self._failed = True
            _log.warning("speech is heard with its noise: %s", exc)
        return not self._failed

    def _mixed(self, raw: Samples, start: int, end: int) -> Samples:
        denoised = self._denoised.between(start, min(end, self._denoised.end))
        mixed = less_noisy(raw[: denoised.size], denoised)
        return np.pad(mixed, (0, raw.size - denoised.size))
