"""A folder of pictures in place of a camera: one a second in the order of names, again at its end.

A single picture is a folder of one. What is no picture is left out by its suffix; a picture that
cannot be read is a loss of the source, told as any, after which the next one follows.
"""

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from live_cli.bounded_read import read_bounded
from live_cli.errors import DeviceError, InputFileError, LiveError
from live_cli.pictures.picture import MOST_BYTES, SUFFIXES, decode, opaque, too_large

if TYPE_CHECKING:
    from PIL.Image import Image

_EACH_S = 0.9
"""A picture stays so long at least; asked for once a second, a little early too, each is shown."""


class ImageFileError(InputFileError, DeviceError):
    """A file in place of a camera cannot be read: an input file to people, a source to the code."""


class PictureFiles:
    """The pictures of a folder, or one picture, as an `ImageSource`."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._pictures: list[Path] = []
        self._next = 0
        self._due = 0.0
        self._shown: Image | None = None

    @property
    def name(self) -> str:
        """The folder or file, as in ``the pictures in holiday/``."""
        return f"the pictures in {self._path}" if self._path.is_dir() else f"{self._path}"

    def open(self) -> None:
        """List the pictures, and read one. Raises ImageFileError."""
        try:
            self._pictures = _pictures_in(self._path)
        except OSError as exc:
            reason = exc.strerror or exc
            raise ImageFileError(f"{self._path} cannot be read: {reason}.") from exc
        if not self._pictures:
            raise ImageFileError(
                f"{self._path} has no pictures: put some there that end in .jpg, .png or .webp."
            )
        self._shown = None
        self._shown = self._following()

    def newest(self) -> "Image":
        """Return the picture that is due now. Raises ImageFileError for one that is broken."""
        if self._shown is None or self._clock() >= self._due:
            self._shown = self._following()
        return self._shown.copy()

    def close(self) -> None:
        """Keep nothing but the place in the order of pictures, where `open` goes on."""
        self._shown = None

    def _following(self) -> "Image":
        path = self._pictures[self._next % len(self._pictures)]
        self._next = (self._next + 1) % len(self._pictures)
        self._due = self._clock() + _EACH_S
        if len(self._pictures) == 1 and self._shown is not None:
            return self._shown
        return _read(path)


def _pictures_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)


def _read(path: Path) -> "Image":
    try:
        return opaque(decode(read_bounded(path, MOST_BYTES), str(path)))
    except OSError as exc:
        says = f"{path} cannot be read: {exc.strerror or exc}."
        raise ImageFileError(
            str(too_large(str(path))) if exc.errno == errno.EFBIG else says
        ) from exc
    except LiveError as exc:
        raise ImageFileError(str(exc)) from exc
