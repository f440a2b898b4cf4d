"""A camera, by PyAV: V4L2 on Linux, AVFoundation on macOS, DirectShow on Windows.

A driver queues what nobody fetches, so that a reader that comes once a second would get images of
seconds ago. A thread of the camera's own therefore fetches all and keeps the newest, undecoded; the
one image a second that is asked for is decoded by who asks, and has come after the question. The
thread is also what hangs where a driver does: it is a daemon, and left behind.
"""

import contextlib
import errno
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from live_cli.devices.images.camera_devices import (
    TEST_FORMAT,
    CameraDevice,
    list_cameras,
    not_allowed,
)
from live_cli.devices.images.libraries import image_of, load_av
from live_cli.errors import DeviceError

if TYPE_CHECKING:
    from PIL.Image import Image

OPEN_WITHIN_S: Final = 10.0
"""A camera wakes within two seconds; on macOS a person may be asked first."""
IMAGE_WITHIN_S: Final = 5.0
"""The first one takes a second or two, until the exposure is found."""
_CLOSE_WITHIN_S: Final = 1.0
_NONE_YET_S: Final = 0.01
"""Until AVFoundation, which does not wait for an image, is asked again."""
_SIZE: Final = {"video_size": "1280x720"}
"""More than is sent; without a wish some cameras give 640x480 and some 4K."""
_OPTIONS: Final[dict[str, tuple[dict[str, str], ...]]] = {
    "v4l2": (_SIZE | {"framerate": "10"}, {}),  # the driver takes the nearest it has
    "avfoundation": (_SIZE | {"framerate": "30"}, {"framerate": "30"}, {}),
    "dshow": (_SIZE, {}),
}
"""What is asked of a camera, and what of one that refuses it."""
_NOT_ALLOWED: Final = frozenset((errno.EACCES, errno.EPERM))
_GONE: Final = frozenset((errno.ENOENT, errno.ENODEV, errno.ENXIO))
_FINAL: Final = _NOT_ALLOWED | _GONE | {errno.EBUSY}
"""Errors that other options do not mend."""


class Camera:
    """A camera as an `ImageSource`."""

    def __init__(self, device: CameraDevice) -> None:
        self._device = device
        self._reader: Any = None

    @property
    def name(self) -> str:
        """Number and name, as in ``camera 0 (Integrated Webcam)``."""
        return self._device.called

    def open(self) -> None:
        """Start it. Raises DeviceError: gone, busy, not allowed, or one that does not answer."""
        self._device = _found_again(self._device)
        self._reader = _Reader(self._device)
        self._reader.open()

    def newest(self) -> "Image":
        """Return the next image that comes. Raises DeviceError where none does."""
        image: Image = self._reader.next_image()
        return image

    def close(self) -> None:
        """Free it. A driver that hangs is left after a second, and its light with it."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def _found_again(device: CameraDevice) -> CameraDevice:
    """Return ``device`` under the number that it has now: one plugged in again may have another."""
    if device.format == TEST_FORMAT:
        return device
    same = [each for each in list_cameras() if each.name == device.name]
    if not same:
        raise _error(device, errno.ENODEV, "")
    return next((each for each in same if each.file == device.file), same[0])


class _Reader:
    """The thread that fetches what the camera gives, from its opening to its closing."""

    def __init__(self, device: CameraDevice) -> None:
        self._device = device
        self._av = load_av()
        self._changed = threading.Condition()
        self._opened = False
        self._newest: Any = None
        self._failure: DeviceError | None = None
        self._stopping = False
        self._decoding = threading.Lock()
        """Held while a packet is decoded, so that its container is not closed meanwhile."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def open(self) -> None:
        self._thread.start()
        with self._changed:
            self._wait_for(lambda: self._opened, "does not open", OPEN_WITHIN_S)

    def next_image(self) -> "Image":
        with self._changed:
            self._newest = None
            self._wait_for(lambda: self._newest is not None, "gives no image", IMAGE_WITHIN_S)
            packet = self._newest
        with self._decoding:
            if self._closed:
                raise self._failure or _error(self._device, errno.ENODEV, "")
            try:
                return image_of(packet.decode()[-1])
            except (self._av.FFmpegError, IndexError, ValueError) as exc:
                says = f"{_capital(self._device.called)} gives images that cannot be decoded."
                raise DeviceError(says) from exc

    def close(self) -> None:
        self._stopping = True
        self._thread.join(_CLOSE_WITHIN_S)

    def _wait_for(self, is_there: Callable[[], bool], else_says: str, within_s: float) -> None:
        self._changed.wait_for(lambda: is_there() or self._failure, within_s)
        if self._failure is not None:
            raise self._failure
        if not is_there():
            raise DeviceError(
                f"{_capital(self._device.called)} {else_says} within {within_s:g} s: unplug it and "
                "plug it in again, or end what else may use it."
            )

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        container = None
        try:
            container = self._open_container()
            self._note()
            while not self._stopping:
                with contextlib.suppress(BlockingIOError):
                    self._fetch(container)
                time.sleep(_NONE_YET_S)
        except (self._av.FFmpegError, OSError, ValueError, IndexError) as exc:
            number, says = getattr(exc, "errno", None), getattr(exc, "strerror", None)
            self._note(failure=_error(self._device, number, says or str(exc)))
        finally:
            if container is not None:
                with self._decoding:
                    self._closed = True
                    container.close()

    def _fetch(self, container: Any) -> None:
        """Note all that comes. Raises BlockingIOError where nothing has, as on macOS."""
        for packet in container.demux(container.streams.video[0]):
            if self._stopping:
                return
            if packet.size:  # empty where it was damaged on its way
                self._note(packet)
        raise OSError(errno.ENODEV, "it ended")

    def _open_container(self) -> Any:
        attempts = _OPTIONS.get(self._device.format, ({},))
        for options in attempts[:-1]:
            try:
                return self._open_with(options)
            except (self._av.FFmpegError, OSError) as exc:
                if exc.errno in _FINAL:
                    raise
        return self._open_with(attempts[-1])

    def _open_with(self, options: dict[str, str]) -> Any:
        return self._av.open(self._device.file, format=self._device.format, options=options)

    def _note(self, packet: Any = None, failure: DeviceError | None = None) -> None:
        with self._changed:
            self._opened, self._newest, self._failure = True, packet, failure
            self._changed.notify_all()


def _error(device: CameraDevice, number: int | None, says: str) -> DeviceError:
    """Return a system's error in words, and what to do about it."""
    camera = _capital(device.called)
    if number in _NOT_ALLOWED:
        return DeviceError(f"{camera} cannot be opened: {not_allowed(device.file)}.")
    if number == errno.EBUSY:
        return DeviceError(
            f"{camera} is busy: another program uses it. Close that, or choose another camera; "
            "`live-cli devices` lists what there is."
        )
    if number in _GONE:
        return DeviceError(f"{camera} is not there, or not any more: plug it in.")
    reason = " ".join(says.split()).rstrip(".") or "no reason given"
    # neither system tells a program that it may not look
    hint = "" if sys.platform == "linux" else f" If {not_allowed(device.file)}."
    return DeviceError(f"{camera} cannot be opened: {reason}.{hint}")


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
