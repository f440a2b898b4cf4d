"""The thread that takes images: what it hands over, how often, and what it does with a loss."""

import threading
import time
from collections.abc import Iterator
from queue import Queue

import pytest
from PIL import Image

from live_cli.devices.images import capture as module
from live_cli.devices.images.capture import ImageCapture
from live_cli.devices.images.source import CapturedImage
from live_cli.errors import DeviceError
from live_cli.pictures.change import SendOnChange

HANG_S = 20.0


class FakeCamera:
    """A source that shows ``colour``; a test takes it away, or lets a call of it hang."""

    name = "camera 0 (fake)"

    def __init__(self) -> None:
        self.colour = "red"
        self.size = (640, 480)
        self.there = True
        self.hangs = threading.Event()
        self.goes_on = threading.Event()
        self.calls: list[str] = []
        self.threads: set[int] = set()

    def open(self) -> None:
        self._note("open")
        if not self.there:
            raise DeviceError("Camera 0 is not there.")

    def newest(self) -> Image.Image:
        self._note("newest")
        if not self.there:
            raise DeviceError("Camera 0 is gone.")
        if self.hangs.is_set():
            self.goes_on.wait(HANG_S)
        return Image.new("RGB", self.size, self.colour)

    def close(self) -> None:
        self._note("close")

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())


class Rig:
    """A capture of a fake camera, and what it tells, in order."""

    def __init__(self, change: SendOnChange | None = None) -> None:
        self.camera = FakeCamera()
        self.told: Queue[CapturedImage | DeviceError | None] = Queue()
        self.capture = ImageCapture(
            self.camera, self.told.put, self.told.put, long_side=768, change=change
        )

    def next(self) -> CapturedImage | DeviceError | None:
        return self.told.get(timeout=HANG_S)

    def next_image(self) -> CapturedImage:
        told = self.next()
        assert isinstance(told, CapturedImage)
        return told


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A capture whose second is 20 ms."""
    monkeypatch.setattr(module, "IMAGE_EVERY_S", 0.02)
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.01)
    rig = Rig()
    yield rig
    rig.camera.goes_on.set()
    rig.capture.stop()


def colour_of(image: CapturedImage) -> tuple[int, ...]:
    return tuple(int(level) for level in image.preview[0, 0])


def test_images_that_differ_are_handed_over_and_others_counted(rig: Rig) -> None:
    rig.capture.start()
    first = rig.next_image()
    assert (first.picture.width, first.picture.height) == (640, 480)
    assert first.picture.mime_type in ("image/jpeg", "image/png")
    assert first.preview.shape == (240, 320, 3)
    assert colour_of(first) == (255, 0, 0)
    rig.camera.colour = "blue"
    assert colour_of(rig.next_image()) == (0, 0, 255)
    while rig.capture.saved < 3:
        time.sleep(0.005)
    rig.capture.stop()
    assert rig.told.empty()
    assert rig.capture.sent == 2
    assert len(rig.camera.threads) == 1
    assert threading.get_ident() not in rig.camera.threads
    assert rig.camera.calls[0] == "open"
    assert rig.camera.calls[-1] == "close"


def test_after_forgetting_the_same_is_sent_again(rig: Rig) -> None:
    rig.capture.start()
    rig.next_image()
    rig.capture.forget()
    assert colour_of(rig.next_image()) == (255, 0, 0)


@pytest.mark.parametrize(
    ("size", "sent", "preview"),
    [((1920, 1080), (768, 432), (144, 256, 3)), ((300, 4000), (58, 768), (256, 20, 3)),
     ((16, 9), (16, 9), (9, 16, 3)), ((1, 1), (1, 1), (1, 1, 3))],
)  # fmt: skip
def test_an_image_is_made_as_small_as_is_sent(
    rig: Rig, size: tuple[int, int], sent: tuple[int, int], preview: tuple[int, ...]
) -> None:
    rig.camera.size = size
    rig.capture.start()
    image = rig.next_image()
    assert (image.picture.width, image.picture.height) == sent
    assert image.preview.shape == preview


def test_at_most_one_image_a_second_is_taken() -> None:
    rig = Rig(SendOnChange(longest_pause_s=0.0))
    began = time.monotonic()
    rig.capture.start()
    for _ in range(3):
        rig.next_image()
    taken_in_s = time.monotonic() - began
    rig.capture.stop()
    assert taken_in_s >= 1.9


def test_a_lost_source_is_told_once_tried_again_and_told_when_it_is_back(rig: Rig) -> None:
    rig.capture.start()
    rig.next_image()
    rig.camera.there = False
    lost = rig.next()
    assert isinstance(lost, DeviceError)
    assert str(lost) == "Camera 0 is gone."
    while rig.camera.calls.count("open") < 3:  # at once, then after a quarter of a second
        time.sleep(0.005)
    rig.camera.colour = "blue"
    rig.camera.there = True
    assert rig.next() is None
    assert colour_of(rig.next_image()) == (0, 0, 255)
    # whatever was opened is closed before it is opened again
    opened_and_closed = [call for call in rig.camera.calls if call != "newest"]
    assert opened_and_closed == ["open", "close"] * (len(opened_and_closed) // 2) + ["open"]


def test_one_that_does_not_open_is_refused_by_start_and_nothing_runs(rig: Rig) -> None:
    rig.camera.there = False
    with pytest.raises(DeviceError, match="is not there"):
        rig.capture.start()
    rig.capture.stop()
    assert rig.told.empty()


def test_one_that_hangs_while_it_opens_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_WITHIN_S", 0.05)
    rig = Rig()
    monkeypatch.setattr(rig.camera, "open", lambda: rig.camera.goes_on.wait(HANG_S))
    with pytest.raises(DeviceError, match=r"Camera 0 \(fake\) does not open within"):
        rig.capture.start()
    rig.camera.goes_on.set()
    rig.capture.stop()
    assert rig.camera.calls == ["close"]
    assert rig.told.empty()


def test_stop_returns_from_one_that_hangs_and_nothing_comes_after_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_WITHIN_S", 0.05)
    rig.camera.hangs.set()
    rig.capture.start()
    while "newest" not in rig.camera.calls:
        time.sleep(0.005)
    rig.capture.stop()
    rig.camera.goes_on.set()
    while rig.camera.calls[-1] != "close":
        time.sleep(0.005)
    assert rig.told.empty()
    rig.capture.stop()


def test_counts_go_on_with_a_change_that_is_given() -> None:
    change = SendOnChange(sent=5, saved=7)
    rig = Rig(change)
    rig.capture.stop()  # before it has begun: nothing
    assert (rig.capture.sent, rig.capture.saved) == (5, 7)
