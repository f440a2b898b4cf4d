"""What sends the images of a talk: from a source through the capture's thread into the outbox."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from live_cli.commands.talk import image_options, image_sender
from live_cli.commands.talk.image_sender import ImageSender
from live_cli.commands.talk.microphone_input import MicrophoneInput
from live_cli.commands.talk.outbox import Outbox
from live_cli.devices.images import capture
from live_cli.errors import DeviceError
from live_cli.plan.plan import plan_session
from live_cli.protocol.input_gate import InputGate
from live_cli.protocol.messages import ClientMessage
from live_cli.settings.load import load
from live_cli.ui.view import DeviceNews, ImageStatus, Summary
from live_cli.ui.waiting_times import WaitingTimes
from tests.harness.speech import speech_like

WITHIN_S = 20.0


class Source:
    """A camera: each image has another colour, unless it is still; it can be lost, and can hang."""

    name = "camera 0 (Test)"

    def __init__(self, *, still: bool = False, refuses: str | None = None) -> None:
        self.still = still
        self.refuses = refuses
        self.lost = False
        self.may_open = threading.Event()
        self.may_open.set()
        self.opened = 0
        self.closed = threading.Event()
        self._numbers = count()
        self._taken = 0
        self._enough = (0, threading.Event())

    def open(self) -> None:
        self.may_open.wait(WITHIN_S)
        if self.refuses or self.lost:
            raise DeviceError(self.refuses or "Camera 0 (Test) was unplugged.")
        self.opened += 1

    def newest(self) -> Image.Image:
        if self.lost:
            raise DeviceError("Camera 0 (Test) was unplugged.")
        self._taken += 1
        most, enough = self._enough
        if self._taken >= most:
            enough.set()
        number = 0 if self.still else next(self._numbers)
        return Image.new("RGB", (64, 48), ((number * 90) % 256, 128, 255 * (number % 2)))

    def close(self) -> None:
        self.closed.set()

    async def taken(self, images: int) -> None:
        """Wait until so many more have been taken."""
        self._enough = (self._taken + images, enough := threading.Event())
        assert await asyncio.to_thread(enough.wait, WITHIN_S)


class FakeView:
    """Keeps what it is shown; `until` waits for something."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.at: list[float] = []
        self._more = asyncio.Event()

    def images(self, status: ImageStatus) -> None:
        self._keep(status)

    def device(self, news: DeviceNews) -> None:
        self._keep(news)

    def note(self, text: str) -> None:
        self._keep(text)

    error = note

    def _keep(self, news: object) -> None:
        self.told.append(news)
        self.at.append(asyncio.get_running_loop().time())
        self._more.set()

    async def until(self, fits: Callable[[list[object]], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not fits(self.told):
                self._more.clear()
                await self._more.wait()

    @property
    def states(self) -> list[str]:
        """The states that followed each other."""
        states = [news.state for news in self.told if isinstance(news, ImageStatus)]
        return [
            state for before, state in zip(["", *states], states, strict=False) if state != before
        ]


@pytest.fixture(autouse=True)
def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "IMAGE_EVERY_S", 0.01)
    monkeypatch.setattr(image_sender, "EVERY_S", 0.01)


class Bench:
    """A sender with a source, an outbox that a task empties, and a view."""

    def __init__(self, source: Source, **more: object) -> None:
        self.view, self.outbox, self.source = FakeView(), Outbox(), source
        self.sender = ImageSender(
            lambda: source,
            self.outbox,
            self.view,  # type: ignore[arg-type]
            role="camera",
            long_side=768,
            tokens=258,
            **more,  # type: ignore[arg-type]
        )
        self.left: list[ClientMessage] = []
        self._taking = asyncio.create_task(self._take())

    async def _take(self) -> None:
        while True:
            self.left.append(await self.outbox.take())

    def close(self) -> None:
        self._taking.cancel()
        self.sender.close()


@pytest.fixture
def benches() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(source: Source, **more: object) -> Bench:
        made.append(Bench(source, **more))
        return made[-1]

    yield make
    for bench in made:
        bench.close()
        assert not bench.source.opened or bench.source.closed.wait(WITHIN_S)


def leaving(number: int) -> Callable[[list[object]], bool]:
    """So many images have left."""
    return lambda told: (
        sum(isinstance(n, ImageStatus) and n.image is not None for n in told) >= number
    )


async def test_images_leave_and_are_counted_shown_and_summed(benches) -> None:
    bench = benches(Source())
    await bench.sender.start()
    await bench.view.until(leaving(3))
    shown = [news for news in bench.view.told if isinstance(news, ImageStatus) and news.image]
    assert [news.sent for news in shown[:3]] == [1, 2, 3]
    assert shown[2].tokens == 3 * 258
    for news, message in zip(shown, bench.left, strict=False):
        video = message.realtime_input and message.realtime_input.video
        assert video is not None
        assert news.image is not None
        assert (news.image.bytes, news.image.mime_type) == (len(video.data), video.mime_type)
        assert news.preview is not None
    summary = bench.sender.counted(Summary())
    assert summary.images_sent == len(bench.left)
    assert summary.image_tokens == 258 * summary.images_sent


async def test_what_stands_still_is_saved_until_the_model_has_forgotten_it(benches) -> None:
    bench = benches(Source(still=True))
    await bench.sender.start()
    await bench.view.until(leaving(1))
    await bench.source.taken(7)
    assert bench.sender.counted(Summary()).images_saved >= 5
    assert len(bench.left) == 1
    bench.sender.forget()
    await bench.view.until(leaving(2))


async def test_no_more_than_one_image_leaves_in_the_time_that_the_service_gives(
    benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_sender, "EVERY_S", 0.3)
    bench = benches(Source())
    await bench.sender.start()
    await bench.view.until(leaving(4))
    left_at = [at for at, news in zip(bench.view.at, bench.view.told, strict=True)
               if isinstance(news, ImageStatus) and news.image]  # fmt: skip
    assert min(after - before for before, after in pairwise(left_at)) >= 0.29


async def test_the_key_begins_and_stops_and_begins_anew(benches) -> None:
    bench = benches(Source(still=True))
    bench.sender.toggle()
    await bench.view.until(leaving(1))
    bench.sender.toggle()
    assert bench.view.states == ["on", "off"], "it stops at once, whatever the device does"
    count_then = len(bench.left)
    await asyncio.to_thread(bench.source.closed.wait, WITHIN_S)
    await asyncio.sleep(0.05)
    assert len(bench.left) == count_then
    bench.sender.toggle()
    await bench.view.until(leaving(2))
    assert bench.source.opened == 2


async def test_a_key_pressed_while_the_device_opens_lets_nothing_leave(benches) -> None:
    bench = benches(Source())
    bench.source.may_open.clear()
    bench.sender.toggle()
    await asyncio.sleep(0.05)
    bench.sender.toggle()
    bench.source.may_open.set()
    await asyncio.to_thread(bench.source.closed.wait, WITHIN_S)
    await asyncio.sleep(0.05)
    assert bench.left == []
    assert bench.view.states == []


async def test_a_lost_camera_is_said_and_one_that_is_back(benches) -> None:
    bench = benches(Source())
    await bench.sender.start()
    await bench.view.until(leaving(1))
    bench.source.lost = True
    await bench.view.until(lambda told: any(isinstance(news, DeviceNews) for news in told))
    bench.source.lost = False
    await bench.view.until(lambda told: sum(isinstance(news, DeviceNews) for news in told) == 2)
    lost, back = (news for news in bench.view.told if isinstance(news, DeviceNews))
    assert (lost.role, lost.state, back.state) == ("camera", "lost", "back")
    assert "unplugged" in lost.message
    assert back.away_s > 0
    await bench.view.until(leaving(2))
    assert bench.view.states == ["on", "lost", "on"]


async def test_a_device_that_does_not_open_is_told(benches) -> None:
    bench = benches(Source(refuses="Camera 0 (Test) is busy."))
    with pytest.raises(DeviceError, match="is busy"):
        await bench.sender.start()
    bench.sender.toggle()
    await bench.view.until(lambda told: "Camera 0 (Test) is busy." in told)
    assert bench.view.states == []
    bench.source.refuses = None
    bench.sender.toggle()
    await bench.view.until(leaving(1))


async def test_a_model_that_does_not_see_is_shown_nothing(benches) -> None:
    bench = benches(Source(), refusal="It sees no pictures.")
    bench.sender.toggle()
    await asyncio.sleep(0.05)
    assert bench.view.told == ["It sees no pictures."]
    assert bench.source.opened == 0


async def test_what_is_to_be_known_is_told_once(benches) -> None:
    bench = benches(Source(), notes=("Two minutes.",))
    asked: list[str] = []
    bench.sender.when_first_on(lambda: asked.append("graphics"))
    for number in (1, 2):
        bench.sender.toggle()
        await bench.view.until(leaving(number))
        bench.sender.toggle()
    assert bench.view.told.count("Two minutes.") == 1
    assert asked == ["graphics"]
    bench.sender.when_first_on(lambda: asked.append("again"))


async def test_images_of_a_time_without_a_connection_are_not_sent_later(benches) -> None:
    bench = benches(Source())
    bench.outbox.hold_image(True)
    await bench.sender.start()
    await bench.source.taken(6)
    bench.source.still = True
    await bench.source.taken(2)
    assert bench.left == []
    bench.outbox.hold_image(False)
    await bench.view.until(leaving(1))
    assert bench.sender.counted(Summary()).images_sent == len(bench.left) == 1


@pytest.mark.parametrize("goes_with_speech", [True, False])
async def test_an_utterance_gets_an_image_where_a_turn_holds_no_others(
    benches, goes_with_speech: bool
) -> None:
    bench = benches(Source(still=True), goes_with_speech=goes_with_speech)
    await bench.sender.start()
    await bench.view.until(leaving(1))
    bench.sender.note_speech()
    await bench.source.taken(4)
    await asyncio.sleep(0.05)
    assert len(bench.left) == (2 if goes_with_speech else 1)


@pytest.mark.parametrize(
    ("model", "coverage", "goes"),
    [
        ("gemini-2.5-flash-native-audio-preview-12-2025", None, True),
        ("gemini-2.5-flash-native-audio-preview-12-2025", "all-input", False),
        ("gemini-3.8-live", None, False),
        ("gemini-3.8-live", "only-activity", True),
        ("local", None, False),
    ],
)
def test_which_models_see_only_what_comes_with_speech(
    model: str, coverage: str | None, goes: bool
) -> None:
    options = {"server": "wss://example.org", "model": model, "turn_coverage": coverage}
    settings = load(options, environ={"LIVE_CLI_CONFIG": os.devnull})
    plan = plan_session(settings, "talk", pictures=True)
    assert image_options.goes_with_speech(settings, plan) is goes


@pytest.mark.parametrize(
    ("said", "begins"),
    [([0.6], 1), ([0.6, -0.4, 0.6], 1), ([0.6, -1.5, 0.6], 2), ([0.1, -1.5, 0.6], 1), ([-2.0], 0)],
)
def test_that_speech_begins_is_told_once_an_utterance(said: list[float], begins: int) -> None:
    told: list[bool] = []
    microphone = MicrophoneInput(
        InputGate(manual=False),
        Outbox(),
        Mock(),
        Mock(),
        Mock(),
        WaitingTimes(),
        lambda: 0.0,
        on_speech=lambda: told.append(True),
    )
    room = np.random.default_rng(1).normal(0, 0.0005, 16_000).astype(np.float32)
    parts = [
        speech_like(part) if part > 0 else np.resize(room, int(-part * 16_000)) for part in said
    ]
    sound = np.concatenate([room, *parts, room])
    for place, frame in enumerate(np.resize(sound, (sound.size // 320, 320))):
        pcm16 = (frame * 32_767).astype("<i2").tobytes()
        microphone.take_frame(pcm16, -30.0, (place + 1) * 0.02)
    assert len(told) == begins


def test_a_talk_without_images_loads_nothing_that_only_they_need() -> None:
    modules = ("talk.command", "talk.image_options", "talk.conversation", "talk.audio_io")
    imports = "".join(f"import live_cli.commands.{module}\n" for module in modules)
    code = f"import sys, live_cli.ui.live.live_view\n{imports}print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"PIL", "av", "mss"} & set(loaded)
