"""Which device a user means."""

import subprocess
import sys

import pytest

from live_cli.devices import portaudio
from live_cli.devices.listing import SoundDevice, match_device
from live_cli.devices.portaudio import Kind
from live_cli.errors import DeviceError

DEVICES = [
    SoundDevice(0, "Built-in Audio", "ALSA", 2, 2, 48_000, is_default_output=True),
    SoundDevice(1, "USB Headset: Mono", "ALSA", 1, 0, 44_100, is_default_input=True),
    SoundDevice(2, "USB Headset: Stereo", "ALSA", 0, 2, 48_000),
    SoundDevice(3, "HDMI", "ALSA", 0, 8, 48_000),
    SoundDevice(4, "HDMI 2", "ALSA", 0, 8, 48_000),
]


@pytest.mark.parametrize(
    ("text", "kind", "index"),
    [
        (None, "input", 1),
        (None, "output", 0),
        ("", "output", 0),
        ("2", "output", 2),
        ("usb", "input", 1),
        ("USB", "output", 2),
        (" headset ", "output", 2),
        ("hdmi", "output", 3),  # exact before part
        ("built-in", "input", 0),
    ],
)
def test_finds(text: str | None, kind: Kind, index: int) -> None:
    assert match_device(text, DEVICES, kind).index == index


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("7", "input", "no sound device number 7, only 0 to 4"),
        ("1", "output", "Device 1 (USB Headset: Mono) is no speaker"),
        ("hd", "output", "3: HDMI (ALSA), 4: HDMI 2 (ALSA). Give more of the name"),
        ("hedset", "input", 'Did you mean "USB Headset: Mono"?'),
        ("Buildin Audio", "output", 'Did you mean "Built-in Audio"?'),
        ("kazoo", "output", 'No speaker is called "kazoo". `live-cli devices` lists'),
    ],
)
def test_says_why_not(text: str, kind: Kind, says: str) -> None:
    with pytest.raises(DeviceError) as caught:
        match_device(text, DEVICES, kind)
    assert says in str(caught.value)
    assert caught.value.exit_code == 5


ON_WINDOWS = [
    SoundDevice(0, "Microphone (USB Audio)", "MME", 1, 0, 44_100, is_default_input=True),
    SoundDevice(1, "Microphone (USB Audio)", "Windows WASAPI", 1, 0, 48_000),
    SoundDevice(2, "Line In", "Windows WASAPI", 2, 0, 48_000),
    SoundDevice(3, "Line In", "Windows WDM-KS", 2, 0, 48_000),
]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("USB Audio", 0),  # that of the default's host API
        ("Microphone (USB Audio), Windows WASAPI", 1),
        ("line in, windows wdm", 3),
    ],
)
def test_a_device_that_is_there_for_each_host_api_is_found(text: str, index: int) -> None:
    assert match_device(text, ON_WINDOWS, "input").index == index


def test_names_that_fit_two_host_apis_are_told_with_both() -> None:
    with pytest.raises(DeviceError, match=r"2: Line In \(Windows WASAPI\), 3: Line In \(Windows W"):
        match_device("line", ON_WINDOWS, "input")


def test_without_devices_or_a_default() -> None:
    with pytest.raises(DeviceError, match="No microphone was found"):
        match_device(None, [], "input")
    with pytest.raises(DeviceError, match=r"choose one with --input-device: 0: Built-in Audio"):
        match_device(None, DEVICES[:1], "input")


@pytest.mark.parametrize(
    ("system", "release", "command"),
    [
        ("linux", {"ID": "debian"}, "sudo apt-get install libportaudio2"),
        ("linux", {"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "apt-get install"),
        ("linux", {"ID": "fedora"}, "dnf install portaudio"),
        ("linux", {"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "zypper install"),
        ("linux", {"ID": "nixos"}, "portaudio package"),
        ("darwin", {}, "pip install"),
        ("win32", {}, "pip install"),
    ],
)
def test_names_the_install_command_of_the_platform(
    monkeypatch: pytest.MonkeyPatch, system: str, release: dict[str, str], command: str
) -> None:
    monkeypatch.setattr(portaudio.sys, "platform", system)
    monkeypatch.setattr(portaudio.platform, "freedesktop_os_release", lambda: release)
    assert command in portaudio.install_command()


def test_missing_portaudio_is_one_line_with_the_fix() -> None:
    """As where no PortAudio library is found: importing sounddevice raises OSError."""
    program = """
import ctypes.util, sys
ctypes.util.find_library = lambda name: None
from live_cli.devices.listing import list_devices
from live_cli.errors import DeviceError
try:
    list_devices()
except DeviceError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("PortAudio, the sound library, is missing: ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_the_rooms_load_no_portaudio_until_a_device_is_opened() -> None:
    program = """
import sys
import live_cli.devices.file_ends, live_cli.devices.speaker, live_cli.devices.listing
print("sounddevice" in sys.modules, "soundfile" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"
