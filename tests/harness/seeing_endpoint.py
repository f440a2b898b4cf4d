"""A chat endpoint that sees: it decodes the pictures it is sent and names their main colours."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.harness.chat_endpoint import Body, ChatEndpoint, chunk, serving_endpoint

BLIND = "I see nothing."
_COLOURS = {
    "red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0),
    "purple": (150, 0, 150), "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that came in a request, decoded: its MIME type, its size and its main colour."""

    mime_type: str
    size: tuple[int, int]
    colour: str
    data: bytes


@contextmanager
def seeing_endpoint() -> Iterator[ChatEndpoint]:
    """Run a ChatEndpoint that answers "It is red.", or `BLIND` where no picture was sent.

    The newest message that has pictures counts; of two colours in it "It is red and blue.". What is
    no picture, or another than its MIME type says, is refused as a model's server would.
    """
    with serving_endpoint() as endpoint:
        endpoint.answer = _answer
        yield endpoint


def pictures_in(body: Body) -> list[list[SeenPicture]]:
    """The pictures of each message of a request that has any; ValueError for what is none."""
    contents = (message["content"] for message in body["messages"])
    seen = [[_seen(part) for part in parts if part["type"] == "image_url"]
            for parts in contents if isinstance(parts, list)]  # fmt: skip
    return [pictures for pictures in seen if pictures]


def main_colour(image: Image.Image) -> str:
    """The name of the colour that covers most of ``image``."""
    pixels = np.asarray(image.convert("RGB").resize((16, 16)), np.float64).reshape(-1, 1, 3)
    nearest = np.square(pixels - np.array(list(_COLOURS.values()))).sum(axis=2).argmin(axis=1)
    return list(_COLOURS)[np.bincount(nearest).argmax()]


def _answer(body: Body) -> object:
    try:
        shown = pictures_in(body)
    except (ValueError, OSError) as exc:
        return 400, f'{{"error": {{"message": "Failed to load image: {exc}"}}}}'
    colours = dict.fromkeys(picture.colour for picture in shown[-1]) if shown else {}
    said = f"It is {' and '.join(colours)}." if colours else BLIND
    return [chunk(said), "[DONE]"]


def _seen(part: Body) -> SeenPicture:
    head, _, encoded = part["image_url"]["url"].partition(";base64,")
    data = base64.b64decode(encoded, validate=True)
    image = Image.open(io.BytesIO(data))
    image.load()
    mime_type = f"image/{image.format}".lower()
    if head != f"data:{mime_type}":
        raise ValueError(f"{head} is {mime_type}")
    return SeenPicture(mime_type, image.size, main_colour(image), data)
