"""The microphone: device callback -> bounded queue -> capture thread -> 20 ms frames at 16 kHz."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from live_cli.audio.framer import Framer
from live_cli.audio.meter import level_dbfs
from live_cli.audio.pcm import mono, pcm16_from_float
from live_cli.audio.resampler import Resampler
from live_cli.audio.stream_clock import StreamClock
from live_cli.devices.listing import find_device
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.portaudio import load_sounddevice, open_stream
from live_cli.devices.stream_watch import LostCallback, StreamWatch

CAPTURE_SAMPLE_RATE = 16_000
FRAME_SAMPLES = CAPTURE_SAMPLE_RATE // 50
"""20 ms."""

FrameCallback = Callable[[bytes, float, float], None]
"""Gets a frame as PCM16 little-endian mono at 16 kHz, its level in dBFS, and when its last sample
reached the device, on ``time.monotonic``."""

_QUEUED_BLOCKS = 100


def block_and_latency() -> tuple[int, float]:
    """Block in ms and latency in s to ask of a device: 10 and 0.04, on a small machine 20 and 0.06.

    Measured on two busy cores: 10 ms at 0.04 s underran 29 times a minute, 20 ms at 0.06 s never.
    """
    return (20, 0.06) if (os.cpu_count() or 1) <= 2 else (10, 0.04)


class Microphone:
    """Captures from ``device`` (number or part of a name; None: the default) until stopped.

    ``on_frame`` and ``on_lost`` are called from threads of the microphone's own. The device runs
    at its own rate; soxr converts. ``dropped`` counts blocks lost, oldest first, because
    ``on_frame`` took more than a second or two to return.
    """

    def __init__(
        self, device: str | None, on_frame: FrameCallback, on_lost: LostCallback | None = None
    ) -> None:
        self.dropped = 0
        self.overflows = 0
        """How often the device lost sound before it reached us."""
        self._device = device
        self._on_frame = on_frame
        self._blocks: deque[tuple[npt.NDArray[np.float32], float]] = deque(maxlen=_QUEUED_BLOCKS)
        self._ready = threading.Event()
        self._stopping = False
        self._watch = StreamWatch("microphone", on_lost)
        self._framer = Framer(FRAME_SAMPLES)
        self._resampler = Resampler(CAPTURE_SAMPLE_RATE, CAPTURE_SAMPLE_RATE)
        self._rate = CAPTURE_SAMPLE_RATE
        self._clock = StreamClock()
        self._samples_in = self._samples_out = 0
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._stream: Any = None

    def start(self) -> None:
        """Open the device. Raises DeviceError."""
        sounddevice = load_sounddevice()
        device = find_device(self._device, "input")
        block_ms, latency = block_and_latency()

        def open_one(rate: int, channels: int) -> Any:
            return sounddevice.InputStream(
                device=device.index,
                samplerate=rate,
                channels=channels,
                dtype="float32",
                blocksize=rate * block_ms // 1000,
                latency=latency,
                callback=self._capture,
                finished_callback=self._watch.end,
            )

        rates = (device.default_rate, 48_000, 44_100, 16_000)
        with native_stderr_silenced():
            self._stream, self._rate = open_stream(
                open_one, device, "input", rates, (1, 2, device.inputs)
            )
        self._resampler = Resampler(self._rate, CAPTURE_SAMPLE_RATE)
        self._thread.start()
        self._watch.start()

    def stop(self) -> None:
        """Close the device. No frame comes after it has returned."""
        self._watch.stop()
        stream, self._stream = self._stream, None
        if stream is not None:
            with native_stderr_silenced():
                stream.close()
        self._stopping = True
        self._ready.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    @property
    def lost(self) -> str | None:
        """What ``on_lost`` was told; None while the device is there."""
        return self._watch.lost

    def _capture(
        self, block: npt.NDArray[np.float32], frames: int, time_info: Any, status: Any
    ) -> None:
        """The device's callback: copies, nothing else."""
        self._watch.beat()
        if status.input_overflow:
            self.overflows += 1
        if len(self._blocks) == _QUEUED_BLOCKS:
            self.dropped += 1
        age_s = time_info.currentTime - time_info.inputBufferAdcTime
        self._blocks.append((block.copy(), time.monotonic() - age_s))
        self._ready.set()

    def _run(self) -> None:
        while not self._stopping:
            self._ready.wait()
            self._ready.clear()
            while self._blocks and not self._stopping:
                self._convert(*self._blocks.popleft())

    def _convert(self, block: npt.NDArray[np.float32], captured_at: float) -> None:
        self._clock.note(self._samples_in / self._rate, captured_at)
        self._samples_in += block.shape[0]
        # of more than two channels, the first: the others may be loopbacks or other microphones
        one = mono(block) if block.shape[1] <= 2 else np.ascontiguousarray(block[:, 0])
        for frame in self._framer.push(self._resampler.process(one)):
            self._samples_out += FRAME_SAMPLES
            ends_at = self._clock.at(self._samples_out / CAPTURE_SAMPLE_RATE)
            self._on_frame(pcm16_from_float(frame), level_dbfs(frame), ends_at)
