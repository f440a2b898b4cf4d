"""Cameras of the machine: their number, their name, and how FFmpeg opens them.

Opening a camera lights its lamp, so none is opened here. On Linux a node is asked what it is
(VIDIOC_QUERYCAP, as v4l2-ctl does): webcams have a second one that gives no images.
"""

import contextlib
import os
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from live_cli.devices.images.libraries import load_av

NO_CAMERA = (
    "No camera was found: plug one in, or give a video or a folder of pictures in its place, as "
    "in --camera clip.mp4."
)
TEST_FORMAT = "lavfi"
_NODES = Path("/dev")
_NAMES = Path("/sys/class/video4linux")
_QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability)
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_CAPTURE = 0x1 | 0x1000  # V4L2_CAP_VIDEO_CAPTURE, and the same for several planes
_HAS_DEVICE_CAPS = 0x8000_0000


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """A camera as the system lists it; ``problem`` says why it cannot be opened, if that is known.

    ``format`` and ``file``: what FFmpeg opens (``v4l2`` and ``/dev/video0``).
    """

    number: int
    name: str
    format: str
    file: str
    problem: str = ""

    @property
    def called(self) -> str:
        """Name for people, as in ``camera 0 (Integrated Webcam)``."""
        return f"camera {self.number} ({self.name})"


def list_cameras() -> list[CameraDevice]:
    """Return the cameras in the order of their numbers. Raises SettingsError without PyAV.

    On Linux PyAV is not needed.
    """
    if sys.platform == "win32":
        return _by_ffmpeg("dshow")
    if sys.platform == "darwin":
        return _by_ffmpeg("avfoundation")
    return _video4linux()


def drawn_camera(graph: str) -> CameraDevice:
    """Return the camera that FFmpeg draws by itself, as in ``testsrc``, at its own rate."""
    return CameraDevice(0, graph, TEST_FORMAT, f"{graph},realtime")


# --- Linux ---------------------------------------------------------------------------------------


def _video4linux() -> list[CameraDevice]:
    found = []
    for node in _NODES.glob("video*"):
        if (match := re.fullmatch(r"video(\d+)", node.name)) is not None:
            camera = _node(node, int(match[1]))
            if camera is not None:
                found.append(camera)
    return sorted(found, key=lambda camera: camera.number)


def _node(node: Path, number: int) -> CameraDevice | None:
    """Return the camera behind ``node``; None where it gives no images."""
    kernel = _NAMES / node.name
    name = _line(kernel / "name") or node.name
    problem = ""
    try:
        capabilities = _capabilities(node)
    except PermissionError:
        problem = not_allowed(str(node))
        capabilities = _CAPTURE if _line(kernel / "index") in ("", "0") else 0
    except OSError as exc:
        problem = f"{exc.strerror or exc}"
        capabilities = _CAPTURE
    if not capabilities & _CAPTURE:
        return None
    return CameraDevice(number, name, "v4l2", str(node), problem)


def _capabilities(node: Path) -> int:
    import fcntl

    descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        answer = fcntl.ioctl(descriptor, _QUERYCAP, bytes(_CAPABILITY.size))
    finally:
        os.close(descriptor)
    *_, all_nodes, this_node = _CAPABILITY.unpack(answer)
    return int(this_node if all_nodes & _HAS_DEVICE_CAPS else all_nodes)


def not_allowed(file: str) -> str:
    """Return how a person gets the right to open a camera here, as the end of a sentence."""
    if sys.platform == "darwin":
        return (
            "it is not allowed: let your terminal use the camera in System Settings, "
            "Privacy & Security, Camera, and start the terminal again"
        )
    if sys.platform == "win32":
        return "it is not allowed: let desktop apps use the camera in Settings, Privacy & security"
    return f"{file} may not be read: sudo usermod -aG {_group(file)} $USER, and log in again"


def _group(file: str) -> str:
    """Return the group that may read ``file``; ``video``, as distributions have it, if none."""
    if sys.platform != "win32":
        import grp

        with contextlib.suppress(OSError, KeyError):
            status = os.stat(file)
            if status.st_gid and status.st_mode & 0o060 == 0o060:
                return grp.getgrgid(status.st_gid).gr_name
    return "video"


def _line(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return on_one_line(text)


def on_one_line(text: str) -> str:
    """Return ``text`` without line breaks and control characters: names come from drivers."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


# --- macOS, Windows ------------------------------------------------------------------------------


def _by_ffmpeg(form: str) -> list[CameraDevice]:
    av = load_av()
    try:
        devices = av.enumerate_input_devices(form)
    except (av.FFmpegError, OSError, ValueError):  # it finds none
        return []
    cameras = [each for each in devices if "video" in each.media_types]
    return [
        CameraDevice(number, on_one_line(each.description), form, _file(form, each.name))
        for number, each in enumerate(cameras)
    ]


def _file(form: str, name: str) -> str:
    """Return how FFmpeg is told a device: DirectShow wants to hear what kind it is."""
    return f"video={name}" if form == "dshow" else f"{name}:none"
