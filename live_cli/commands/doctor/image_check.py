"""Cameras and screens in `live-cli doctor`: which there are, and with ``--video`` what they show.

A camera is opened with ``--video`` alone, since that lights its lamp.
"""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from live_cli.commands.doctor.findings import Finding, print_finding
from live_cli.errors import DeviceError, LiveError
from live_cli.settings.schema import Settings

if TYPE_CHECKING:
    from live_cli.devices.images.source import ImageSource

_PACKAGES = {"av": "av", "mss": "mss", "PIL": "Pillow"}
DARK_LEVEL = 8
"""The brightest of an image's pixels, of 255, that no lens gives which looks at anything."""


def run(settings: Settings, *, json: bool) -> None:
    """Take an image of each camera and screen, or of what the settings name; print what it shows.

    Raises the first DeviceError of a source that gives none, once all are looked at, and
    SettingsError without the packages.
    """
    from live_cli.devices.images.libraries import load_pillow

    load_pillow()
    failures = []
    chosen = _chosen(settings)
    for finding in _looks() if chosen is None else [_look(chosen)]:
        print_finding(finding, as_json=json)
        if finding.failure is not None:
            failures.append(finding.failure)
    if failures:
        raise failures[0]


def _looks() -> Iterator[Finding]:
    from live_cli.devices.images.camera import Camera
    from live_cli.devices.images.camera_devices import NO_CAMERA, list_cameras
    from live_cli.devices.images.screen import Screen, list_monitors

    cameras = list_cameras()
    if not cameras:
        yield Finding("camera", NO_CAMERA, hint=True)
    for camera in cameras:
        yield _look(Camera(camera))
    try:
        monitors = list_monitors()
    except DeviceError as exc:
        yield Finding("screen", str(exc), hint=True)
    else:
        for monitor in monitors:
            yield _look(Screen(monitor))


def _look(source: "ImageSource") -> Finding:
    """Open ``source``, take one image, close it, and say what came."""
    name, began = source.name, time.monotonic()
    try:
        source.open()
        image = source.newest()
    except DeviceError as exc:
        return Finding(name, str(exc), failure=exc)
    finally:
        source.close()
    after_s = time.monotonic() - began
    brightest = max(image.convert("L").tobytes())
    facts: dict[str, object] = {
        "width": image.width,
        "height": image.height,
        "after_s": round(after_s, 2),
        "brightest": brightest,
    }
    says = f"{image.width}x{image.height} pixels after {after_s:.1f} s"
    if brightest <= DARK_LEVEL:
        says += ", all black: is its lens covered, is the screen locked?"
    return Finding(name, says, hint=brightest <= DARK_LEVEL, facts=facts)


def image_findings(settings: Settings) -> Iterator[Finding]:
    """Yield which packages, cameras and screens there are, and which of them the settings name.

    No camera is opened.
    """
    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        from live_cli.devices.images.libraries import INSTALL

        yield Finding("images", f"{', '.join(missing)} not installed: {INSTALL}", hint=True)
        return
    yield from _cameras()
    yield from _screens()
    try:
        chosen = _chosen(settings)
    except LiveError as exc:
        yield Finding("shown in talk", str(exc), hint=True)
    else:
        if chosen is not None:
            yield Finding("shown in talk", chosen.name)


def _chosen(settings: Settings) -> "ImageSource | None":
    """Return what the settings show to the model; None where they name nothing."""
    from live_cli.devices.images.listing import image_source

    camera, screen = settings.talk.camera, settings.talk.screen
    return None if camera is None and screen is None else image_source(camera, screen)


def _cameras() -> Iterator[Finding]:
    from live_cli.devices.images.camera_devices import NO_CAMERA, list_cameras

    cameras = list_cameras()
    if not cameras:
        yield Finding("camera", NO_CAMERA, hint=True)
    for camera in cameras:
        facts = {"number": camera.number, "file": camera.file}
        says = camera.problem or f"{camera.file} (an image of it: live-cli doctor --video)"
        yield Finding(camera.called, says, hint=bool(camera.problem), facts=facts)


def _screens() -> Iterator[Finding]:
    from live_cli.devices.images.screen import list_monitors

    try:
        monitors = list_monitors()
    except DeviceError as exc:
        yield Finding("screen", str(exc), hint=True)
        return
    shown = ", ".join(monitor.called for monitor in monitors)
    yield Finding("screen", shown, facts={"screens": len(monitors)})
