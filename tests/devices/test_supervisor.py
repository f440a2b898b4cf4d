"""Two ends that are lost and found, without any sound: what is tried, closed and reported."""

from dataclasses import dataclass, field

import pytest

from live_cli.devices.listing import NotListedError, SoundDevice
from live_cli.devices.portaudio import Kind
from live_cli.devices.supervisor import DeviceChange, DeviceSupervisor
from live_cli.errors import DeviceError


def device(name: str, rate: int = 48_000, index: int = 0) -> SoundDevice:
    return SoundDevice(index, name, "ALSA", 1, 1, rate)


@dataclass
class End:
    """A microphone or speaker whose device a test takes away."""

    kind: Kind
    wanted: str | None = None
    device: SoundDevice | None = None
    lost: str | None = None
    running: bool = True
    quiet: bool = True
    is_open: bool = True
    suspended: bool = False
    opened: list[tuple[str, float]] = field(default_factory=list)

    def open(self, device: SoundDevice, away_s: float = 0.0) -> None:
        assert not self.is_open
        self.device, self.is_open, self.lost = device, True, None
        self.running = not self.suspended
        self.opened.append((device.name, round(away_s, 2)))

    def close(self) -> None:
        self.is_open = self.running = False


class Machine:
    """A supervisor, its ends, the devices there are, those PortAudio knows, and the time."""

    def __init__(self, *, stale: bool = False, wanted: str | None = None) -> None:
        self.now = 1000.0
        self.there = {"built-in": device("built-in")}
        self.refusing: set[tuple[str, Kind]] = set()
        self.unlisted: set[tuple[str, Kind]] = set()
        self.rescans = 0
        self.changes: list[DeviceChange] = []
        chosen = device("usb" if wanted else "built-in")
        self.there[chosen.name] = chosen
        self.listed = dict(self.there)
        self.mic = End("input", wanted, chosen)
        self.speaker = End("output", device=self.there["built-in"])
        self.supervisor = DeviceSupervisor(
            [self.mic, self.speaker],
            self.changes.append,
            clock=lambda: self.now,
            find=self.find,
            rescan=self.rescan,
            list_goes_stale=stale,
        )
        self.supervisor.note_open()
        self.changes.clear()

    def find(self, text: str | None, kind: Kind) -> SoundDevice:
        name = "built-in" if text is None else text.split(",")[0]
        if name not in self.listed or (name, kind) in self.unlisted:
            raise NotListedError(f"no {name}")
        if (name, kind) in self.refusing:
            raise DeviceError(f"{name} cannot be opened")
        return self.listed[name]

    def rescan(self) -> None:
        assert not self.mic.is_open
        assert not self.speaker.is_open
        self.rescans += 1
        self.listed = dict(self.there)

    def lose(self, *ends: End, reason: str = "It was unplugged.") -> None:
        for end in ends:
            end.lost, end.running = reason, False

    def pass_(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.supervisor.look()

    def states(self, role: str) -> list[str]:
        return [change.state for change in self.changes if change.role == role]


def test_nothing_happens_while_all_is_well() -> None:
    machine = Machine()
    machine.pass_(60)
    assert not machine.changes
    assert not machine.mic.opened
    assert machine.rescans == 0


def test_a_lost_device_is_opened_again_and_both_are_reported_once() -> None:
    machine = Machine()
    machine.refusing.add(("built-in", "input"))
    machine.lose(machine.mic)
    machine.pass_(30)
    assert machine.states("microphone") == ["lost"]
    assert not machine.speaker.opened  # what is well is left alone
    machine.refusing.clear()
    machine.pass_(1.2)
    assert machine.states("microphone") == ["lost", "back"]
    assert machine.changes[-1].away_s == pytest.approx(machine.mic.opened[-1][1], abs=0.01)
    assert 29 < machine.changes[-1].away_s < 31.5
    assert "built-in" in machine.changes[-1].message


def test_the_list_is_made_anew_before_each_try_while_nothing_is_open() -> None:
    machine = Machine()
    machine.there.clear()
    machine.lose(machine.mic, machine.speaker)
    machine.pass_(3)
    assert machine.rescans >= 4
    machine.there["built-in"] = device("built-in", index=7)
    machine.pass_(2)
    assert machine.mic.device is not None
    assert machine.mic.device.index == 7
    assert machine.states("microphone") == machine.states("speaker") == ["lost", "back"]


@pytest.mark.parametrize("stale", [False, True])
def test_a_listed_device_disturbs_the_other_only_where_lists_go_stale(stale: bool) -> None:
    machine = Machine(stale=stale)
    machine.refusing.add(("built-in", "input"))
    machine.lose(machine.mic)
    machine.speaker.quiet = False
    machine.pass_(0.1)
    machine.refusing.clear()
    machine.pass_(1)
    assert machine.rescans == (1 if stale else 0)
    assert machine.states("microphone") == ["lost", "back"]


def test_a_speaker_that_sounds_is_closed_once_and_then_left_until_it_is_quiet() -> None:
    machine = Machine(wanted="usb")
    machine.unlisted = {("usb", "input"), ("built-in", "input")}
    machine.lose(machine.mic)
    machine.speaker.quiet = False
    machine.pass_(10)
    assert machine.rescans == 1
    assert machine.states("speaker") == []
    machine.speaker.quiet = True
    machine.pass_(10)
    assert 4 <= machine.rescans <= 7  # each two seconds at most
    assert len(machine.speaker.opened) == machine.rescans
    assert machine.states("microphone") == ["lost"]


def test_the_default_steps_in_for_a_chosen_device_after_a_second() -> None:
    machine = Machine(wanted="2")
    machine.refusing.add(("usb", "input"))
    machine.lose(machine.mic)
    machine.pass_(0.9)
    assert not machine.mic.opened
    machine.pass_(1.5)
    assert [name for name, _ in machine.mic.opened] == ["built-in"]
    assert machine.changes[-1].message == "The microphone is now built-in."


def test_a_chosen_device_is_found_by_its_name_when_the_numbers_have_shifted() -> None:
    machine = Machine(wanted="2")
    machine.listed["usb"] = device("usb", index=5)
    machine.lose(machine.mic)
    machine.pass_(1)
    assert machine.mic.device == machine.listed["usb"]


def test_a_suspended_device_that_opens_is_not_back_before_it_calls_back() -> None:
    machine = Machine()
    machine.speaker.suspended = True
    machine.lose(machine.speaker, reason="The speaker fell silent.")
    machine.pass_(10)
    assert machine.states("speaker") == ["lost"]
    assert 4 <= len(machine.speaker.opened) <= 9
    machine.speaker.suspended = False
    machine.pass_(2)
    assert machine.states("speaker") == ["lost", "back"]
    assert machine.changes[-1].away_s > 9


def test_a_headset_that_comes_back_as_a_telephone_is_warned_of_once() -> None:
    machine = Machine()
    for rate in (16_000, 48_000, 16_000):
        machine.listed["built-in"] = device("built-in", rate)
        machine.lose(machine.speaker)
        machine.pass_(1)
    assert machine.states("speaker") == [
        "lost",
        "back",
        "hands-free",
        "lost",
        "back",
        "lost",
        "back",
    ]
