"""Plays on a device: its callback drains the playout, resampled to the device's rate."""

import math
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from live_cli.audio.resampler import Resampler
from live_cli.devices.listing import SoundDevice, find_device
from live_cli.devices.microphone import block_and_latency
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.playback import Playback, PlayedCallback, SpeakerSnapshot, silent
from live_cli.devices.portaudio import Kind, load_sounddevice
from live_cli.devices.stream_open import open_stream
from live_cli.devices.stream_watch import LostCallback, StreamWatch
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

STALE_S = 5.0


class Speaker:
    """Plays turns on ``device`` (number or part of a name; None: the default) until stopped.

    The device is opened at 24 kHz if it takes that, since then nothing is converted and an
    interrupt is heard soonest; else at its own rate. ``on_lost`` is called from a thread of the
    speaker's own. A lost device may be closed and another opened, from any one thread; the other
    methods never wait for that and may be called from another one.

    A device that comes back within `STALE_S` goes on where the answer stopped, without a loss.
    After more the rest of the answer is dropped: the server takes it as heard long ago, so that
    speaking over it would not stop it any more.
    """

    kind: Kind = "output"

    def __init__(
        self,
        device: str | None,
        on_lost: LostCallback | None = None,
        on_played: PlayedCallback | None = None,
    ) -> None:
        self.underflows = 0
        """How often the device ran dry because the callback came late."""
        self.dropped_ms = 0.0
        """Sound of answers that was dropped since it was stale when a device was back."""
        self.wanted = device
        self.device: SoundDevice | None = None
        """The device opened last."""
        self._on_lost = on_lost
        self._on_played = on_played
        self._playback = Playback()
        self._watch = StreamWatch("speaker", on_lost)
        self._resampler = Resampler(OUTPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE)
        self._converted: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._rate = OUTPUT_SAMPLE_RATE
        self._pull_samples = OUTPUT_SAMPLE_RATE // 100
        self._latency_s = 0.0
        self._pulled = 0
        self._written = 0
        self._stream: Any = None
        self._stream_lock = threading.Lock()

    def start(self) -> None:
        """Open the device. Raises DeviceError."""
        self.open(find_device(self.wanted, "output"))

    def open(self, device: SoundDevice, away_s: float = 0.0) -> None:
        """Open ``device``, ``away_s`` after the one before it was lost. Raises DeviceError."""
        sounddevice = load_sounddevice()
        block_ms, self._latency_s = block_and_latency()
        self._pull_samples = OUTPUT_SAMPLE_RATE * block_ms // 1000
        self._converted = self._converted[:0]
        self._pulled = self._written = 0
        self.dropped_ms += self._playback.restart(drop=away_s > STALE_S)
        watch = StreamWatch("speaker", self._on_lost)

        def fill(out: npt.NDArray[np.float32], frames: int, time_info: Any, status: Any) -> None:
            watch.beat()
            self._fill(out, frames, time_info, status)

        def open_one(rate: int, channels: int) -> Any:
            self._rate = rate
            self._resampler = Resampler(OUTPUT_SAMPLE_RATE, rate, quality="LQ")
            return sounddevice.OutputStream(
                device=device.index,
                samplerate=rate,
                channels=channels,
                dtype="float32",
                blocksize=rate * block_ms // 1000,
                latency=self._latency_s,
                callback=fill,
                finished_callback=watch.end,
            )

        rates = (OUTPUT_SAMPLE_RATE, device.default_rate, 48_000, 44_100)
        channels = (min(2, device.outputs), 1, device.outputs)
        with native_stderr_silenced():
            stream, _ = open_stream(open_one, device, "output", rates, channels)
        with self._stream_lock:
            self._stream, self._watch, self.device = stream, watch, device
        watch.start()

    def close(self) -> None:
        """Close the device at once; after `open` the answer goes on."""
        self._watch.stop()
        with self._stream_lock:  # nobody asks a stream that is being closed for its time
            stream, self._stream = self._stream, None
        if stream is not None:
            with native_stderr_silenced():
                stream.close()

    def stop(self) -> None:
        """Close the device at once; the rest of the answer is not played."""
        self.close()

    def play(self, turn: int, pcm16: bytes, sample_rate: int = OUTPUT_SAMPLE_RATE) -> None:
        """Append a chunk, PCM16 mono, to ``turn``."""
        self._playback.play(turn, pcm16, sample_rate)

    def end_turn(self, turn: int) -> None:
        """End ``turn``, of which no more will come: due at ``generationComplete``."""
        self._playback.end_turn(turn)

    def interrupt(self, turn: int) -> None:
        """Silence ``turn`` and all before it, in the next callback."""
        self._playback.interrupt(turn)

    def duck(self, low: bool) -> None:
        """Turn all down by 15 dB, or back up."""
        self._playback.duck(low)

    def snapshot(self) -> SpeakerSnapshot:
        """Return what is heard now; once the device is closed or lost, what has been heard."""
        with self._stream_lock:
            stream = self._stream
            there = stream is not None and self._watch.lost is None and stream.active
            now = stream.time if there else math.inf
        return self._playback.snapshot(now) if there else silent(self._playback.snapshot(now))

    @property
    def lost(self) -> str | None:
        """The reason given to ``on_lost``; None while the device is there."""
        return self._watch.lost

    @property
    def latency_s(self) -> float:
        """Seconds from a callback to the sound, by the device's account; 0 while none is open."""
        with self._stream_lock:
            return 0.0 if self._stream is None else float(self._stream.latency)

    @property
    def quiet(self) -> bool:
        """Whether nothing sounds, and nothing waits to."""
        return self.snapshot().idle

    @property
    def running(self) -> bool:
        """Whether the device that was opened last has called back, and is there."""
        return self._watch.running

    def _fill(self, out: npt.NDArray[np.float32], frames: int, time_info: Any, status: Any) -> None:
        """Fill ``out``, shape (frames, channels), from the playout: the device's callback."""
        if status.output_underflow:
            self.underflows += 1
        # some host APIs do not know when a block will sound
        sounds_at = time_info.outputBufferDacTime or time_info.currentTime + self._latency_s
        while self._converted.size < frames:
            ahead = self._pulled / OUTPUT_SAMPLE_RATE - self._written / self._rate
            monotonic_at = time.monotonic() + sounds_at + ahead - time_info.currentTime
            block = self._playback.render(self._pull_samples, sounds_at + ahead, monotonic_at)
            if self._on_played is not None:
                self._on_played(block, monotonic_at, self._playback.spans)
            self._pulled += block.size
            ready = self._resampler.process(block)
            self._converted = np.concatenate((self._converted, ready))
        out[:] = self._converted[:frames, np.newaxis]
        self._converted = self._converted[frames:]
        self._written += frames
