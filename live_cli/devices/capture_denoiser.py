"""The noise of a loud background, taken out of what is captured before it is sent.

Only while the background is loud, by the last five seconds (`audio.noise.meter`), and with a
margin, so that it does not begin and end over and over. What is sent is then 32 ms later, and the
capture thread takes 0.1 of a core more; nothing is left out or repeated where that begins or ends.
The denoiser is loaded by a thread of its own meanwhile, for 0.7 s.
"""

import threading
from collections.abc import Callable
from typing import Final

import numpy as np

from live_cli.audio.noise.denoised_stream import NOISY_BELOW_DB, WARM_UP, DenoisedStream
from live_cli.audio.noise.denoiser import Denoiser, DenoiserError
from live_cli.audio.noise.meter import NoiseMeter
from live_cli.audio.pcm import Samples
from live_cli.audio.sample_buffer import SampleBuffer
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_JUDGED_OVER: Final = 5 * INPUT_SAMPLE_RATE
_JUDGED_EVERY: Final = INPUT_SAMPLE_RATE // 2
_MARGIN_DB: Final = 4.0


class CaptureDenoiser:
    """Denoises one captured stream at 16 kHz while it is noisy; used by the capture thread.

    ``begin`` makes the denoiser. ``always``: whatever the background. ``on_failed`` gets the reason
    where there is none to be had, from another thread; the stream stays as it is then.
    """

    def __init__(
        self,
        begin: Callable[[], Denoiser],
        on_failed: Callable[[str], None],
        *,
        always: bool = False,
    ) -> None:
        self._begin = begin
        self._on_failed = on_failed
        self._always = always
        self._noisy = always
        self._meter = NoiseMeter()
        self._sound = SampleBuffer()
        self._given = 0  # samples that have been returned
        self._metered = 0
        self._judge_at = 0
        self._stream: DenoisedStream | None = None
        self._loading: threading.Thread | None = None
        if always:
            self._load().join()

    def clean(self, samples: Samples) -> Samples:
        """Take what was captured next, return what is to be sent next: in all, as much."""
        self._sound.append(samples)
        if samples.any():  # what an echo control has silenced is no background
            self._meter.push(samples)
            self._metered += samples.size
            self._judge()
        if not self._noisy or self._stream is None:
            return self._give(None, self._sound.end)
        self._stream.feed(self._sound, self._given)
        return self._give(self._stream, self._stream.end)

    def finish(self) -> Samples:
        """Return the rest: the capture has ended."""
        if self._noisy and self._stream is not None:
            self._stream.finish(self._sound)
            return self._give(self._stream, self._sound.end)
        return self._give(None, self._sound.end)

    def _judge(self) -> None:
        if self._always:
            return
        end = self._metered
        if end < self._judge_at:
            return
        self._judge_at = end + _JUDGED_EVERY
        snr_db = self._meter.snr_db(end - _JUDGED_OVER, end)
        if snr_db is not None:
            self._noisy = snr_db < NOISY_BELOW_DB + (_MARGIN_DB if self._noisy else 0.0)
        if self._noisy and self._loading is None:
            self._load()

    def _load(self) -> threading.Thread:
        def load() -> None:
            try:
                self._stream = DenoisedStream(self._begin())
            except DenoiserError as exc:
                self._on_failed(str(exc))

        self._loading = threading.Thread(target=load, name="denoiser", daemon=True)
        self._loading.start()
        return self._loading

    def _give(self, stream: DenoisedStream | None, end: int) -> Samples:
        start = self._given
        if end <= start:
            return np.zeros(0, np.float32)
        self._given = end
        given = (
            self._sound.between(start, end)
            if stream is None
            else stream.mixed(self._sound, start, end)
        )
        self._sound.forget_before(end - WARM_UP)
        if self._stream is not None:
            self._stream.forget_before(end)
        return given
