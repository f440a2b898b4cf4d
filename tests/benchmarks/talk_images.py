"""Images of a camera: what sending on change saves, and what they cost the client.

The minutes are drawn: a room with the noise of a dim webcam (6 grey levels) and its wandering
exposure. In the still one nobody moves; in the moving one somebody crosses it all the time. The
CPU of `talk` is measured beside the same talk without a camera, against a `serve` of its own.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from live_cli.pictures.change import SendOnChange
from live_cli.ui.live.terminal_graphics import half_blocks, sixel
from tests.benchmarks.row import Row, median
from tests.harness.serve_process import serving
from tests.harness.talking import talking

MINUTE, TOKENS = 60, 258
NOISE, EXPOSURE = 6.0, 8.0
SIZE = (1280, 720)
SERVER = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted:One.",
    "LIVE_CLI_ENGINE_CHAT": "scripted",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
}
_TICKS = os.sysconf("SC_CLK_TCK")


def rows(small: bool = False) -> list[Row]:
    still, moving = (sent_of(minute(moves=moves)) for moves in (False, True))
    seconds, rounds = (2, 1) if small else (30, 3)
    every = "every image"
    return [
        Row("images of a still minute", still, "images", 0.12, MINUTE, every),
        Row("their tokens", still * TOKENS, "tokens", 0.12, MINUTE * TOKENS, every),
        Row("images of a moving minute", moving, "images", 1.0, MINUTE, every),
        Row("changed images of it that were held back", MINUTE - moving, "images", 2.0),
        *_cpu(seconds, rounds),
        Row("preview drawn, blocks", _drawing_ms(half_blocks, 25, 7, true_colour=True), "ms", 10.0),
        Row("preview drawn, sixels", _drawing_ms(sixel, 250, 140), "ms", 40.0),
    ]


def minute(*, moves: bool) -> Iterator[Image.Image]:
    """An image a second of a room, small, as a capture sees it before it is encoded."""
    random = np.random.default_rng(7)
    room = _room(320, 180)
    for second in range(MINUTE):
        shown = room + EXPOSURE * np.sin(second / 7)
        if moves:
            left = 20 + second * 37 % 240
            shown[60:, left : left + 60] = 60
        noisy = shown + random.normal(0, NOISE, shown.shape)
        yield Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8), "RGB")


def sent_of(images: Iterator[Image.Image]) -> int:
    """How many of a minute's images are sent."""
    change = SendOnChange()
    for second, image in enumerate(images):
        change.wants(np.asarray(image.convert("L").resize((32, 32), 4)), float(second))
    return change.sent


def _room(width: int, height: int) -> NDArray[np.float64]:
    x, y = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 4, height))
    return np.stack([128 + 80 * np.sin(x + k) * np.cos(y * (k + 1)) for k in range(3)], axis=2)


def _cpu(seconds: int, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        quiet, camera = folder / "quiet.wav", folder / "camera"
        soundfile.write(quiet, np.zeros(16_000 * (seconds + 8), np.float32), 16_000)
        _draw_camera(camera, seconds + 8)
        with serving(folder, SERVER) as serve:
            talk = ("--server", serve.address, "--input", quiet, "--output", "/dev/null")
            shares = [
                (_share(folder, seconds, *talk), _share(folder, seconds, *talk, "--camera", camera))
                for _ in range(rounds)
            ]
    without, beside = (median([pair[place] for pair in shares]) for place in (0, 1))
    figures = (("with", beside), ("without", without))
    return [Row("CPU of talk for an image a second", beside - without, "% of a core", 3.0,
                beside=figures)]  # fmt: skip


def _draw_camera(folder: Path, seconds: int) -> None:
    """Write a picture a second, each another, in the size and the format of a webcam's."""
    folder.mkdir()
    room = _room(*SIZE)
    for second in range(seconds):
        shown = room.copy()
        left = second * 230 % 1000
        shown[200:, left : left + 200] = 60
        image = Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8), "RGB")
        image.save(folder / f"{second:03}.jpg", quality=85)


def _share(home: Path, seconds: int, *args: str | Path) -> float:
    """The share of a core, in percent, of a talk that has begun."""
    with talking(None, home, *args) as talk:
        talk.until("session_open")
        time.sleep(min(3.0, seconds))
        before, began = _cpu_s(talk.process.pid), time.monotonic()
        time.sleep(seconds)
        used, passed = _cpu_s(talk.process.pid) - before, time.monotonic() - began
        talk.interrupt()
    return 100 * used / passed


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _drawing_ms(draw, *args, **named) -> float:  # type: ignore[no-untyped-def]
    image = np.clip(_room(320, 180), 0, 255).astype(np.uint8)
    times = []
    for _ in range(5):
        began = process_time()
        draw(image, *args, **named)
        times.append(process_time() - began)
    return 1000 * median(times)
