"""A thread that takes images of a source, and hands over those that are worth sending.

Nothing of it runs on the event loop: opening, taking, comparing and encoding are the thread's. A
driver can hang in any call, so that nobody waits for the thread without a bound: it is a daemon,
and is abandoned with its source where it does not come back. A camera's light may then stay on
until the process ends.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from live_cli.devices.images.source import PREVIEW_SIDE, CapturedImage, ImageSource
from live_cli.devices.reopening import Phase, Reopening
from live_cli.devices.stream_watch import seconds_with_sleep
from live_cli.errors import DeviceError
from live_cli.pictures.change import THUMBNAIL_SIDE, SendOnChange, Thumbnail
from live_cli.pictures.picture import encode

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_EVERY_S = 1.0
"""The Live API looks at one image a second at most."""
OPEN_WITHIN_S = 20.0
"""Longer than any source that is open in the end takes; a camera says earlier that it hangs."""
_STOP_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.1


class ImageCapture:
    """A thread that takes at most one image a second and hands over those worth sending.

    ``on_image`` and ``on_lost`` are called on that thread: ``on_lost`` with the error when the
    source is lost, with None when it is back. Meanwhile it is tried again, with the pauses of a
    lost microphone. ``change`` decides what is worth sending; a given one goes on counting.
    """

    def __init__(
        self,
        source: ImageSource,
        on_image: Callable[[CapturedImage], None],
        on_lost: Callable[[DeviceError | None], None],
        *,
        long_side: int,
        change: SendOnChange | None = None,
    ) -> None:
        self._source = source
        self._on_image = on_image
        self._on_lost = on_lost
        self._long_side = long_side
        self._change = SendOnChange() if change is None else change
        self._schedule = Reopening()
        self._refused: DeviceError | None = None
        self._opened = threading.Event()
        self._forgotten = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="images", daemon=True)

    @property
    def sent(self) -> int:
        """Number of images handed over."""
        return self._change.sent

    @property
    def saved(self) -> int:
        """Number of images that showed nothing new, and were held back."""
        return self._change.saved

    def start(self) -> None:
        """Open the source, and begin. Raises its DeviceError, or one of a source that hangs."""
        self._thread.start()
        if not self._opened.wait(OPEN_WITHIN_S):
            self._stopping.set()
            name = self._source.name
            raise DeviceError(f"{_capital(name)} does not open within {OPEN_WITHIN_S:g} s.")
        if self._refused is not None:
            raise self._refused

    def stop(self) -> None:
        """End the thread, which closes the source; one that hangs is left after two seconds.

        No image comes after it has returned. A second call does nothing.
        """
        self._stopping.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_STOP_WITHIN_S)

    def forget(self) -> None:
        """Let the next image pass, whatever it shows: the model has lost what it saw."""
        self._forgotten.set()

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._source.open()
        except DeviceError as exc:
            self._refused = exc
            self._source.close()
            return
        finally:
            self._opened.set()
        try:
            self._take_images()
        finally:
            self._source.close()

    def _take_images(self) -> None:
        while not self._stopping.is_set():
            began = seconds_with_sleep()
            if self._schedule.phase is Phase.RUNNING or self._schedule.is_due(began):
                self._take_one(began)
            runs = self._schedule.phase is Phase.RUNNING
            due = began + (IMAGE_EVERY_S if runs else _LOOK_EVERY_S)
            self._stopping.wait(max(0.0, due - seconds_with_sleep()))

    def _take_one(self, now: float) -> None:
        was_lost = self._schedule.phase is Phase.LOST
        try:
            if was_lost:
                self._source.open()
            image = self._source.newest()
        except DeviceError as exc:
            self._source.close()
            self._note_loss(exc, now)
            return
        if was_lost:
            self._schedule.called_back()
            self._tell(None)
        self._hand_over(image)

    def _note_loss(self, error: DeviceError, now: float) -> None:
        if self._schedule.phase is Phase.LOST:
            self._schedule.refused(seconds_with_sleep())
        else:
            self._schedule.lose(now)
            self._tell(error)

    def _tell(self, error: DeviceError | None) -> None:
        if not self._stopping.is_set():
            self._on_lost(error)

    def _hand_over(self, image: "Image") -> None:
        """Call ``on_image`` if the image is worth it."""
        image = _halved(image, self._long_side)  # before it is looked at: a tenth of the cost
        if self._forgotten.is_set():
            self._forgotten.clear()
            self._change.forget()
        if not self._change.wants(_thumbnail(image), time.monotonic()):
            return
        _shrink(image, self._long_side)
        captured = CapturedImage(encode(image, self._long_side), _preview(image))
        if not self._stopping.is_set():
            self._on_image(captured)


def _halved(image: "Image", long_side: int) -> "Image":
    """Return ``image`` made smaller by a whole number, and still no smaller than is sent."""
    factor = max(image.size) // long_side
    return image.reduce(factor) if factor > 1 else image


def _shrink(image: "Image", side: int) -> None:
    """Make ``image`` itself smaller: as sharp as by the bicubic filter, at half its cost."""
    from PIL.Image import Resampling

    image.thumbnail((side, side), Resampling.HAMMING, reducing_gap=1.0)


def _thumbnail(image: "Image") -> Thumbnail:
    from PIL.Image import Resampling

    grey = image.convert("L").resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Resampling.BOX)
    return np.asarray(grey)


def _preview(image: "Image") -> NDArray[np.uint8]:
    factor = -(-max(image.size) // PREVIEW_SIDE)
    return np.asarray(image.reduce(factor).convert("RGB"))


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
