"""PortAudio, loaded late; its errors in our words.

sounddevice initialises PortAudio when it is imported, so nothing here imports it at the top.
"""

import platform
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import DeviceError

if TYPE_CHECKING:
    from live_cli.devices.listing import SoundDevice

Kind = Literal["input", "output"]

SEE_LISTING = "`live-cli devices` lists what there is."
ROLE: dict[Kind, str] = {"input": "microphone", "output": "speaker"}
_INVALID_RATE, _INVALID_CHANNELS, _UNAVAILABLE = -9997, -9998, -9985
_INSTALL_COMMANDS = (
    (("debian", "ubuntu"), "sudo apt-get install libportaudio2"),
    (("fedora", "rhel", "centos"), "sudo dnf install portaudio"),
    (("arch",), "sudo pacman -S portaudio"),
    (("suse",), "sudo zypper install libportaudio2"),
    (("alpine",), "sudo apk add portaudio"),
)


def load_sounddevice() -> Any:
    """The sounddevice module. Raises DeviceError where it or PortAudio is missing."""
    try:
        with native_stderr_silenced():
            import sounddevice
    except ImportError as exc:
        raise DeviceError(f"The sounddevice package is missing: {_PIP_FIX}.") from exc
    except OSError as exc:
        raise DeviceError(
            f"PortAudio, the sound library, is missing: {install_command()}."
        ) from exc
    except Exception as exc:  # PortAudioError: its class cannot be imported when it is raised here
        raise DeviceError(f"PortAudio does not start: {one_line(exc)}.") from exc
    return sounddevice


def rescan_devices() -> None:
    """Start PortAudio anew, which is when it looks for devices. Raises DeviceError.

    No stream may be open: they would all be closed behind their owners' backs.
    """
    sounddevice = load_sounddevice()
    with native_stderr_silenced():
        try:
            while sounddevice._initialized > 0:
                sounddevice._terminate()
            sounddevice._initialize()
        except sounddevice.PortAudioError as exc:
            raise DeviceError(f"PortAudio does not start again: {one_line(exc)}.") from exc


_PIP_FIX = "pip install --force-reinstall sounddevice"


def install_command() -> str:
    """How PortAudio is installed on this machine; wheels for macOS and Windows bring it along."""
    if sys.platform in ("darwin", "win32"):
        return _PIP_FIX
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    family = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split()
    for names, command in _INSTALL_COMMANDS:
        if any(word.startswith(names) for word in family):
            return command
    return "install your system's portaudio package (Debian: apt-get install libportaudio2)"


def open_stream(
    open_one: Callable[[int, int], Any],
    device: "SoundDevice",
    kind: Kind,
    rates: Sequence[int],
    channels: Sequence[int],
) -> tuple[Any, int]:
    """Open and start ``open_one(rate, channels)`` with the first of each that the device takes.

    Returns the running stream and its rate. Raises DeviceError.
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
                if error_code(exc) not in (_INVALID_RATE, _INVALID_CHANNELS):
                    raise open_error(exc, device, kind) from exc
            else:
                return stream, rate
    raise open_error(refused, device, kind) from refused


def _start(stream: Any) -> None:
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise


def open_error(exc: Exception | None, device: "SoundDevice", kind: Kind) -> DeviceError:
    role, option = ROLE[kind], f"--{kind}-device"
    if exc is not None and error_code(exc) == _UNAVAILABLE:
        what = "is in use by another programme or unplugged: close that one or plug it in"
    else:
        what = f"cannot be opened ({one_line(exc)}): plug it in or free it"
    return DeviceError(
        f"The {role} {device.index} ({device.name}) {what}, or choose another with {option}; "
        f"{SEE_LISTING}"
    )


def error_code(exc: Exception) -> int | None:
    """PortAudio's number of an error, where it has one."""
    code = exc.args[1] if len(exc.args) > 1 else None
    return code if isinstance(code, int) else None


def one_line(exc: Exception | None) -> str:
    """What PortAudio said, without its repetitions, on one line."""
    text = str(exc.args[0]) if exc is not None and exc.args else "no reason given"
    return " ".join(text.split()).rstrip(".")
