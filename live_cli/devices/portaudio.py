"""Loads PortAudio late, and turns its errors into ours.

sounddevice initialises PortAudio when it is imported, so no module imports it at the top.
"""

import platform
import sys
from typing import Any, Literal

from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import DeviceError

Kind = Literal["input", "output"]

SEE_LISTING = "`live-cli devices` lists what there is."
ROLE: dict[Kind, str] = {"input": "microphone", "output": "speaker"}
_INSTALL_COMMANDS = (
    (("debian", "ubuntu"), "sudo apt-get install libportaudio2"),
    (("fedora", "rhel", "centos"), "sudo dnf install portaudio"),
    (("arch",), "sudo pacman -S portaudio"),
    (("suse",), "sudo zypper install libportaudio2"),
    (("alpine",), "sudo apk add portaudio"),
)


def load_sounddevice() -> Any:
    """Return the sounddevice module. Raises DeviceError where it or PortAudio is missing."""
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
    """Restart PortAudio, which looks for devices at its start only. Raises DeviceError.

    No stream may be open: the restart would close it without its owner's knowledge.
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
    """Return the command that installs PortAudio on this system; some wheels bring it along."""
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


def one_line(exc: Exception | None) -> str:
    """Return PortAudio's message on one line, "no reason given" where there is none."""
    text = str(exc.args[0]) if exc is not None and exc.args else "no reason given"
    return " ".join(text.split()).rstrip(".")
