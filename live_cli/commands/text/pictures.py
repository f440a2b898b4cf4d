"""Pictures that a person names: read, made ready to be sent, and told of."""

import errno
import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from live_cli.bounded_read import read_bounded, read_bounded_stdin
from live_cli.commands.text.pasted import is_picture_file, split_line
from live_cli.errors import InputFileError, OptionError, SettingsError
from live_cli.pictures.picture import LONG_SIDE, MOST_BYTES, EncodedPicture, prepare, too_large
from live_cli.streams import is_terminal
from live_cli.ui.view import SentImage

STDIN: Final = "-"
"""The name, of a picture as of the MESSAGE, that means standard input."""
_MOST_SENT_BYTES: Final = 10 << 20
"""Of all pictures of a message: base64 makes 14 MB of it, and servers take 16 in one message."""
_KINDS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A picture that is ready to be sent, by the name of its file."""

    name: str
    encoded: EncodedPicture

    @property
    def sent(self) -> SentImage:
        """The same for a view."""
        picture = self.encoded
        digest = hashlib.sha256(picture.data).hexdigest()
        size = (picture.width, picture.height)
        return SentImage(picture.mime_type, len(picture.data), *size, digest)

    @property
    def told(self) -> str:
        """Return what leaves, as in ``cat.jpg (1024 x 768, JPEG, 84 kB, without its metadata)``."""
        picture = self.encoded
        kind, size = _KINDS[picture.mime_type], -(-len(picture.data) // 1000)
        told = f"{picture.width} x {picture.height}, {kind}, {size} kB, without its metadata"
        return f"{self.name} ({told})"


class PictureInput:
    """Reads the pictures of a session, as large as its media resolution uses.

    ``blind``: why the model can be shown none, in a sentence; None where it sees, or may.
    """

    def __init__(self, media_resolution: str | None, blind: str | None) -> None:
        self._long_side = LONG_SIDE[media_resolution]
        self._blind = blind

    def read(self, names: Iterable[str]) -> list[NamedPicture]:
        """Return the pictures in the files ``names``, "-" for standard input.

        Raises InputFileError, which names the file; SettingsError where Pillow is missing.
        """
        pictures = [_read(name, self._long_side) for name in names]
        if sum(len(picture.encoded.data) for picture in pictures) > _MOST_SENT_BYTES:
            raise InputFileError(
                f"{len(pictures)} pictures are too many for one message: together they have more "
                f"than {_MOST_SENT_BYTES >> 20} MB. Send them in several messages, or with "
                "--media-resolution low."
            )
        return pictures

    def in_line(self, line: str) -> tuple[str, list[NamedPicture]]:
        """Return the words of a line that was typed into a terminal, and the pictures it names.

        Raises InputFileError, and SettingsError where the model sees none.
        """
        typed = split_line(line, is_picture_file)
        if typed.missing is not None:
            raise InputFileError(f"{typed.missing} is not there: nothing was sent.")
        if typed.paths and self._blind is not None:
            raise SettingsError(self._blind)
        return typed.words, self.read(typed.paths)


def refuse_unreadable(names: list[str], *, message: str | None, taken: bool) -> None:
    """Raise OptionError for no name, and where a picture from standard input would find none there.

    ``taken``: something else reads standard input.
    """
    if "" in names:
        raise OptionError("--image has no name of a file behind it.")
    if STDIN not in names:
        return
    if names.count(STDIN) > 1 or taken or message == STDIN:
        raise OptionError("--image - reads all of standard input: nothing else can come from it.")
    if is_terminal(sys.stdin):
        raise OptionError(
            "--image - reads a picture from a pipe, and there is none: name a file, or "
            "give it one: live-cli text --image - < picture.png"
        )


def _read(name: str, long_side: int) -> NamedPicture:
    told = "standard input" if name == STDIN else name
    try:
        if name == STDIN:
            data = read_bounded_stdin(MOST_BYTES)
        else:
            data = read_bounded(Path(os.path.expanduser(name)), MOST_BYTES)
    except OSError as exc:
        if exc.errno == errno.EFBIG:
            raise too_large(told) from exc
        raise InputFileError(f"{told} cannot be read: {exc.strerror or exc}.") from exc
    return NamedPicture(Path(told).name or told, prepare(data, told, long_side))
