"""`live-cli devices`: rows of what the listing finds (the listing itself: tests/devices)."""

import json

import pytest

from live_cli.commands import devices
from live_cli.devices.listing import SoundDevice
from live_cli.errors import DeviceError

FOUND = [
    SoundDevice(0, "HDA\x1b[2J Mic", "ALSA", 2, 0, 44_100, is_default_input=True),
    SoundDevice(3, "USB Speaker", "ALSA", 0, 2, 48_000, is_default_output=True),
    SoundDevice(4, "Headset", "ALSA", 1, 2, 16_000),
]


@pytest.fixture
def found(monkeypatch):
    def these(listed):
        monkeypatch.setattr("live_cli.devices.listing.list_devices", lambda: listed)

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
        "number": 3, "name": "USB Speaker", "host_api": "ALSA", "inputs": 0, "outputs": 2,
        "rate_hz": 48_000, "default_input": False, "default_output": True,
    }  # fmt: skip


def test_no_device_names_the_file_form(found):
    found([])
    with pytest.raises(DeviceError, match="talk --input") as caught:
        devices.run(json=False)
    assert caught.value.exit_code == 5
