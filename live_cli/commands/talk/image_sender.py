"""The images of a talk: of a camera or a screen, from its thread into the outbox.

Theory: `ImageCapture` has a thread that takes images and holds back those that show nothing new;
each that it hands over is scheduled onto the event loop. What leaves is what the outbox gives out,
at most one image a second: the preview, the counts and the record are of these and no others. The
key that stops images acts at once, whatever the device's driver does meanwhile: nothing is taken
any more, and the device is closed, or opened, by threads of their own.
"""

import asyncio
import contextlib
import functools
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from live_cli.commands.talk.outbox import Outbox
from live_cli.errors import DeviceError, LiveError
from live_cli.protocol import compose
from live_cli.ui.view import DeviceNews, ImageState, ImageStatus, SentImage, Summary, View

if TYPE_CHECKING:
    from live_cli.devices.images.capture import ImageCapture
    from live_cli.devices.images.source import CapturedImage, ImageSource
    from live_cli.pictures.change import SendOnChange

_T = TypeVar("_T")

EVERY_S: Final = 1.0
"""Between two images at least: the Live API takes one a second (reference §2.6)."""


class ImageSender:
    """Sends images while it is on; all calls come from the event loop.

    ``find_source`` is called in a thread and may raise LiveError. ``role``: ``camera`` or
    ``screen``. ``long_side``: pixels of an image, at most. ``tokens``: what one is billed.
    ``goes_with_speech``: what comes between two utterances is no part of a turn, so that each gets
    an image of its own. ``refusal``: why the model is sent none, None where it sees. ``notes``:
    what the user is told once, when the first images are sent.
    """

    def __init__(
        self,
        find_source: "Callable[[], ImageSource]",
        outbox: Outbox,
        view: View,
        *,
        role: str,
        long_side: int,
        tokens: int,
        goes_with_speech: bool = False,
        refusal: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._find_source = find_source
        self._outbox = outbox
        self._view = view
        self._role = role
        self._long_side = long_side
        self._tokens = tokens
        self._goes_with_speech = goes_with_speech
        self._refusal = refusal
        self._notes = notes
        self._wanted = False
        self._capture: ImageCapture | None = None
        self._change: SendOnChange | None = None
        self._name = role
        self._is_lost = False
        self._lost_at = 0.0
        self._told: ImageState = "off"
        self._changing: asyncio.Task[None] | None = None
        self._left_at = float("-inf")
        self._pause: asyncio.TimerHandle | None = None
        self._newest: CapturedImage | None = None
        self._sent = 0
        self._first: Callable[[], None] = lambda: None

    def counted(self, summary: Summary) -> Summary:
        """Return ``summary`` with the counts of the images."""
        return replace(
            summary,
            images_sent=self._sent,
            images_saved=self._saved,
            image_tokens=self._sent * self._tokens,
        )

    async def start(self) -> None:
        """Open the device and begin. Raises DeviceError, InputFileError, SettingsError."""
        self._wanted = True
        try:
            await self._open()
        except BaseException:
            self._wanted = False
            raise

    def when_first_on(self, act: Callable[[], None]) -> None:
        """Call ``act`` once images are on for the first time, or now if they are."""
        if self._capture is not None:
            act()
        else:
            self._first = act

    def toggle(self) -> None:
        """Begin, or stop: at once, while the device opens or closes behind it."""
        if self._refusal is not None:
            self._view.note(self._refusal)
            return
        self._wanted = not self._wanted
        if not self._wanted:
            self._take_no_more()
        if self._changing is None or self._changing.done():
            self._changing = asyncio.create_task(self._become_wanted())

    def forget(self) -> None:
        """Send the next image whatever it shows: the model has lost what it saw."""
        if self._capture is not None:
            self._capture.forget()

    def note_speech(self) -> None:
        """Let an image go with what the user begins to say, where the model sees no others."""
        if self._goes_with_speech:
            self.forget()

    def close(self) -> None:
        """Stop for good, and free the device."""
        self._wanted = False
        self._outbox.drop_image()
        if self._pause is not None:
            self._pause.cancel()
        if self._changing is not None:
            self._changing.cancel()
        if self._capture is not None:
            self._capture.stop()

    # --- opening and closing ---------------------------------------------------------------------

    async def _become_wanted(self) -> None:
        while self._wanted != (self._capture is not None):
            if self._capture is not None:
                capture, self._capture = self._capture, None
                await _in_thread(capture.stop)
                continue
            try:
                await self._open()
            except LiveError as exc:
                self._wanted = False
                self._view.error(str(exc))

    async def _open(self) -> None:
        from live_cli.devices.images.capture import ImageCapture
        from live_cli.pictures.change import SendOnChange

        change = self._change = self._change or SendOnChange()
        change.forget()

        def on_image(image: "CapturedImage") -> None:
            self._in_loop(lambda: self._take_in(capture, image))

        def on_lost(error: DeviceError | None) -> None:
            self._in_loop(lambda: self._note_lost(capture, error))

        source = await _in_thread(self._find_source)
        capture = ImageCapture(source, on_image, on_lost, long_side=self._long_side, change=change)
        self._name, self._is_lost = source.name, False
        self._capture = capture
        try:
            await _in_thread(capture.start)
        except BaseException:
            self._capture = None
            capture.stop()
            raise
        if not self._wanted:
            return
        for note in self._notes:
            self._view.note(note)
        self._notes = ()
        self._first()
        self._first = lambda: None
        self._tell()

    # --- what the capture's thread tells ---------------------------------------------------------

    def _take_in(self, capture: "ImageCapture", image: "CapturedImage") -> None:
        if capture is not self._capture or not self._wanted:
            return
        self._newest = image
        wait_s = self._left_at + EVERY_S - self._loop.time()
        if wait_s <= 0:
            self._offer()
        elif self._pause is None:
            self._pause = self._loop.call_later(wait_s, self._offer)

    def _offer(self) -> None:
        """Put the newest image into the outbox; it may be replaced there until it leaves."""
        self._pause = None
        image, self._newest = self._newest, None
        if image is not None:
            message = compose.video(image.picture.data, image.picture.mime_type)
            self._outbox.put_image(message, lambda: self._note_left(image))

    def _note_left(self, image: "CapturedImage") -> None:
        self._left_at = self._loop.time()
        self._sent += 1
        self._tell(image)

    def _note_lost(self, capture: "ImageCapture", error: DeviceError | None) -> None:
        if capture is not self._capture or not self._wanted:
            return
        now = self._loop.time()
        if self._is_lost == (error is not None):
            return
        self._is_lost = error is not None
        away_s = 0.0 if error is not None else now - self._lost_at
        self._lost_at = now
        back = f"Images of {self._name} are sent again."
        self._view.device(
            DeviceNews(
                role=self._role,
                state="lost" if error is not None else "back",
                name=self._name,
                message=back if error is None else str(error),
                away_s=round(away_s, 3),
            )
        )
        self._tell()

    # --- telling ---------------------------------------------------------------------------------

    def _take_no_more(self) -> None:
        self._outbox.drop_image()
        self._newest = None
        self._is_lost = False
        self._tell()

    def _tell(self, image: "CapturedImage | None" = None) -> None:
        state: ImageState = "off" if not self._wanted else "lost" if self._is_lost else "on"
        if state == self._told == "off":
            return
        self._told = state
        self._view.images(
            ImageStatus(
                role=self._role,
                source=self._name,
                state=state,
                sent=self._sent,
                saved=self._saved,
                tokens=self._sent * self._tokens,
                image=None if image is None else _sent(image),
                preview=None if image is None else image.preview,
            )
        )

    @property
    def _saved(self) -> int:
        return self._change.saved if self._change else 0

    def _in_loop(self, act: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act)


def _sent(image: "CapturedImage") -> SentImage:
    picture = image.picture
    digest = hashlib.sha256(picture.data).hexdigest()
    return SentImage(picture.mime_type, len(picture.data), picture.width, picture.height, digest)


async def _in_thread(act: Callable[[], _T]) -> _T:
    """Run ``act`` in a daemon thread: a driver that hangs does not hold up the end of the process.

    The event loop's own threads would be waited for.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        if not done.done():
            settled()

    def work() -> None:
        settled: Callable[[], None]
        try:
            settled = functools.partial(done.set_result, act())
        except Exception as exc:  # noqa: BLE001 - raised where it is awaited
            settled = functools.partial(done.set_exception, exc)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, settled)

    threading.Thread(target=work, name="image device", daemon=True).start()
    return await done
