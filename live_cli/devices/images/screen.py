"""A monitor, by mss: on X11, Windows and macOS.

Wayland lets no program look at the screen unasked, and mss would see nothing there but a black
ground with the windows of X11's programs. So it is refused, with the ways that there are.
"""

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from live_cli.devices.images.libraries import load_mss
from live_cli.errors import DeviceError

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor as the system lists it; ``number`` counts from 1, sizes are in pixels."""

    number: int
    name: str
    width: int
    height: int
    is_main: bool

    @property
    def called(self) -> str:
        """Name for people, as in ``screen 1 (DP-1, 1920x1080)``."""
        named = f"{self.name}, " if self.name else ""
        return f"screen {self.number} ({named}{self.width}x{self.height})"


def list_monitors() -> list[Monitor]:
    """Return the monitors. Raises DeviceError without a display, or where none may be looked at."""
    screens = _opened()
    try:
        return _monitors(screens)
    finally:
        _free(screens)


class Screen:
    """A monitor as an `ImageSource`."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._screens: Any = None
        self._area: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """Number, name and size, as in ``screen 1 (DP-1, 1920x1080)``."""
        return self._monitor.called

    def open(self) -> None:
        """Connect to the display. Raises DeviceError: none, Wayland, the monitor is gone."""
        self._screens = _opened()
        number = self._monitor.number
        present = _monitors(self._screens)
        if number > len(present):
            self.close()
            raise DeviceError(f"Screen {number} is not there any more: plug it in.")
        self._monitor = present[number - 1]
        self._area = _areas(self._screens)[number - 1]

    def newest(self) -> "Image":
        """Return what the monitor shows. Raises DeviceError once the display is gone."""
        from PIL import Image

        try:
            shot = self._screens.grab(self._area)
        except Exception as exc:  # mss lets through what ctypes and X11 raise
            raise DeviceError(f"The screen cannot be read any more: {_reason(exc)}.") from exc
        return Image.frombuffer("RGB", tuple(shot.size), shot.raw, "raw", "BGRX", 0, 1)

    def close(self) -> None:
        """Let the display go."""
        screens, self._screens = self._screens, None
        if screens is not None:
            _free(screens)


def screen_problem(environment: Mapping[str, str]) -> str:
    """Return why the screen cannot be read here, as far as the environment tells; "" if it can."""
    if sys.platform == "darwin":
        return "" if _macos_allows() else _MACOS
    if sys.platform == "win32":
        return ""
    session = environment.get("XDG_SESSION_TYPE", "")
    if session == "wayland" or (session != "x11" and environment.get("WAYLAND_DISPLAY")):
        return _WAYLAND
    return "" if environment.get("DISPLAY") else _NO_DISPLAY


_WAYLAND = (
    "The screen cannot be read under Wayland: choose a session with X11 (Xorg) where you log in, "
    "or make the screen a camera with OBS Studio (Start Virtual Camera) and give --camera OBS."
)
_NO_DISPLAY = (
    "There is no display to read: DISPLAY is not set. Start live-cli in a graphical session, or "
    "set DISPLAY=:0 if one runs on this machine."
)
_DISPLAY = " Check that DISPLAY names one that runs, and that you may use it (xhost)."
_LIBRARIES = " Install the libraries of X11 (Debian: libxcb-randr0, -render0, -shm0, -xfixes0)."
_MACOS = (
    "The screen may not be read: allow it to your terminal in System Settings, Privacy & Security, "
    "Screen & System Audio Recording, and start the terminal again."
)


def _macos_allows() -> bool:
    """Return whether macOS lets this process see more than the wallpaper; asks nobody."""
    import ctypes
    import ctypes.util

    library = ctypes.util.find_library("CoreGraphics")
    preflight = getattr(ctypes.CDLL(library), "CGPreflightScreenCaptureAccess", None)
    if preflight is None:  # before macOS 10.15 nothing had to be allowed
        return True
    preflight.restype = ctypes.c_bool
    return bool(preflight())


def _opened() -> Any:
    mss = load_mss()
    if problem := screen_problem(os.environ):
        raise DeviceError(problem)
    try:
        return mss.MSS()
    except Exception as exc:  # mss lets through what ctypes and X11 raise
        hint = ""
        if sys.platform not in ("win32", "darwin"):
            hint = _LIBRARIES if "Library" in str(exc) else _DISPLAY
        raise DeviceError(f"The screen cannot be opened: {_reason(exc)}.{hint}") from exc


def _free(screens: Any) -> None:
    with contextlib.suppress(Exception):  # of a display that is gone
        screens.close()


def _monitors(screens: Any) -> list[Monitor]:
    try:
        areas = _areas(screens)
    except Exception as exc:  # mss lets through what ctypes and X11 raise
        _free(screens)
        raise DeviceError(f"The monitors cannot be listed: {_reason(exc)}.") from exc
    main = next((area for area in areas if area.get("is_primary")), areas[0])
    return [
        Monitor(
            number=number,
            name=_printable(str(area.get("name") or area.get("output") or "")),
            width=area["width"],
            height=area["height"],
            is_main=area is main,
        )
        for number, area in enumerate(areas, start=1)
    ]


def _areas(screens: Any) -> list[Mapping[str, Any]]:
    """Return the monitors; mss puts all of them together first, and an old X11 knows no other."""
    everything, *each = screens.monitors
    return each or [everything]


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in " ".join(name.split()))


def _reason(exc: Exception) -> str:
    """Return mss's words on one line; an assertion of its, which has none, fails at the server."""
    return " ".join(str(exc).split())[:200].rstrip(".") or "its server does not answer"
