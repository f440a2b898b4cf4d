"""A source of images, and the image that it hands over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from live_cli.pictures.picture import EncodedPicture

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_SIDE = 320
"""Pixels of a preview's longer side, at most."""


class ImageSource(Protocol):
    """A camera, a screen or files. All calls come from the one thread that takes the images."""

    @property
    def name(self) -> str:
        """Name for people, as in ``camera 0 (Integrated Webcam)``."""
        ...

    def open(self) -> None:
        """Start it. Raises DeviceError in words: none there, busy, not allowed."""
        ...

    def newest(self) -> "Image":
        """Return what it shows now, never what it showed earlier. Raises DeviceError once lost."""
        ...

    def close(self) -> None:
        """Free it: its light goes out. A second call does nothing."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CapturedImage:
    """An image that is to be sent, and the same in small for the person who sends it.

    ``preview``: RGB, ``(height, width, 3)``, its longer side at most `PREVIEW_SIDE`.
    """

    picture: EncodedPicture
    preview: NDArray[np.uint8]
