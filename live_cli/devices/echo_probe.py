"""Plays a sound and records what comes back, through the same devices as a conversation."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.audio.playback.playout import Span
from live_cli.audio.stereo_mix import StereoMix
from live_cli.devices.listing import SoundDevice
from live_cli.devices.microphone import Microphone
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.speaker import Speaker
from live_cli.errors import DeviceError

LISTEN_BEFORE_S, LISTEN_AFTER_S = 1.2, 1.1
_LOOK_EVERY_S = 0.02
_SILENT_DEVICE_S = 6.0


@dataclass(frozen=True, slots=True)
class Probe:
    """A recording of what was heard (left) and played (right): shape (n, 2), 24 kHz, on one clock.

    The buffers are the time between the callback and the device, in either direction.
    ``dropouts``: how often either device lost sound.
    """

    stereo: npt.NDArray[np.float32]
    microphone: SoundDevice
    speaker: SoundDevice
    speaker_buffer_ms: float
    microphone_buffer_ms: float
    dropouts: int


def play_and_listen(sound: Samples, input_device: str | None, output_device: str | None) -> Probe:
    """Play ``sound`` (24 kHz) once, and record from before to after it. Raises DeviceError."""
    frames: list[tuple[bytes, float, float]] = []
    blocks: list[tuple[Samples, float, tuple[Span, ...], float]] = []
    # the callbacks only append: the blocks are mixed when both devices are closed
    microphone = Microphone(
        input_device, lambda pcm16, _, ends_at: frames.append((pcm16, ends_at, time.monotonic()))
    )
    speaker = Speaker(
        output_device,
        on_played=lambda block, at, spans: blocks.append((block, at, spans, time.monotonic())),
    )
    start = time.monotonic()
    with native_stderr_silenced():
        try:
            speaker.start()
            microphone.start()
            _listen(microphone, speaker, frames, LISTEN_BEFORE_S)
            speaker.play(1, pcm16_from_float(sound))
            speaker.end_turn(1)
            _wait(microphone, speaker, lambda: speaker.snapshot().idle)
            _listen(microphone, speaker, frames, LISTEN_AFTER_S)
        finally:
            microphone.stop()
            speaker.stop()
    if microphone.device is None or speaker.device is None:
        raise AssertionError("both were opened")
    mix = StereoMix(start)
    for pcm16, ends_at, _ in frames:
        mix.sent(pcm16, ends_at)
    for block, at, spans, _ in blocks:
        mix.played(block, at, spans)
    return Probe(
        mix.rest(),
        microphone.device,
        speaker.device,
        1000 * median(at - told_at for _, at, _, told_at in blocks),
        1000 * median(told_at - ends_at for _, ends_at, told_at in frames),
        microphone.overflows + microphone.dropped + speaker.underflows,
    )


def _listen(
    microphone: Microphone,
    speaker: Speaker,
    frames: list[tuple[bytes, float, float]],
    seconds: float,
) -> None:
    wanted = len(frames) + round(seconds * 50)
    _wait(microphone, speaker, lambda: len(frames) >= wanted)


def _wait(microphone: Microphone, speaker: Speaker, done: Callable[[], bool]) -> None:
    """Wait until ``done``. Raises DeviceError where a device is lost, or never begins."""
    until = time.monotonic() + _SILENT_DEVICE_S
    while not done():
        time.sleep(_LOOK_EVERY_S)
        lost = microphone.lost or speaker.lost
        if lost is None and time.monotonic() > until:
            lost = "The sound devices were opened, but no sound goes through them."
        if lost is not None:
            raise DeviceError(f"{lost} Check it, and start again.")
