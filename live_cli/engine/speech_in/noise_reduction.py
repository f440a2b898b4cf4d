"""Noise taken out of segments of speech, where they are noisy enough to be heard better without.

Theory of operation
-------------------
Whether a segment is noisy is judged when it is bounded, by how far its speech stands out of its
background (`audio.noise.meter`): so the same sound is always treated alike, and clean speech, which
a denoiser harms, never comes near one. The denoising itself would be late then, a tenth of a second
and more for each second of speech, so it runs beside the stream: from the first noisy segment on,
as soon as half a second of that shows it, until a segment or five seconds without one are clean.

While it runs, the voice activity detector judges the denoised sound too, 42 ms late: at 10 dB of
babble it takes 4 % of the pauses for speech then, and 25 % of them as they are.

Calls are made by one thread at a time.
"""

import logging
from collections.abc import Callable
from typing import Final

from live_cli.audio.noise.denoised_stream import NOISY_BELOW_DB, WARM_UP, DenoisedStream
from live_cli.audio.noise.denoiser import (
    DeepFilterNet,
    Denoiser,
    DenoiserError,
    library_and_model,
)
from live_cli.audio.noise.meter import NoiseMeter
from live_cli.audio.pcm import Samples
from live_cli.audio.sample_buffer import SampleBuffer
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_log = logging.getLogger("live_cli.serve.engine")

_JUDGED_EVERY: Final = INPUT_SAMPLE_RATE // 2
_QUIET_FOR: Final = 5 * INPUT_SAMPLE_RATE
_MARGIN_DB: Final = 4.0
_AUTO, _ON = "auto", "on"


class NoiseReduction:
    """Denoises the noisy segments of one stream at 16 kHz; positions count its samples.

    ``begin`` makes the denoiser, once it is needed. ``always``: every segment is denoised.
    """

    def __init__(self, begin: Callable[[], Denoiser], *, always: bool = False) -> None:
        self._begin = begin
        self._always = always
        self._meter = NoiseMeter()
        self._stream: DenoisedStream | None = None
        self._failed = False
        self._running = always
        self._judge_at = 0

    def follow(self, sound: SampleBuffer, new: Samples, wanted_from: int, *, is_open: bool) -> None:
        """Take ``new``, the end of ``sound``.

        ``wanted_from``: where the segment starts that is open (``is_open``), or may come.
        """
        self._meter.push(new)
        if sound.end >= self._judge_at:
            self._judge_at = sound.end + _JUDGED_EVERY
            if self._running:
                self._running = is_open or not self._is_quiet(sound.end)
            elif is_open:
                self._running = self._is_noisy(wanted_from, sound.end)
        if self._running and (stream := self._loaded()) is not None:
            stream.feed(sound, wanted_from)

    def finish(self, sound: SampleBuffer) -> None:
        """Denoise to the end of ``sound``, where the stream pauses."""
        if self._running and self._stream is not None:
            self._stream.finish(sound)

    def detectable(self, sound: SampleBuffer, start: int, end: int) -> Samples | None:
        """Return what a detector is to judge of ``sound``; None: that is not denoised yet."""
        stream = self._stream if self._running else None
        if stream is None or not stream.covers(start):
            return sound.between(start, end)
        return stream.mixed(sound, start, end) if end <= stream.end else None

    def denoised(self, sound: SampleBuffer, start: int, end: int) -> Samples | None:
        """Return the segment from ``start`` to ``end`` with less noise; None: it is not noisy."""
        self._running = self._is_noisy(start, end)
        stream = self._loaded() if self._running else None
        if stream is None:
            return None
        stream.feed(sound, start)
        return stream.mixed(sound, start, end)

    def denoised_so_far(self, sound: SampleBuffer, start: int, end: int) -> Samples | None:
        """As `denoised`, of a segment that goes on: nothing is loaded or computed for it."""
        stream = self._stream if self._running else None
        if stream is None or not stream.covers(start):
            return None
        return stream.mixed(sound, start, end)

    def forget_before(self, position: int) -> None:
        """Drop what was denoised before ``position``."""
        if self._stream is not None:
            self._stream.forget_before(position)

    def _is_noisy(self, start: int, end: int) -> bool:
        if self._always:
            return True
        snr_db = self._meter.snr_db(start - WARM_UP, end)
        return snr_db is not None and snr_db < NOISY_BELOW_DB

    def _is_quiet(self, end: int) -> bool:
        if self._always:
            return False
        snr_db = self._meter.snr_db(end - _QUIET_FOR, end)
        return snr_db is not None and snr_db >= NOISY_BELOW_DB + _MARGIN_DB

    def _loaded(self) -> DenoisedStream | None:
        if self._stream is None and not self._failed:
            try:
                self._stream = DenoisedStream(self._begin())
            except DenoiserError as exc:
                self._failed = True
                _log.warning("speech is heard with its noise: %s", exc)
        return self._stream


def noise_reduction(mode: str) -> NoiseReduction | None:
    """Return what denoises one stream as ``mode`` says: auto, on, or off, which is None.

    None also for auto where no denoiser is installed; with on, the log says that it is not.
    """
    if mode == _ON or (mode == _AUTO and library_and_model() is not None):
        return NoiseReduction(DeepFilterNet, always=mode == _ON)
    return None
