"""`live-cli doctor` on cameras and screens: what there is, and with --video what each shows."""

import json
import os
import sys

import pytest

from live_cli.commands.doctor import image_check
from live_cli.devices.images import camera_devices, listing, screen
from live_cli.devices.images.camera_devices import CameraDevice, drawn_camera
from live_cli.errors import DeviceError, InputFileError, SettingsError
from live_cli.settings.load import load
from live_cli.settings.schema import Settings


def settings(**talk: str) -> Settings:
    environ = {f"LIVE_CLI_TALK_{name.upper()}": value for name, value in talk.items()}
    return load(environ={"LIVE_CLI_CONFIG": os.devnull, **environ})


@pytest.fixture
def cameras(monkeypatch):
    """A machine without a display, on which these cameras are."""

    def no_display():
        raise DeviceError("There is no display to read.")

    def these(*devices: CameraDevice) -> None:
        for module in (camera_devices, listing):
            monkeypatch.setattr(module, "list_cameras", lambda: list(devices))

    monkeypatch.setattr(screen, "list_monitors", no_display)
    return these


def test_what_there_is_and_what_is_missing_is_said_without_opening_a_camera(cameras, monkeypatch):
    monkeypatch.setattr("live_cli.devices.images.camera.load_av", None)  # whoever opens it fails
    problem = "/dev/video0 may not be read: sudo usermod -aG video $USER, and log in again"
    cameras(
        CameraDevice(0, "Webcam", "v4l2", "/dev/video0", problem),
        CameraDevice(2, "HDMI", "v4l2", "/dev/video2"),
    )
    found = {finding.name: finding for finding in image_check.image_findings(settings())}
    assert found["camera 0 (Webcam)"].says == problem
    assert found["camera 0 (Webcam)"].state == "note"
    assert found["camera 2 (HDMI)"].state == "ok"
    assert found["screen"].says == "There is no display to read."
    cameras()
    found = {finding.name: finding for finding in image_check.image_findings(settings())}
    assert "plug one in" in found["camera"].says


def test_missing_packages_are_one_command(cameras, monkeypatch):
    monkeypatch.setattr(image_check, "find_spec", lambda name: None if name != "av" else name)
    (finding,) = image_check.image_findings(settings())
    assert finding.says == "mss, Pillow not installed: pip install 'live-cli[video]'"


def test_an_image_of_each_camera_is_taken_when_asked(cameras, capsys):
    cameras(drawn_camera("testsrc=size=320x240"), drawn_camera("color=black:size=64x48"))
    image_check.run(settings(), json=True)
    shown, dark, no_screen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (shown["state"], shown["width"], shown["height"]) == ("ok", 320, 240)
    assert dark["state"] == "note"
    assert "all black" in dark["says"]
    assert no_screen["state"] == "note"


def test_a_camera_that_does_not_open_is_a_failure_after_the_others(cameras, capsys):
    cameras(CameraDevice(7, "Gone", "v4l2", "/dev/video7"), drawn_camera("testsrc"))
    with pytest.raises(DeviceError, match=r"Camera 7 \(Gone\) is not there"):
        image_check.run(settings(), json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["wrong", "ok", "note"]


def test_without_pillow_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(SettingsError, match=r"pip install 'live-cli\[video\]'"):
        image_check.run(settings(), json=False)


def test_what_the_settings_name_is_looked_at_and_no_other_camera(cameras, capsys):
    cameras(drawn_camera("testsrc"))
    image_check.run(settings(camera="lavfi:color=white:size=64x48"), json=True)
    (shown,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (shown["width"], shown["brightest"]) == (64, 255)
    found = {each.name: each for each in image_check.image_findings(settings(camera="clip.mp4"))}
    assert found["shown in talk"].says == "There is no file or folder clip.mp4."
    with pytest.raises(InputFileError):
        image_check.run(settings(camera="clip.mp4"), json=True)
    found = {each.name: each for each in image_check.image_findings(settings(camera="test"))}
    assert found["shown in talk"].says == "camera 0 (testsrc)"
