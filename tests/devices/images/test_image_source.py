"""Which camera, screen or files a person means, and what is said where it is none."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from live_cli.devices.images import listing as module
from live_cli.devices.images.camera import Camera
from live_cli.devices.images.camera_devices import CameraDevice
from live_cli.devices.images.listing import image_source, match_camera
from live_cli.devices.images.picture_files import PictureFiles
from live_cli.devices.images.video_file import VideoFile
from live_cli.errors import DeviceError, InputFileError, OptionError, SettingsError

CAMERAS = [
    CameraDevice(0, "Integrated Webcam", "v4l2", "/dev/video0", "may not be read"),
    CameraDevice(2, "Logitech C920", "v4l2", "/dev/video2"),
    CameraDevice(4, "Logitech C920 PRO", "v4l2", "/dev/video4"),
]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 2),  # the first that can be opened
        (" ", 2),
        ("0", 0),
        ("4", 4),
        ("integrated", 0),
        ("logitech c920", 2),  # exact before part
        ("PRO", 4),
        ("/dev/video4", 4),
    ],
)
def test_finds_the_camera_that_is_meant(text: str, number: int) -> None:
    assert match_camera(text, CAMERAS).number == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1", "There is no camera number 1, only camera 0 (Integrated Webcam), camera 2 (Log"),
        ("logi", '"logi" fits more than one camera: camera 2 (Logitech C920), camera 4 (Logi'),
        ("Intergrated Webcam", 'Did you mean "Integrated Webcam"?'),
        ("kazoo", 'No camera is called "kazoo". There is camera 0 (Integrated Webcam)'),
        ("/dev/video7", 'No camera is called "/dev/video7"'),
    ],
)
def test_says_why_no_camera_is_meant(text: str, says: str) -> None:
    with pytest.raises(DeviceError) as caught:
        match_camera(text, CAMERAS)
    assert says in str(caught.value)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("text", "says"), [("", "No"), ("0", "No"), ("kazoo", 'No file is called "kazoo". No')]
)
def test_without_a_camera_it_names_what_takes_its_place(text: str, says: str) -> None:
    with pytest.raises(DeviceError) as caught:
        match_camera(text, [])
    assert str(caught.value).startswith(f"{says} camera was found: plug one in, or give a video")


@pytest.mark.parametrize("text", ["clip.mp4", "~/holiday", "pictures/", "./a", "C:\\a.avi"])
def test_a_file_that_is_not_there_is_said(text: str) -> None:
    for cameras in (CAMERAS, []):
        with pytest.raises(InputFileError, match="There is no file or folder") as caught:
            match_camera(text, cameras)
        assert caught.value.exit_code == 7


def test_what_is_there_is_a_file_before_it_is_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "list_cameras", lambda: CAMERAS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("clip.mp4", "one.JPG", "moving.gif", "4"):
        (tmp_path / name).touch()
    (tmp_path / "logitech").mkdir()
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "blue", "PNG")
    kinds = {
        "clip.mp4": VideoFile, "~/clip.mp4": VideoFile, "one.JPG": PictureFiles,
        "moving.gif": VideoFile, "blue": PictureFiles, "logitech": PictureFiles, ".": PictureFiles,
        "4": Camera, "PRO": Camera, "lavfi:testsrc": Camera,
    }  # fmt: skip
    found = {text: type(image_source(text, None)) for text in kinds}
    assert found == kinds


def test_a_name_with_a_zero_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "list_cameras", lambda: CAMERAS)
    for text in ("a\0b", "x" * 5000):
        with pytest.raises(DeviceError, match="No camera is called"):
            image_source(text, None)


@pytest.mark.parametrize(("camera", "screen"), [(None, None), ("", "")])
def test_one_of_the_two_is_given(camera: str | None, screen: str | None) -> None:
    with pytest.raises(OptionError, match="one of them"):
        image_source(camera, screen)


@pytest.mark.parametrize(
    ("package", "camera"), [("av", "lavfi:testsrc"), ("av", "clip.mp4"), ("PIL.Image", "one.jpg")]
)
def test_without_the_packages_it_says_how_to_install_them(
    package: str, camera: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "one.jpg").touch()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=r"pip install 'live-cli\[video\]'"):
        image_source(camera, None)
