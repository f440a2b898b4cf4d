"""Captures from a device: callback -> bounded queue -> capture thread -> 20 ms frames at 16 kHz.

The echo of a speaker is cancelled, and the noise of a loud background taken out, in the capture
thread, before the frames are cut.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from live_cli.audio.framer import Framer
from live_cli.audio.levels import level_dbfs
from live_cli.audio.pcm import Samples, mono, pcm16_from_float
from live_cli.audio.resampler import Resampler
from live_cli.audio.stream_clock import StreamClock
from live_cli.devices.capture_denoiser import CaptureDenoiser
from live_cli.devices.echo_bridge import EchoBridge
from live_cli.devices.listing import SoundDevice, find_device
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.portaudio import Kind, load_sounddevice
from live_cli.devices.stream_open import open_stream
from live_cli.devices.stream_watch import LostCallback, StreamWatch
from live_cli.sample_rates import FRAME_SAMPLES, INPUT_SAMPLE_RATE

FrameCallback = Callable[[bytes, float, float], None]
"""Gets a frame as PCM16 little-endian mono at 16 kHz, its level in dBFS, and when its last sample
passed the device, on ``time.monotonic``."""

_QUEUED_BLOCKS = 100


def block_and_latency() -> tuple[int, float]:
    """Return the block (ms) and latency (s) to ask of a device: 10, 0.04; on two cores 20, 0.06.

    Measured on two busy cores: 10 ms at 0.04 s underran 29 times a minute, 20 ms at 0.06 s never.
    """
    return (20, 0.06) if (os.cpu_count() or 1) <= 2 else (10, 0.04)


class _FrameConverter:
    """Converts the sound of a device into frames, from its opening to its closing."""

    def __init__(self, rate: int, away_s: float) -> None:
        self.away_s = away_s
        self._rate = rate
        self._framer = Framer(FRAME_SAMPLES)
        self._resampler = Resampler(rate, INPUT_SAMPLE_RATE)
        self._clock = StreamClock()
        self._samples_in = self._samples_out = 0

    def frames(
        self,
        block: npt.NDArray[np.float32],
        captured_at: float,
        echo_bridge: EchoBridge | None,
        denoiser: CaptureDenoiser | None,
    ) -> Iterator[tuple[Samples, float]]:
        """Yield the frames that ``block`` completes, each with the time of its end."""
        self._clock.note(self._samples_in / self._rate, captured_at)
        self._samples_in += block.shape[0]
        # of more than two channels, the first: the others may be loopbacks or other microphones
        one = mono(block) if block.shape[1] <= 2 else np.ascontiguousarray(block[:, 0])
        samples = self._resampler.process(one)
        if echo_bridge is not None:
            samples = echo_bridge.clean(samples)
        if denoiser is not None:
            samples = denoiser.clean(samples)
        for frame in self._framer.push(samples):
            self._samples_out += FRAME_SAMPLES
            yield frame, self._clock.at(self._samples_out / INPUT_SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class _Block:
    """The samples of one callback of the device, shape (n, channels)."""

    samples: npt.NDArray[np.float32]
    captured_at: float
    converter: _FrameConverter


class Microphone:
    """Captures from ``device`` (number or part of a name; None: the default) until stopped.

    ``on_frame`` and ``on_lost`` are called from threads of the microphone's own. The device runs
    at its own rate; soxr converts. ``dropped`` counts blocks lost, oldest first, because
    ``on_frame`` took more than a second or two to return; ``missed_frames`` counts those for which
    there was no device. A lost device may be closed and another opened at any time.
    With an ``echo_bridge`` the speaker's echo is cancelled; frames may then come up to a second
    late, many at once.
    """

    kind: Kind = "input"

    def __init__(
        self,
        device: str | None,
        on_frame: FrameCallback,
        on_lost: LostCallback | None = None,
        echo_bridge: EchoBridge | None = None,
        denoiser: CaptureDenoiser | None = None,
    ) -> None:
        self.wanted = device
        self.device: SoundDevice | None = None
        """The device opened last."""
        self.dropped = 0
        self.missed_frames = 0
        self.overflows = 0
        """How often the device lost sound before the callback."""
        self._on_frame = on_frame
        self._echo_bridge = echo_bridge
        self._denoiser = denoiser
        self._on_lost = on_lost
        self._blocks: deque[_Block] = deque(maxlen=_QUEUED_BLOCKS)
        self._ready = threading.Event()
        self._stopping = False
        self._watch = StreamWatch("microphone", on_lost)
        self._converter = _FrameConverter(INPUT_SAMPLE_RATE, 0.0)
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._stream: Any = None

    def start(self) -> None:
        """Open the device. Raises DeviceError."""
        self.open(find_device(self.wanted, "input"))
        self._thread.start()

    def open(self, device: SoundDevice, away_s: float = 0.0) -> None:
        """Open ``device``, ``away_s`` after the one before it was lost. Raises DeviceError."""
        sounddevice = load_sounddevice()
        block_ms, latency = block_and_latency()
        watch = StreamWatch("microphone", self._on_lost)

        def open_one(rate: int, channels: int) -> Any:
            converter = _FrameConverter(rate, away_s)

            def capture(
                block: npt.NDArray[np.float32], frames: int, time_info: Any, status: Any
            ) -> None:
                watch.beat()
                self._capture(converter, block, time_info, status)

            return sounddevice.InputStream(
                device=device.index,
                samplerate=rate,
                channels=channels,
                dtype="float32",
                blocksize=rate * block_ms // 1000,
                latency=latency,
                callback=capture,
                finished_callback=watch.end,
            )

        rates = (device.default_rate, 48_000, 44_100, INPUT_SAMPLE_RATE)
        with native_stderr_silenced():
            stream, _ = open_stream(open_one, device, "input", rates, (1, 2, device.inputs))
        self._stream, self._watch, self.device = stream, watch, device
        watch.start()

    def close(self) -> None:
        """Close the device; `open` takes one again."""
        self._watch.stop()
        stream, self._stream = self._stream, None
        if stream is not None:
            with native_stderr_silenced():
                stream.close()

    def stop(self) -> None:
        """Close the device for good. No frame comes after it has returned."""
        self.close()
        self._stopping = True
        self._ready.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    @property
    def lost(self) -> str | None:
        """The reason given to ``on_lost``; None while the device is there."""
        return self._watch.lost

    @property
    def quiet(self) -> bool:
        """Always True: the device may be closed for a moment, since missed frames are counted."""
        return True

    @property
    def running(self) -> bool:
        """Return whether the device that was opened last has called back, and is there."""
        return self._watch.running

    def _capture(
        self,
        converter: _FrameConverter,
        block: npt.NDArray[np.float32],
        time_info: Any,
        status: Any,
    ) -> None:
        """Queue a copy of ``block``: all that the device's callback does."""
        if status.input_overflow:
            self.overflows += 1
        if len(self._blocks) == _QUEUED_BLOCKS:
            self.dropped += 1
        age_s = time_info.currentTime - time_info.inputBufferAdcTime
        self._blocks.append(_Block(block.copy(), time.monotonic() - age_s, converter))
        self._ready.set()

    def _run(self) -> None:
        while not self._stopping:
            self._ready.wait()
            self._ready.clear()
            while self._blocks and not self._stopping:
                self._convert(self._blocks.popleft())

    def _convert(self, block: _Block) -> None:
        converter = block.converter
        if converter is not self._converter:
            self._converter = converter
            if self._echo_bridge is not None:
                self._echo_bridge.restart()
            self.missed_frames += round(converter.away_s * INPUT_SAMPLE_RATE / FRAME_SAMPLES)
        for frame, ends_at in converter.frames(
            block.samples, block.captured_at, self._echo_bridge, self._denoiser
        ):
            self._on_frame(pcm16_from_float(frame), level_dbfs(frame), ends_at)
