"""Videos that show one colour a second, and which of them an image shows."""

from pathlib import Path

import av
import numpy as np
from PIL import Image

COLOURS = ((220, 30, 30), (30, 200, 40), (30, 40, 220))
RATE = 25


def make_video(path: Path, seconds: int, codec: str = "libx264", gop: int = 12) -> Path:
    """Write red, green and blue, a second each, over and over."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height = 160, 96
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = gop
        for number in range(seconds * RATE):
            pixels = np.full((96, 160, 3), COLOURS[number // RATE % 3], np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def nearest(image: Image.Image) -> int:
    """Return the number of the colour that the middle of ``image`` shows."""
    seen = np.array(image.convert("RGB").getpixel((image.width // 2, image.height // 2)), float)
    return int(np.argmin([np.abs(seen - colour).sum() for colour in COLOURS]))
