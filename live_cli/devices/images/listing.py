"""Finds the camera, screen or files that a user means."""

import contextlib
import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from live_cli.devices.images.camera import Camera
from live_cli.devices.images.camera_devices import (
    NO_CAMERA,
    CameraDevice,
    drawn_camera,
    list_cameras,
)
from live_cli.devices.images.libraries import load_av, load_pillow
from live_cli.devices.images.picture_files import PictureFiles
from live_cli.devices.images.screen import Monitor, Screen, list_monitors
from live_cli.devices.images.source import ImageSource
from live_cli.devices.images.video_file import VideoFile
from live_cli.errors import DeviceError, InputFileError, OptionError
from live_cli.pictures.picture import SUFFIXES, begins_as_picture

_TEST_CAMERA = "lavfi:"


def image_source(camera: str | None, screen: str | None) -> ImageSource:
    """Return the camera, screen or files that are meant; one of the two is given.

    ``camera``: "" for the first one, a number, a part of a name, a video, a picture, a folder of
    pictures, or ``lavfi:`` and a graph that FFmpeg draws, as in ``lavfi:testsrc``. ``screen``: ""
    for the main monitor, a number, a part of a name.

    Nothing is opened. Raises DeviceError, which says what there is to choose from, InputFileError
    for a file that is not there, SettingsError without the packages of the extra ``video``.
    """
    if (camera is None) == (screen is None):
        raise OptionError("Either --camera or --screen shows something to the model, one of them.")
    load_pillow()
    if camera is None:
        return Screen(match_monitor(screen or "", list_monitors()))
    if files := _files(camera):
        return files
    load_av()
    if camera.startswith(_TEST_CAMERA):
        return Camera(drawn_camera(camera.removeprefix(_TEST_CAMERA)))
    return Camera(match_camera(camera, list_cameras()))


def _files(camera: str) -> ImageSource | None:
    """Return the files that ``camera`` names, if they are there and are files."""
    text = camera.strip()
    if not text or text.isdecimal():
        return None
    path = Path(text).expanduser()
    try:
        if path.is_dir() or (path.is_file() and _is_picture(path)):
            return PictureFiles(path)
        if path.is_file():
            load_av()
            return VideoFile(path)
    except (OSError, ValueError):  # no name of a file at all
        return None
    return None


def _is_picture(path: Path) -> bool:
    """Return whether ``path`` is one picture; a GIF, which may move, is a video."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(12)
        if begins_as_picture(head):
            return not head.startswith(b"GIF8")
    return path.suffix.lower() in SUFFIXES - {".gif"}


def match_camera(text: str, cameras: Sequence[CameraDevice]) -> CameraDevice:
    """Return the one of ``cameras`` that ``text`` means. Raises DeviceError, InputFileError."""
    wanted = text.strip()
    named = [each for each in cameras if wanted in (each.file, str(each.number))]
    if not named and wanted:
        named = _named(wanted, cameras)
    if not named and _looks_like_a_file(wanted):
        raise InputFileError(f"There is no file or folder {wanted}.")
    if not cameras:
        called = "" if not wanted or wanted.isdecimal() else f'No file is called "{wanted}". '
        raise DeviceError(called + NO_CAMERA)
    if not wanted:
        return next((each for each in cameras if not each.problem), cameras[0])
    if len(named) == 1:
        return named[0]
    raise DeviceError(_not_one("camera", wanted, named, cameras))


def match_monitor(text: str, monitors: Sequence[Monitor]) -> Monitor:
    """Return the one of ``monitors`` that ``text`` means. Raises DeviceError."""
    wanted = text.strip()
    if not wanted:
        return next((each for each in monitors if each.is_main), monitors[0])
    named = [each for each in monitors if wanted == str(each.number)]
    named = named or _named(wanted, monitors)
    if len(named) == 1:
        return named[0]
    raise DeviceError(_not_one("screen", wanted, named, monitors))


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def called(self) -> str: ...


_Source = TypeVar("_Source", bound=_Named)


def _named(wanted: str, sources: Sequence[_Source]) -> list[_Source]:
    """Return those whose name is ``wanted``, or else those of whose name it is a part."""
    folded = wanted.casefold()
    exact = [each for each in sources if each.name.casefold() == folded]
    return exact or [each for each in sources if folded in each.name.casefold()]


def _not_one(role: str, wanted: str, named: Sequence[_Named], there: Sequence[_Named]) -> str:
    """Return why ``wanted`` means none of those ``there``, or more than one."""
    shown = ", ".join(each.called for each in (named or there)[:8])
    if named:
        return f'"{wanted}" fits more than one {role}: {shown}. Give more of the name, or a number.'
    if wanted.isdecimal():
        return f"There is no {role} number {wanted}, only {shown}."
    near = difflib.get_close_matches(wanted, [each.name for each in there], n=1, cutoff=0.6)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return f'No {role} is called "{wanted}". {hint}There is {shown}.'


def _looks_like_a_file(text: str) -> bool:
    if text.startswith("/dev/"):
        return False
    return any(mark in text for mark in "/\\~") or bool(re.search(r"\.[A-Za-z]\w{1,3}$", text))
