"""`live-cli devices`: rows of what the listings find (the listings themselves: tests/devices)."""

import json

import pytest

from live_cli.commands import devices
from live_cli.devices.images import camera_devices, screen
from live_cli.devices.images.camera_devices import CameraDevice
from live_cli.devices.images.screen import Monitor
from live_cli.devices.listing import SoundDevice
from live_cli.errors import DeviceError, SettingsError

FOUND = [
    SoundDevice(0, "HDA\x1b[2J Mic", "ALSA", 2, 0, 44_100, is_default_input=True),
    SoundDevice(3, "USB Speaker", "ALSA", 0, 2, 48_000, is_default_output=True),
    SoundDevice(4, "Headset", "ALSA", 1, 2, 16_000),
]


CAMERAS = [CameraDevice(0, "Web\x1b[2Jcam", "v4l2", "/dev/video0", "may not be read")]
MONITORS = [Monitor(1, "DP-1", 2560, 1440, True), Monitor(2, "", 800, 600, False)]


@pytest.fixture
def found(monkeypatch):
    def these(listed, cameras=(), monitors=(), refused=None):
        def list_monitors():
            if refused is not None:
                raise refused
            return list(monitors)

        monkeypatch.setattr("live_cli.devices.listing.list_devices", lambda: listed)
        monkeypatch.setattr(camera_devices, "list_cameras", lambda: list(cameras))
        monkeypatch.setattr(screen, "list_monitors", list_monitors)

    return these


def test_numbers_names_rates_and_default_marks(found, capsys):
    found(FOUND)
    devices.run(json=False)
    assert capsys.readouterr().out.splitlines() == [
        "0\tHDA␛[2J Mic\tALSA\t2\t0\t44100\tinput",
        "3\tUSB Speaker\tALSA\t0\t2\t48000\toutput",
        "4\tHeadset\tALSA\t1\t2\t16000\t",
    ]


def test_json_rows(found, capsys):
    found(FOUND[1:2])
    devices.run(json=True)
    assert json.loads(capsys.readouterr().out) == {
        "kind": "sound", "number": 3, "name": "USB Speaker", "host_api": "ALSA", "inputs": 0,
        "outputs": 2, "rate_hz": 48_000, "default_input": False, "default_output": True,
    }  # fmt: skip


def test_cameras_and_monitors_are_listed_after_the_sound_devices(found, capsys):
    found(FOUND[:1], CAMERAS, MONITORS)
    devices.run(json=False)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "camera 0\tWeb␛[2Jcam\t/dev/video0\tmay not be read",
        "screen 1\tDP-1\t2560x1440\tmain",
        "screen 2\t\t800x600\t",
    ]
    devices.run(json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[1:] == [
        {"kind": "camera", "number": 0, "name": "Web\x1b[2Jcam", "file": "/dev/video0",
         "problem": "may not be read"},
        {"kind": "screen", "number": 1, "name": "DP-1", "width": 2560, "height": 1440,
         "main": True},
        {"kind": "screen", "number": 2, "name": "", "width": 800, "height": 600, "main": False},
    ]  # fmt: skip


def test_what_is_missing_is_said_on_stderr_and_the_rest_is_listed(found, capsys):
    found(FOUND[:1], refused=SettingsError("The screen needs the package mss."))
    devices.run(json=True)
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert "No camera was found" in printed.err
    assert "needs the package mss" in printed.err
    found([], CAMERAS)
    with pytest.raises(DeviceError):
        devices.run(json=True)
    assert json.loads(capsys.readouterr().out)["kind"] == "camera"


def test_no_device_names_the_file_form(found):
    found([])
    with pytest.raises(DeviceError, match="talk --input") as caught:
        devices.run(json=False)
    assert caught.value.exit_code == 5
