"""Lists the sound devices, and finds the one that a user means."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.portaudio import ROLE, SEE_LISTING, Kind, load_sounddevice, one_line
from live_cli.errors import DeviceError


class NotListedError(DeviceError):
    """The device is not among those that PortAudio has known since its start."""


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """A sound device as PortAudio lists it; ``inputs`` and ``outputs`` count channels."""

    index: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    default_rate: int
    is_default_input: bool = False
    is_default_output: bool = False

    def channels(self, kind: Kind) -> int:
        """Return the number of its channels of ``kind``."""
        return self.inputs if kind == "input" else self.outputs

    def is_default(self, kind: Kind) -> bool:
        """Return whether the system uses it by default for ``kind``."""
        return self.is_default_input if kind == "input" else self.is_default_output


def list_devices() -> list[SoundDevice]:
    """Return all devices, in PortAudio's order. Raises DeviceError where it is missing or fails."""
    sounddevice = load_sounddevice()
    with native_stderr_silenced():
        try:
            found = list(sounddevice.query_devices())
            host_apis = [api["name"] for api in sounddevice.query_hostapis()]
        except sounddevice.PortAudioError as exc:
            raise DeviceError(f"The sound devices cannot be listed: {one_line(exc)}.") from exc
        default_input = _default_index(sounddevice, "input")
        default_output = _default_index(sounddevice, "output")
    return [
        SoundDevice(
            index=index,
            name=_on_one_line(str(device["name"])),
            host_api=host_apis[device["hostapi"]],
            inputs=int(device["max_input_channels"]),
            outputs=int(device["max_output_channels"]),
            default_rate=round(device["default_samplerate"]),
            is_default_input=index == default_input,
            is_default_output=index == default_output,
        )
        for index, device in enumerate(found)
    ]


def find_device(text: str | None, kind: Kind) -> SoundDevice:
    """Return the device that ``text`` means: a number, a part of a name, None for the default.

    After a name and a comma a host API may be given: ``USB Audio, Windows WASAPI``.

    Raises NotListedError, which says what there is to choose from.
    """
    return match_device(text, list_devices(), kind)


def match_device(text: str | None, devices: Sequence[SoundDevice], kind: Kind) -> SoundDevice:
    """Return the one of ``devices`` that ``text`` means, as `find_device` does."""
    role = ROLE[kind]
    usable = [device for device in devices if device.channels(kind)]
    if not usable:
        raise NotListedError(
            f"No {role} was found: plug one in and check that the sound server runs, "
            f"or give a file with --{kind}; {SEE_LISTING}"
        )
    wanted = "" if text is None else text.strip()
    if not wanted:
        return _default(usable, kind)
    if wanted.isdecimal():
        return _numbered(int(wanted), devices, kind)
    return _named(wanted, usable, kind)


def _default(usable: Sequence[SoundDevice], kind: Kind) -> SoundDevice:
    for device in usable:
        if device.is_default(kind):
            return device
    raise NotListedError(
        f"The system has no default {ROLE[kind]}: "
        f"choose one with --{kind}-device: {_names(usable)}."
    )


def _numbered(number: int, devices: Sequence[SoundDevice], kind: Kind) -> SoundDevice:
    by_index = {device.index: device for device in devices}
    device = by_index.get(number)
    if device is None:
        raise NotListedError(
            f"There is no sound device number {number}, only {min(by_index)} to {max(by_index)}; "
            f"{SEE_LISTING}"
        )
    if not device.channels(kind):
        raise NotListedError(f"Device {number} ({device.name}) is no {ROLE[kind]}; {SEE_LISTING}")
    return device


def _named(wanted: str, usable: Sequence[SoundDevice], kind: Kind) -> SoundDevice:
    folded = wanted.casefold()
    matches = [device for device in usable if folded in (_full(device), device.name.casefold())]
    matches = matches or [device for device in usable if folded in _full(device)]
    if len(matches) > 1:
        matches = _of_default_host_api(matches, usable, kind) or matches
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotListedError(
            f'"{wanted}" fits more than one {ROLE[kind]}: {_names(matches)}. '
            'Give more of the name, as in "NAME, HOST API", or its number.'
        )
    by_name = {device.name.casefold(): device for device in usable}
    words = {word: device for name, device in by_name.items() for word in name.split()}
    near = difflib.get_close_matches(folded, [*by_name, *words], n=1, cutoff=0.6)
    hint = f'Did you mean "{(by_name | words)[near[0]].name}"? ' if near else ""
    raise NotListedError(f'No {ROLE[kind]} is called "{wanted}". {hint}{SEE_LISTING}')


def _full(device: SoundDevice) -> str:
    return f"{device.name}, {device.host_api}".casefold()


def _of_default_host_api(
    matches: Sequence[SoundDevice], usable: Sequence[SoundDevice], kind: Kind
) -> list[SoundDevice]:
    """Narrow ``matches`` to the default host API: Windows lists a device once for each API."""
    default = next((device.host_api for device in usable if device.is_default(kind)), None)
    found = [device for device in matches if device.host_api == default]
    return found if len(found) == 1 else []


def _names(devices: Sequence[SoundDevice]) -> str:
    shown = [f"{device.index}: {device.name} ({device.host_api})" for device in devices[:8]]
    return ", ".join(shown) + (", …" if len(devices) > 8 else "")


def _default_index(sounddevice: Any, kind: Kind) -> int:
    try:
        return int(sounddevice.query_devices(kind=kind)["index"])
    except (sounddevice.PortAudioError, ValueError):
        return -1


def _on_one_line(name: str) -> str:
    """Return ``name`` without the line breaks that some drivers put into it."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(name.split()))
