"""Which cameras there are: the nodes of Linux, and what FFmpeg lists on macOS and Windows."""

import errno
import sys
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from live_cli.devices.images import camera_devices as module
from live_cli.devices.images.camera_devices import CameraDevice, list_cameras

CAPTURES, METADATA = 0x1, 0x0080_0000


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Nodes":
    return Nodes(tmp_path, monkeypatch)


class Nodes:
    """A /dev and a /sys with the nodes that a test makes; what each can is asked of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dev, self.sys = folder / "dev", folder / "sys"
        self.answers: dict[str, int | OSError] = {}
        self.dev.mkdir()
        monkeypatch.setattr(module, "_NODES", self.dev)
        monkeypatch.setattr(module, "_NAMES", self.sys)
        monkeypatch.setattr(module, "_capabilities", self._answer)
        monkeypatch.setattr(sys, "platform", "linux")

    def add(self, node: str, name: str, answer: int | OSError, index: int = 0) -> None:
        (self.dev / node).touch()
        (self.sys / node).mkdir(parents=True)
        (self.sys / node / "name").write_text(f"{name}\n")
        (self.sys / node / "index").write_text(f"{index}\n")
        self.answers[node] = answer

    def _answer(self, node: Path) -> int:
        answer = self.answers[node.name]
        if isinstance(answer, OSError):
            raise answer
        return answer


def test_the_nodes_that_give_images_are_cameras_by_number(nodes: Nodes) -> None:
    nodes.add("video10", "HDMI \x1b[2J grabber", CAPTURES)
    nodes.add("video0", "Integrated Webcam: Integrated", CAPTURES)
    nodes.add("video1", "Integrated Webcam: Integrated", METADATA, index=1)
    nodes.add("video-dec", "a decoder", CAPTURES)
    found = list_cameras()
    assert [(each.number, each.name) for each in found] == [
        (0, "Integrated Webcam: Integrated"),
        (10, "HDMI ?[2J grabber"),
    ]
    assert found[0] == CameraDevice(
        0, "Integrated Webcam: Integrated", "v4l2", str(nodes.dev / "video0")
    )


def test_one_that_may_not_be_read_is_listed_with_what_to_do(nodes: Nodes) -> None:
    refused = PermissionError(errno.EACCES, "Permission denied")
    nodes.add("video0", "Webcam", refused)
    nodes.add("video1", "Webcam", refused, index=1)
    nodes.add("video2", "Broken", OSError(errno.EIO, "Input/output error"))
    webcam, broken = list_cameras()
    assert webcam.problem.startswith(f"{nodes.dev}/video0 may not be read: sudo usermod -aG ")
    assert broken.problem == "Input/output error"


def test_without_a_camera_there_is_none(nodes: Nodes) -> None:
    assert list_cameras() == []


def test_a_node_is_asked_by_the_kernels_own_words() -> None:
    with pytest.raises(OSError, match=r"[Ii]octl|Invalid argument"):  # it is no camera
        module._capabilities(Path("/dev/null"))


@pytest.mark.parametrize(
    ("platform", "form", "name", "file"),
    [("darwin", "avfoundation", "0", "0:none"), ("win32", "dshow", "@pnp_1", "video=@pnp_1")],
)
def test_ffmpeg_lists_those_of_macos_and_windows(
    platform: str, form: str, name: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def devices(asked: str) -> list[SimpleNamespace]:
        assert asked == form
        return [
            SimpleNamespace(name="1", description="Microphone", media_types=["audio"]),
            SimpleNamespace(name=name, description="FaceTime\nHD", media_types=["video"]),
        ]

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(av, "enumerate_input_devices", devices)
    assert list_cameras() == [CameraDevice(0, "FaceTime HD", form, file)]


def test_where_ffmpeg_can_list_none_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")  # whose devices this build knows not
    assert list_cameras() == []
