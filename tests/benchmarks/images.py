"""The processor's share of an image a second, from the camera or screen to what is sent.

The camera is a video of JPEG pictures, as webcams give them; reading them thirty times a second,
which a thread of the camera's own does, is a row of its own. The second figure of a row is of
images that show nothing new. The peer is what Google's examples for the Live API do with every
image: all of it made smaller to 1024 pixels by Pillow, as JPEG; a screen goes through a PNG first.
"""

import io
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, sleep
from unittest import mock

import av
import mss
import mss.tools
import numpy as np
from PIL import Image

from live_cli.devices.images import capture as module
from live_cli.devices.images.capture import ImageCapture
from live_cli.devices.images.listing import image_source
from live_cli.devices.images.source import ImageSource
from live_cli.devices.images.video_file import VideoFile
from live_cli.pictures.change import SendOnChange
from tests.benchmarks.row import Row
from tests.harness.virtual_screen import VirtualScreen

IMAGES = 30
SMALL_IMAGES = 3
LONG_SIDE = 768
SHARE = "% of a core"
BUDGET = 3.0
READ_S = 3.0
SMALL_READ_S = 0.3


def rows(small: bool = False) -> list[Row]:
    images = SMALL_IMAGES if small else IMAGES
    with TemporaryDirectory() as folder, VirtualScreen(1920, 1080) as screen:
        video = webcam(Path(folder, "webcam.avi"))
        fill(screen)
        with mock.patch.dict(os.environ, DISPLAY=screen.display, XDG_SESSION_TYPE="x11"):
            return [
                row("camera, 1280x720", lambda: camera(video), camera_as_googles(video), images),
                row("screen, 1920x1080", lambda: image_source(None, ""), screen_as_googles, images),
                Row("camera, read", read_percent(SMALL_READ_S if small else READ_S), SHARE, BUDGET),
            ]


def row(what: str, source: Callable[[], ImageSource], peer: Callable[[], object], n: int) -> Row:
    sent = captured_percent(source(), n, SendOnChange(longest_pause_s=0.0))
    held = captured_percent(source(), n, SendOnChange(longest_pause_s=3600.0))
    beside = (("as Google's examples", percent(peer, n)), ("nothing new in it", held))
    return Row(f"{what}, one image a second", sent, SHARE, BUDGET, beside=beside)


def captured_percent(source: ImageSource, images: int, change: SendOnChange) -> float:
    """Return the process's time for an image, the first two left out."""
    times: list[float] = []
    newest = source.newest

    def noted() -> Image.Image:
        times.append(process_time())
        if len(times) == images + 2:
            capture.stop()
        return newest()

    def ignore(told: object) -> None: ...

    capture = ImageCapture(source, ignore, ignore, long_side=LONG_SIDE, change=change)
    with mock.patch.object(source, "newest", noted), mock.patch.object(module, "IMAGE_EVERY_S", 0):
        capture.start()
        capture._thread.join()
    return 100 * (times[-1] - times[1]) / images


def percent(act: Callable[[], object], images: int) -> float:
    act()
    began = process_time()
    for _ in range(images):
        act()
    return 100 * (process_time() - began) / images


def read_percent(seconds: float) -> float:
    """Return what a camera costs that nobody asks; drawing so small a picture costs nothing."""
    source = image_source("lavfi:testsrc=size=64x48:rate=30", None)
    source.open()
    source.newest()
    began = process_time()
    sleep(seconds)
    share = (process_time() - began) / seconds
    source.close()
    return 100 * share


def webcam(path: Path) -> Path:
    """Write ten seconds of JPEG pictures."""
    drawn = av.open("testsrc2=size=1280x720:rate=30", format="lavfi")
    with av.open(str(path), "w") as video:
        stream = video.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuvj420p"
        frame = next(drawn.decode(video=0))
        for number in range(300):
            frame.pts = number
            video.mux(stream.encode(frame))
    drawn.close()
    return path


def camera(video: Path) -> ImageSource:
    """Return ``video`` on a clock by which every image is asked for after a second."""
    clock = itertools.count()
    return VideoFile(video, lambda: float(next(clock)))


def camera_as_googles(video: Path) -> Callable[[], object]:
    """Return what their loop does with an image of 1280x720, here decoded by PyAV."""
    packets = list(av.open(str(video)).demux(video=0))[:-1]

    def act() -> bytes:
        packet = packets[len(packets) // 2]
        image = Image.fromarray(packet.decode()[0].to_ndarray(format="rgb24"))
        image.thumbnail((1024, 1024))
        return as_jpeg(image)

    return act


def screen_as_googles() -> bytes:
    with mss.MSS() as screens:
        shot = screens.grab(screens.monitors[0])
    png = mss.tools.to_png(shot.rgb, shot.size)
    return as_jpeg(Image.open(io.BytesIO(png or b"")))


def as_jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="jpeg")
    return file.getvalue()


def fill(screen: VirtualScreen) -> None:
    """Fill ``screen`` with windows and lines as many as a desk has: no plain ground."""
    random = np.random.default_rng(0)
    for _ in range(3000):
        red, green, blue, left, top = (int(each) for each in random.integers(0, 256, 5))
        box = (left * screen.width // 256, top * screen.height // 256, 2 + red // 2, 2 + green // 8)
        screen.paint((red, green, blue), box)
