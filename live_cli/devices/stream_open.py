"""Opens a stream at the first sample rate and channel count that a device takes."""

from collections.abc import Callable, Sequence
from typing import Any

from live_cli.devices.listing import SoundDevice
from live_cli.devices.portaudio import ROLE, SEE_LISTING, Kind, load_sounddevice, one_line
from live_cli.errors import DeviceError

_INVALID_RATE, _INVALID_CHANNELS, _UNAVAILABLE = -9997, -9998, -9985
"""Error numbers of PortAudio: paInvalidSampleRate, paInvalidChannelCount, paDeviceUnavailable."""


def open_stream(
    open_one: Callable[[int, int], Any],
    device: SoundDevice,
    kind: Kind,
    rates: Sequence[int],
    channels: Sequence[int],
) -> tuple[Any, int]:
    """Open a stream by ``open_one(rate, channels)`` and start it: returns the stream and its rate.

    ``rates`` in Hz and ``channels`` are tried in order, until the device takes a pair. Raises
    DeviceError.
    """
    sounddevice = load_sounddevice()
    refused: Exception | None = None
    for rate in dict.fromkeys(rates):
        for count in dict.fromkeys(channels):
            try:
                stream = open_one(rate, count)
                _start(stream)
            except (sounddevice.PortAudioError, ValueError) as exc:
                refused = exc
                if _error_code(exc) not in (_INVALID_RATE, _INVALID_CHANNELS):
                    raise _open_error(exc, device, kind) from exc
            else:
                return stream, rate
    raise _open_error(refused, device, kind) from refused


def _start(stream: Any) -> None:
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise


def _open_error(exc: Exception | None, device: SoundDevice, kind: Kind) -> DeviceError:
    """Return what to tell the user of ``device`` that cannot be opened, and what to do."""
    role, option = ROLE[kind], f"--{kind}-device"
    if exc is not None and _error_code(exc) == _UNAVAILABLE:
        what = "is in use by another programme or unplugged: close that one or plug it in"
    else:
        what = f"cannot be opened ({one_line(exc)}): plug it in or free it"
    return DeviceError(
        f"The {role} {device.index} ({device.name}) {what}, or choose another with {option}; "
        f"{SEE_LISTING}"
    )


def _error_code(exc: Exception) -> int | None:
    """Return PortAudio's error number of ``exc``, None where there is none."""
    code = exc.args[1] if len(exc.args) > 1 else None
    return code if isinstance(code, int) else None
