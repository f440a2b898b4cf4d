"""A video file in place of a camera: played at its own pace, and again from its end.

Nothing is decoded that nobody sees: of the packets up to the moment that is asked for, those before
the last key frame are passed over.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from live_cli.devices.images.libraries import image_of, load_av
from live_cli.devices.images.picture_files import ImageFileError
from live_cli.pictures.picture import MOST_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

_NOTHING_ELSE = {"protocol_whitelist": "none"}
"""A playlist leads FFmpeg to other files and to the network: not here."""
_SHORTEST_S = 0.04
"""A picture's time where the file names no rate."""


class VideoFile:
    """A video as an `ImageSource`."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._began = 0.0
        self._file: Any = None
        self._playing: Any = None

    @property
    def name(self) -> str:
        """The file, as in ``the video clip.mp4``."""
        return f"the video {self._path}"

    def open(self) -> None:
        """Begin at the beginning. Raises ImageFileError, and SettingsError without PyAV."""
        load_av()
        try:
            self._file = self._path.open("rb")
        except OSError as exc:
            raise ImageFileError(f"{self._path} cannot be read: {exc.strerror or exc}.") from exc
        self._play_from_the_beginning()
        self._began = self._clock()

    def newest(self) -> "Image":
        """Return the picture of now. Raises ImageFileError where the file is gone."""
        at = self._clock() - self._began
        if not self._playing.show(at):
            passed = at // self._playing.length_s * self._playing.length_s
            self._play_from_the_beginning()
            self._began += passed
            self._playing.show(at - passed)
        image: Image = self._playing.image()
        return image

    def close(self) -> None:
        """Close the file."""
        self._end_pass()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _play_from_the_beginning(self) -> None:
        self._end_pass()
        av = load_av()
        reason = "it has no pictures"
        try:
            self._file.seek(0)
            self._playing = _OnePass(av, self._file)
        except (av.FFmpegError, OSError, ValueError) as exc:
            reason = _one_line(exc)
        if self._playing is None or not self._playing.show(0.0):
            self.close()
            raise ImageFileError(f"{self._path} is no video that can be played: {reason}.")

    def _end_pass(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.close()


class _OnePass:
    """A video decoded once, from its beginning to its end. Times in seconds of the video."""

    def __init__(self, av: Any, file: BinaryIO) -> None:
        self._av = av
        self._container = av.open(file, options=_NOTHING_ELSE, metadata_errors="replace")
        try:
            self._stream = self._container.streams.best("video")
            if self._stream is None:
                raise ValueError("it has no pictures")
            codec = self._stream.codec_context
            if codec.width * codec.height > MOST_PIXELS:
                raise ValueError(f"{codec.width} x {codec.height} pixels are too many")
        except ValueError:
            self._container.close()
            raise
        self._packets = self._container.demux(self._stream)
        self._starts_s = float((self._stream.start_time or 0) * self._stream.time_base)
        rate = self._stream.average_rate
        self._each_s = float(1 / rate) if rate else _SHORTEST_S
        self._frames: deque[Any] = deque()
        self._shown: Any = None
        self._shown_s = 0.0
        self._next: Any = None
        self._next_s = 0.0

    @property
    def length_s(self) -> float:
        """Seconds that it lasted, once `show` has said that it is over."""
        return self._shown_s + self._each_s

    def show(self, at_s: float) -> bool:
        """Go on to the picture of ``at_s``; False once the video is over, or has no picture."""
        if self._shown is None:
            self._shown, self._shown_s = self._decoded(0.0)
            self._next, self._next_s = self._decoded(0.0)
        while self._next is not None and self._next_s <= at_s:
            self._shown, self._shown_s = self._next, self._next_s
            self._next, self._next_s = self._decoded(at_s)
        return self._shown is not None and (self._next is not None or at_s < self.length_s)

    def image(self) -> "Image":
        """Return the picture that `show` has come to, upright."""
        image = image_of(self._shown)
        turned = self._shown.rotation
        return image.rotate(turned, expand=True) if turned else image

    def close(self) -> None:
        """Free the decoder."""
        self._container.close()

    def _decoded(self, at_s: float) -> tuple[Any, float]:
        """Return the next picture that is needed for ``at_s``, and its time; at the end None."""
        while not self._frames:
            packets = self._packets_until(at_s)
            if not packets:
                return None, 0.0
            for packet in packets:
                with contextlib.suppress(self._av.FFmpegError):  # a damaged picture is passed over
                    self._frames.extend(packet.decode())
        frame = self._frames.popleft()
        at = self._shown_s + self._each_s if frame.time is None else frame.time - self._starts_s
        return frame, at

    def _packets_until(self, at_s: float) -> list[Any]:
        """Return the packets up to the first one after ``at_s``, from the last key frame on."""
        packets: list[Any] = []
        with contextlib.suppress(self._av.FFmpegError, OSError):  # the file is cut off: its end
            for packet in self._packets:
                if packet.is_keyframe and packets and self._time(packet.pts) <= at_s:
                    packets.clear()
                    self._stream.codec_context.flush_buffers()
                packets.append(packet)
                if packet.dts is None or self._time(packet.dts) > at_s:
                    break
        return packets

    def _time(self, stamp: int | None) -> float:
        return 0.0 if stamp is None else float(stamp * self._stream.time_base) - self._starts_s


def _one_line(exc: Exception) -> str:
    text = getattr(exc, "strerror", None) or str(exc)
    return " ".join(str(text).split()).rstrip(".")
