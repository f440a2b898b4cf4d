"""Uses real devices in a process of its own: PortAudio reads its environment once, at the start.

child.py ACT [ARGUMENT…]       prints one JSON object; a line on stdin means "go on"
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from live_cli.audio.pcm import pcm16_from_float
from live_cli.devices.listing import list_devices
from live_cli.devices.microphone import Microphone, block_and_latency
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.speaker import Speaker
from live_cli.devices.supervisor import DeviceSupervisor
from live_cli.errors import DeviceError

RATE = 24_000
SETTLED_FRAMES = 50
"""The first blocks of a stream come with times that are up to 40 ms off, for half a second."""


def tone(seconds: float, frequency: float = 440.0) -> bytes:
    t = np.arange(int(RATE * seconds)) / RATE
    return pcm16_from_float((0.4 * np.sin(2 * np.pi * frequency * t)).astype(np.float32))


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def wait_until(happened: Callable[[], bool], limit_s: float = 15.0) -> None:
    end = time.monotonic() + limit_s
    while not happened() and time.monotonic() < end:
        time.sleep(0.02)


def listing() -> None:
    say(devices=[[d.name, d.inputs, d.outputs, d.is_default_input] for d in list_devices()])


def capture(path: str) -> None:
    """Frames until stdin says stop; the sound goes to ``path`` as raw PCM16."""
    frames: list[bytes] = []
    levels: list[float] = []
    ends: list[float] = []
    ages: list[float] = []

    def on_frame(frame: bytes, dbfs: float, ends_at: float) -> None:
        frames.append(frame)
        levels.append(dbfs)
        ends.append(ends_at)
        ages.append(time.monotonic() - ends_at)

    microphone = Microphone(None, on_frame)
    microphone.start()
    wait_until(lambda: bool(frames))
    say(ready=True)
    sys.stdin.readline()
    microphone.stop()
    count = len(frames)
    time.sleep(0.1)
    with open(path, "wb") as file:
        file.write(b"".join(frames))
    say(
        sizes=sorted({len(frame) for frame in frames}),
        loudest=max(levels),
        dropped=microphone.dropped,
        late_frames=len(frames) - count,
        lost=microphone.lost,
        span_s=ends[-1] - ends[SETTLED_FRAMES],
        ages_s=sorted(ages),
    )


def play(seconds: str, rate: str) -> None:
    """A tone in 100 ms chunks, all at once, as a fast model sends it."""
    speaker = Speaker(None)
    if int(rate):  # as a device would that does not take 24 kHz
        import live_cli.devices.speaker as speaker_module

        original = speaker_module.open_stream
        speaker_module.open_stream = lambda one, dev, kind, rates, ch: original(
            one, dev, kind, (int(rate),), ch
        )
    speaker.start()
    data = tone(float(seconds))
    for start in range(0, len(data), 4800):
        speaker.play(1, data[start : start + 4800])
    speaker.end_turn(1)
    busy = speaker.snapshot()
    wait_until(lambda: speaker.snapshot().playing)
    loudest = -100.0
    positions = []
    while not (now := speaker.snapshot()).idle:
        loudest = max(loudest, now.level_dbfs)
        positions.append(now.heard_ms)
        time.sleep(0.02)
    end = speaker.snapshot()
    time.sleep(0.2)
    speaker.stop()
    say(
        was_idle=busy.idle,
        buffered_ms=busy.buffered_ms,
        loudest=loudest,
        rises=positions == sorted(positions),
        heard_ms=end.heard_ms,
        turn=end.turn,
        underruns=end.underruns,
        after_stop=speaker.snapshot().heard_ms,
    )


def interrupt() -> None:
    """Ten seconds of tone, interrupted after one; a late chunk; then another turn."""
    speaker = Speaker(None)
    speaker.start()
    speaker.play(1, tone(10))
    wait_until(lambda: speaker.snapshot().heard_ms > 1000)
    before = speaker.snapshot().heard_ms
    speaker.interrupt(1)
    speaker.play(1, tone(1))
    wait_until(lambda: speaker.snapshot().idle)
    stopped = speaker.snapshot()
    time.sleep(0.8)
    speaker.play(2, tone(0.5, 1000.0))
    speaker.end_turn(2)
    wait_until(lambda: speaker.snapshot().idle)
    time.sleep(0.2)
    end = speaker.snapshot()
    speaker.stop()
    say(
        before=before,
        heard_ms=stopped.heard_ms,
        buffered_ms=stopped.buffered_ms,
        refused=stopped.refused_chunks,
        turn=end.turn,
        second_ms=end.heard_ms,
    )


def voiced(seconds: float, pitch: float = 140.0) -> bytes:
    """A vowel-like sound: harmonics falling by 12 dB an octave, nothing above 3.5 kHz."""
    t = np.arange(int(RATE * seconds)) / RATE
    harmonics = range(1, int(3500 / pitch))
    wave = sum(np.sin(2 * np.pi * pitch * k * t + k) / k**2 for k in harmonics)
    return pcm16_from_float((0.3 * wave).astype(np.float32))


def cut(times: str) -> None:
    """Turns of voiced sound, each interrupted after another while; what was heard by then."""
    speaker = Speaker(None)
    speaker.start()
    interrupted_at = []
    for turn in range(1, int(times) + 1):
        speaker.play(turn, voiced(5.0))
        wait_until(lambda turn=turn: speaker.snapshot().turn == turn)  # type: ignore[misc]
        time.sleep(0.4 + 0.0137 * turn)
        interrupted_at.append(speaker.snapshot().heard_ms)
        speaker.interrupt(turn)
        wait_until(lambda: speaker.snapshot().idle)
        time.sleep(0.3)
    end = speaker.snapshot()
    latency_ms = speaker.latency_s * 1000
    speaker.stop()
    block_ms, _ = block_and_latency()
    say(
        interrupted_at=interrupted_at,
        underruns=end.underruns,
        block_ms=block_ms,
        bound_ms=latency_ms + 2 * block_ms + 10,
    )


def lose() -> None:
    """Both ends open; says what each of them reports when its device is taken away."""
    told: dict[str, list[str]] = {"mic": [], "speaker": []}
    frames: list[bytes] = []
    with native_stderr_silenced():
        microphone = Microphone(None, lambda frame, *_: frames.append(frame), told["mic"].append)
        speaker = Speaker(None, told["speaker"].append)
        microphone.start()
        speaker.start()
        speaker.play(1, tone(30))
        wait_until(lambda: bool(frames) and speaker.snapshot().heard_ms > 300)
        say(ready=True)
        sys.stdin.readline()
        wait_until(lambda: bool(told["speaker"] and told["mic"]))
        heard = speaker.snapshot()
        microphone.stop()
        speaker.stop()
    say(told=told, idle=heard.idle, heard_ms=heard.heard_ms, active_mic=microphone.lost)


def keep() -> None:
    """Both ends kept open while their devices come and go; a tone of four seconds meanwhile."""
    changes: list[list[str]] = []
    frames: list[bytes] = []
    with native_stderr_silenced():
        microphone = Microphone(None, lambda frame, *_: frames.append(frame))
        speaker = Speaker(None)
        microphone.start()
        speaker.start()
        supervisor = DeviceSupervisor(
            [microphone, speaker], lambda change: changes.append([change.role, change.state])
        )
        supervisor.start()
        for _ in range(4):
            speaker.play(1, tone(1.0))
        speaker.end_turn(1)
        wait_until(lambda: bool(frames) and speaker.snapshot().heard_ms > 500)
        say(heard_ms=speaker.snapshot().heard_ms)
        wait_until(lambda: [state for _, state in changes].count("lost") == 2)
        at_loss = speaker.snapshot()
        time.sleep(1.0)
        before = len(frames)
        while_away = speaker.snapshot()
        say(heard_ms=at_loss.heard_ms, later_ms=while_away.heard_ms, idle=while_away.idle)
        wait_until(lambda: [state for _, state in changes].count("back") == 2)
        wait_until(lambda: speaker.snapshot().idle)
        end = speaker.snapshot()
        supervisor.stop()
        microphone.stop()
        speaker.stop()
    say(
        changes=changes,
        heard_ms=end.heard_ms,
        underruns=end.underruns,
        frames_after=len(frames) - before,
        missed_frames=microphone.missed_frames,
    )


def refuse(kind: str, device: str) -> None:
    """The error of an end that cannot be opened; and that stderr works as before."""
    end = (
        Microphone(device or None, lambda *_: None) if kind == "input" else Speaker(device or None)
    )
    try:
        end.start()
    except DeviceError as exc:
        end.stop()
        os.write(2, b"stderr is back\n")
        say(error=str(exc), exit_code=exc.exit_code)
    else:
        end.stop()
        say(error=None)


ACTS = {act.__name__: act for act in (listing, capture, play, interrupt, cut, lose, keep, refuse)}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:])
