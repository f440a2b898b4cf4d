"""Other echo cancellers, fed as ours is: WebRTC's, Speex's, and none at all.

Each sends all that it makes of the microphone at once: what is left of the echo is the server's
to judge. Their reference goes through the same queue as ours.
"""

import ctypes
from collections.abc import Callable

import numpy as np
import pyaec
from pywebrtc_audio import AudioProcessor

from live_cli.audio.echo.canceller import EchoState
from live_cli.audio.echo.filter import HOP_SAMPLES
from live_cli.audio.echo.reference import ReferenceQueue
from live_cli.audio.framer import Framer
from live_cli.audio.pcm import Samples
from live_cli.audio.resampler import Resampler
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.simulated_room import PLAYED_RATE

SPEEX_TAPS = 4096
_FULL_SCALE = 32767

Cancel = Callable[[Samples, Samples], Samples]
"""A frame that was heard and the frame that was played before it -> what is left."""


class Peer:
    """A canceller of frames of 10 ms, with the interface of ours."""

    state = EchoState.OPEN

    def __init__(self, cancel: Cancel) -> None:
        self._cancel = cancel
        self._resampler = Resampler(PLAYED_RATE, INPUT_SAMPLE_RATE, quality="LQ")
        self._reference = ReferenceQueue()
        self._framer = Framer(HOP_SAMPLES)

    def play(self, samples: Samples) -> None:
        self._reference.push(self._resampler.process(samples))

    def process(self, microphone: Samples) -> Samples:
        frames = self._framer.push(microphone)
        return np.concatenate([self._cancel(each, self._reference.pull()) for each in frames])


def nothing() -> Peer:
    return Peer(lambda heard, _: heard)


def webrtc(*, suppressing: bool) -> Peer:
    """AEC3, with or without its mild noise suppression; no gain control."""
    processor = AudioProcessor(
        sample_rate=INPUT_SAMPLE_RATE,
        echo_cancellation=True,
        noise_suppression=suppressing,
        ns_level=1,
        auto_gain_control=False,
    )
    return Peer(processor.process)


def speex() -> Peer:
    """The linear filter alone. The package's own method takes lists; its C function does not."""
    aec = pyaec.Aec(HOP_SAMPLES, SPEEX_TAPS, INPUT_SAMPLE_RATE, enable_preprocess=False)

    def cancel(heard: Samples, played: Samples) -> Samples:
        out = np.zeros(HOP_SAMPLES, dtype=np.int16)
        frames = [_pcm16(heard), _pcm16(played), out]
        places = [each.ctypes.data_as(ctypes.POINTER(ctypes.c_int16)) for each in frames]
        pyaec.lib.AecCancelEcho(aec._aec, *places, HOP_SAMPLES)
        return out.astype(np.float32) / _FULL_SCALE

    return Peer(cancel)


def _pcm16(frame: Samples) -> "np.typing.NDArray[np.int16]":
    return (np.clip(frame, -1, 1) * _FULL_SCALE).astype(np.int16)
