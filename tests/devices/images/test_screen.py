"""A real X server's screen, and what is said where there is none to read."""

import os

import pytest

from live_cli.devices.images import screen as screens
from live_cli.devices.images.listing import image_source, match_monitor
from live_cli.devices.images.screen import Monitor, Screen, list_monitors
from live_cli.errors import DeviceError, SettingsError
from tests.harness.virtual_screen import VirtualScreen


def test_it_shows_a_window_as_it_is_now(virtual_screen: VirtualScreen) -> None:
    screen = image_source(None, "")
    screen.open()
    for colour in ((10, 120, 240), (250, 0, 5)):
        virtual_screen.show(colour)
        image = screen.newest()
        assert image.size == (640, 480)
        assert image.getpixel((320, 240)) == colour
    screen.close()
    screen.close()


def test_monitors_have_a_number_a_name_and_a_size(virtual_screen: VirtualScreen) -> None:
    (monitor,) = list_monitors()
    assert (monitor.number, monitor.width, monitor.height, monitor.is_main) == (1, 640, 480, True)
    assert monitor.called == f"screen 1 ({monitor.name}, 640x480)"


def test_one_whose_server_ends_is_lost_and_not_there_to_open(virtual_screen: VirtualScreen) -> None:
    screen = image_source(None, "1")
    screen.open()
    virtual_screen.end()
    with pytest.raises(DeviceError, match=r"cannot be read any more: (?!AssertionError)"):
        screen.newest()
    screen.close()
    with pytest.raises(DeviceError, match="Check that DISPLAY names one that runs"):
        screen.open()


@pytest.mark.skipif(os.name == "nt", reason="Windows has one screen, and no DISPLAY")
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": ""}, "DISPLAY is not set"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "under Wayland"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "--camera OBS"),
        ({"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, "choose a session with X11"),
        ({"XDG_SESSION_TYPE": "x11", "WAYLAND_DISPLAY": "w", "DISPLAY": ":4077"}, "names one that"),
        ({"DISPLAY": "nonsense"}, "cannot be opened"),
    ],
)
def test_why_there_is_no_screen(
    environment: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeviceError) as caught:
        list_monitors()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 5


def test_macos_is_asked_whether_the_screen_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens.sys, "platform", "darwin")
    monkeypatch.setattr(screens, "_macos_allows", lambda: False)
    assert "System Settings, Privacy & Security" in screens.screen_problem({})
    monkeypatch.setattr(screens, "_macos_allows", lambda: True)
    assert screens.screen_problem({}) == ""


def test_without_mss_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(screens.sys.modules, "mss", None)
    with pytest.raises(SettingsError, match=r"pip install 'live-cli\[video\]'"):
        list_monitors()


def test_a_monitor_that_is_gone_is_said(virtual_screen: VirtualScreen) -> None:
    with pytest.raises(DeviceError, match="Screen 2 is not there any more"):
        Screen(Monitor(2, "HDMI-1", 1920, 1080, False)).open()


MONITORS = [
    Monitor(1, "DP-1", 1920, 1080, False),
    Monitor(2, "DP-2", 2560, 1440, True),
    Monitor(3, "HDMI-1", 800, 600, False),
]


@pytest.mark.parametrize(
    ("text", "number"), [("", 2), ("1", 1), (" 3 ", 3), ("hdmi", 3), ("DP-1", 1)]
)
def test_finds_the_monitor_that_is_meant(text: str, number: int) -> None:
    assert match_monitor(text, MONITORS).number == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4", "There is no screen number 4, only screen 1 (DP-1, 1920x1080), screen 2 ("),
        ("0", "no screen number 0"),
        ("dp", '"dp" fits more than one screen: screen 1 (DP-1, 1920x1080), screen 2'),
        ("HDMI1", 'No screen is called "HDMI1". Did you mean "HDMI-1"?'),
        ("tv", 'No screen is called "tv". There is screen 1'),
    ],
)
def test_says_why_no_monitor_is_meant(text: str, says: str) -> None:
    with pytest.raises(DeviceError) as caught:
        match_monitor(text, MONITORS)
    assert says in str(caught.value)
