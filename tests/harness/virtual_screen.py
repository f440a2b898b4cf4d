"""A screen without hardware: Xvfb, and on it a window of a known colour.

The window is Xlib's by ctypes: Xvfb's package brings the library, and no toolkit is needed.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import pytest

Colour = tuple[int, int, int]
PACKAGES = "xvfb libx11-6 libxcb-randr0 libxcb-render0 libxcb-shm0 libxcb-xfixes0"


class VirtualScreen:
    """An X server of its own, with one window that fills it. ``display`` is its DISPLAY."""

    def __init__(self, width: int = 640, height: int = 480) -> None:
        self.width = width
        self.height = height
        self.display = ""
        self._server: Any = None
        self._x: Any = None
        self._connection: Any = None
        self._window = 0
        self._context: Any = None

    def __enter__(self) -> "VirtualScreen":
        reader, writer = os.pipe()
        size = f"{self.width}x{self.height}x24"
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", size, "-nolisten", "tcp"]
        self._server = subprocess.Popen(
            command, pass_fds=(writer,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(writer)
        with os.fdopen(reader) as told:
            self.display = f":{told.readline().strip()}"  # an empty line once Xvfb has ended
        self._open_window()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End the server, as when its machine goes to sleep for good. Again does nothing."""
        if self._connection is not None:  # before the server: Xlib ends the process with it
            self._x.XCloseDisplay(self._connection)
            self._connection = None
        self._server.terminate()
        self._server.wait()

    def show(self, colour: Colour) -> None:
        """Fill the window with one colour."""
        self.paint(colour, (0, 0, self.width, self.height))

    def paint(self, colour: Colour, box: tuple[int, int, int, int]) -> None:
        """Fill left, top, width and height of the window."""
        red, green, blue = colour
        self._x.XSetForeground(self._connection, self._context, red << 16 | green << 8 | blue)
        self._x.XFillRectangle(self._connection, self._window, self._context, *box)
        self._x.XSync(self._connection, 0)

    def _open_window(self) -> None:
        self._x = x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = x.XDefaultGC.restype = ctypes.c_void_p
        x.XDefaultRootWindow.restype = x.XCreateSimpleWindow.restype = ctypes.c_ulong
        self._connection = display = ctypes.c_void_p(x.XOpenDisplay(self.display.encode()))
        root = ctypes.c_ulong(x.XDefaultRootWindow(display))
        window = x.XCreateSimpleWindow(display, root, 0, 0, self.width, self.height, 0, 0, 0)
        self._window = ctypes.c_ulong(window)
        self._context = ctypes.c_void_p(x.XDefaultGC(display, 0))
        x.XMapWindow(display, self._window)
        x.XSync(display, 0)


@pytest.fixture
def virtual_screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualScreen]:
    """A screen that DISPLAY names, in a session of X11."""
    if shutil.which("Xvfb") is None:
        pytest.fail(f"no Xvfb: apt-get install {PACKAGES}", pytrace=False)
    with VirtualScreen() as screen:
        monkeypatch.setenv("DISPLAY", screen.display)
        monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
        yield screen
