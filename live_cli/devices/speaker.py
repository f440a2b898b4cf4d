"""The speaker: the device's callback drains the playout, resampled to the device's rate."""

import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from live_cli.audio.playout import PLAYOUT_SAMPLE_RATE
from live_cli.audio.resampler import Resampler
from live_cli.devices.listing import find_device
from live_cli.devices.microphone import block_and_latency
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.playback import Playback, PlayedCallback, SpeakerSnapshot, silent
from live_cli.devices.portaudio import load_sounddevice, open_stream
from live_cli.devices.stream_watch import LostCallback, StreamWatch


class Speaker:
    """Plays turns on ``device`` (number or part of a name; None: the default) until stopped.

    The device is opened at 24 kHz if it takes that, since then nothing is converted and an
    interrupt is heard soonest; else at its own rate. ``on_lost`` is called from a thread of the
    speaker's own. The other methods never block and may be called from any one thread.
    """

    def __init__(
        self,
        device: str | None,
        on_lost: LostCallback | None = None,
        on_played: PlayedCallback | None = None,
    ) -> None:
        self.underflows = 0
        """How often the device ran dry because the callback came late."""
        self._device = device
        self._on_played = on_played
        self._playback = Playback()
        self._watch = StreamWatch("speaker", on_lost)
        self._resampler = Resampler(PLAYOUT_SAMPLE_RATE, PLAYOUT_SAMPLE_RATE)
        self._converted: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._rate = PLAYOUT_SAMPLE_RATE
        self._pull_samples = PLAYOUT_SAMPLE_RATE // 100
        self._latency_s = 0.0
        self._pulled = 0
        self._written = 0
        self._stream: Any = None

    def start(self) -> None:
        """Open the device. Raises DeviceError."""
        sounddevice = load_sounddevice()
        device = find_device(self._device, "output")
        block_ms, self._latency_s = block_and_latency()
        self._pull_samples = PLAYOUT_SAMPLE_RATE * block_ms // 1000

        def open_one(rate: int, channels: int) -> Any:
            self._rate = rate
            self._resampler = Resampler(PLAYOUT_SAMPLE_RATE, rate, quality="LQ")
            return sounddevice.OutputStream(
                device=device.index,
                samplerate=rate,
                channels=channels,
                dtype="float32",
                blocksize=rate * block_ms // 1000,
                latency=self._latency_s,
                callback=self._fill,
                finished_callback=self._watch.end,
            )

        rates = (PLAYOUT_SAMPLE_RATE, device.default_rate, 48_000, 44_100)
        channels = (min(2, device.outputs), 1, device.outputs)
        with native_stderr_silenced():
            self._stream, _ = open_stream(open_one, device, "output", rates, channels)
        self._watch.start()

    def stop(self) -> None:
        """Close the device at once; what has not been heard is not heard."""
        self._watch.stop()
        stream, self._stream = self._stream, None
        if stream is not None:
            with native_stderr_silenced():
                stream.close()

    def play(self, turn: int, pcm16: bytes, sample_rate: int = PLAYOUT_SAMPLE_RATE) -> None:
        """Append a chunk, PCM16 mono, to ``turn``."""
        self._playback.play(turn, pcm16, sample_rate)

    def end_turn(self, turn: int) -> None:
        """No more will come of ``turn``: say so at ``generationComplete``."""
        self._playback.end_turn(turn)

    def interrupt(self, turn: int) -> None:
        """Silence ``turn`` and all before it, in the next callback."""
        self._playback.interrupt(turn)

    def snapshot(self) -> SpeakerSnapshot:
        """What is heard now; once the device is closed or lost, what has been heard."""
        stream = self._stream
        if stream is None or self._watch.lost is not None or not stream.active:
            return silent(self._playback.snapshot(math.inf))
        return self._playback.snapshot(stream.time)

    @property
    def lost(self) -> str | None:
        """What ``on_lost`` was told; None while the device is there."""
        return self._watch.lost

    def _fill(self, out: npt.NDArray[np.float32], frames: int, time_info: Any, status: Any) -> None:
        """The device's callback: what is ready is copied to all channels."""
        self._watch.beat()
        if status.output_underflow:
            self.underflows += 1
        # some host APIs do not know when a block will sound
        sounds_at = time_info.outputBufferDacTime or time_info.currentTime + self._latency_s
        while self._converted.size < frames:
            ahead = self._pulled / PLAYOUT_SAMPLE_RATE - self._written / self._rate
            block = self._playback.render(self._pull_samples, sounds_at + ahead)
            if self._on_played is not None:
                in_s = sounds_at + ahead - time_info.currentTime
                self._on_played(block, time.monotonic() + in_s, self._playback.spans)
            self._pulled += block.size
            ready = self._resampler.process(block)
            self._converted = np.concatenate((self._converted, ready))
        out[:] = self._converted[:frames, np.newaxis]
        self._converted = self._converted[frames:]
        self._written += frames
