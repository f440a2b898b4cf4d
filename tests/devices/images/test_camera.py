"""A camera by PyAV: FFmpeg's own test source, and drivers that refuse, hang and vanish.

A machine for tests has no camera, nor a kernel that lets one be made up: what a driver would answer
comes from ``av.open``, with PyAV's own errors.
"""

import errno
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from queue import Queue
from typing import Any

import av
import pytest

from live_cli.devices.images import camera as module
from live_cli.devices.images.camera import Camera
from live_cli.devices.images.camera_devices import CameraDevice, drawn_camera
from live_cli.devices.images.capture import ImageCapture
from live_cli.errors import DeviceError

WEBCAM = CameraDevice(0, "Webcam", "v4l2", "/dev/video0")
OPEN = av.open
COUNTING = "nullsrc=size=64x48:rate=25,format=gray,geq=lum='mod(N*2,256)'"
"""A picture as bright as twice its number."""


def test_it_gives_images_of_the_size_it_has() -> None:
    camera = Camera(drawn_camera("testsrc=size=1280x720:rate=30"))
    assert camera.name == "camera 0 (testsrc=size=1280x720:rate=30)"
    camera.open()
    assert camera.newest().size == (1280, 720)
    camera.close()
    camera.close()


def test_an_image_is_that_of_now_never_one_that_waited() -> None:
    camera = Camera(drawn_camera(COUNTING))
    with closing(camera):
        camera.open()
        first = camera.newest().getpixel((30, 20))[0] // 2
        began = time.monotonic()
        time.sleep(1.0)
        second = camera.newest().getpixel((30, 20))[0] // 2
        passed = (time.monotonic() - began) * 25
    assert second - first >= 0.7 * passed  # queued, it would be the next one
    assert second - first <= passed + 5


def test_it_can_be_opened_again() -> None:
    camera = Camera(drawn_camera("testsrc"))
    for _ in range(2):
        camera.open()
        camera.newest()
        camera.close()
    assert not [each for each in threading.enumerate() if each.name == "camera"]


class Driver:
    """What answers in place of the kernel: FFmpeg's test source, and what a test makes of it."""

    def __init__(self) -> None:
        self.cameras = [WEBCAM]
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answer: Callable[[dict[str, str]], object] = lambda options: None
        self.goes_on = threading.Event()
        self.is_stuck = self.does_not_wait = False
        self.turns = itertools.count(1)
        self.streams: Any = None

    def open(self, file: str, format: str, options: dict[str, str]) -> "Driver":
        self.asked.append((file, options))
        self.answer(options)
        self._real = OPEN("testsrc=size=320x240,realtime", format="lavfi")
        self.streams = self._real.streams
        return self

    def demux(self, stream: Any) -> Iterator[Any]:
        for packet in self._real.demux(stream):
            if self.is_stuck:
                self.goes_on.wait(20)
            if self.does_not_wait and next(self.turns) % 2:
                av.error.err_check(-errno.EAGAIN)
            if not self.cameras:
                av.error.err_check(-errno.ENODEV)
            yield packet

    def close(self) -> None:
        self._real.close()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    driver = Driver()
    monkeypatch.setattr(module, "list_cameras", lambda: driver.cameras)
    monkeypatch.setattr(av, "open", driver.open)
    yield driver
    driver.goes_on.set()


def refusal(number: int) -> Callable[[dict[str, str]], None]:
    def refuse(options: dict[str, str]) -> None:
        av.error.err_check(-number)

    return refuse


@pytest.mark.parametrize(
    ("platform", "number", "says"),
    [
        ("linux", errno.EBUSY, "is busy: another program uses it"),
        ("linux", errno.EACCES, "/dev/video0 may not be read: sudo usermod -aG video $USER"),
        ("linux", errno.EPERM, "sudo usermod -aG video $USER"),
        ("linux", errno.ENOENT, "is not there, or not any more: plug it in"),
        ("linux", errno.ENODEV, "is not there, or not any more: plug it in"),
        ("linux", errno.EIO, "cannot be opened: Input/output error."),
        ("darwin", errno.EPERM, "Privacy & Security, Camera"),
        ("darwin", errno.EIO, "Privacy & Security, Camera"),
        ("win32", errno.EIO, "Settings, Privacy & security"),
    ],
)
def test_why_one_does_not_open(
    driver: Driver, platform: str, number: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    driver.answer = refusal(number)
    camera = Camera(WEBCAM)
    with closing(camera), pytest.raises(DeviceError) as caught:
        camera.open()
    assert str(caught.value).startswith("Camera 0 (Webcam) ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(driver.asked) == (2 if number == errno.EIO else 1)


def test_one_that_refuses_what_is_asked_of_it_is_opened_as_it_is(driver: Driver) -> None:
    def refuse_wishes(options: dict[str, str]) -> None:
        if options:
            av.error.err_check(-errno.EINVAL)

    driver.answer = refuse_wishes
    with closing(Camera(WEBCAM)) as camera:
        camera.open()
        assert camera.newest().size == (320, 240)
    assert [options.get("video_size") for _, options in driver.asked] == ["1280x720", None]


def test_one_that_does_not_wait_for_its_images_is_asked_again(driver: Driver) -> None:
    driver.does_not_wait = True
    with closing(Camera(WEBCAM)) as camera:
        camera.open()
        assert [camera.newest().size for _ in range(3)] == [(320, 240)] * 3


def test_one_that_hangs_while_it_opens_is_left(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OPEN_WITHIN_S", 0.1)
    monkeypatch.setattr(module, "_CLOSE_WITHIN_S", 0.1)
    driver.answer = lambda options: driver.goes_on.wait(20)
    camera = Camera(WEBCAM)
    with pytest.raises(DeviceError, match=r"does not open within 0\.1 s: unplug it"):
        camera.open()
    camera.close()


def test_one_that_gives_no_more_images_is_said_and_left(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CLOSE_WITHIN_S", 0.1)
    camera = Camera(WEBCAM)
    camera.open()
    camera.newest()
    driver.is_stuck = True
    monkeypatch.setattr(module, "IMAGE_WITHIN_S", 0.1)
    with pytest.raises(DeviceError, match=r"gives no image within 0\.1 s"):
        # the first one may have been on its way
        _ = camera.newest(), camera.newest()
    camera.close()


def test_one_that_is_unplugged_is_lost_and_found_under_its_name(driver: Driver) -> None:
    told: Queue[DeviceError | None] = Queue()
    capture = ImageCapture(Camera(WEBCAM), lambda image: None, told.put, long_side=768)
    capture.start()
    driver.cameras = []
    lost = told.get(timeout=20)
    driver.cameras = [CameraDevice(0, "Other", "v4l2", "/dev/video0")]
    time.sleep(0.5)  # two tries
    # plugged in again it may be another node; a second camera is not taken for it
    driver.cameras = [
        CameraDevice(0, "Other", "v4l2", "/dev/video0"),
        CameraDevice(2, "Webcam", "v4l2", "/dev/video2"),
    ]
    back = told.get(timeout=20)
    capture.stop()
    assert "is not there, or not any more" in str(lost)
    assert back is None
    assert [file for file, _ in driver.asked] == ["/dev/video0", "/dev/video2"]
