"""Opens lost devices again, and reports every change in one line for the user.

One thread looks after the microphone and the speaker together, ten times a second, because
PortAudio sees new devices only after a new start, and that only while no stream is open. A new
start is made before a try when nothing is open, and when the device is not even listed any more;
in that case the other device is closed for the moment, at once or when it is quiet, and at most
every two seconds. What has been lost is opened by its name, since numbers shift.

While nothing is lost, the sound servers let a default device follow the system's (PulseAudio and
PipeWire move the stream); on macOS a stream stays on the device that it was opened on.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from live_cli.devices.hands_free import hands_free_warning
from live_cli.devices.listing import NotListedError, SoundDevice, find_device
from live_cli.devices.portaudio import ROLE, Kind, rescan_devices
from live_cli.devices.reopening import Phase, Reopening
from live_cli.devices.stream_watch import seconds_with_sleep
from live_cli.errors import DeviceError

LOOK_EVERY_S = 0.1
RESCAN_EVERY_S = 2.0

DeviceState = Literal["open", "lost", "back", "hands-free"]
"""What has happened to a device; ``hands-free``: a headset in its telephone profile."""


class Reopenable(Protocol):
    """What a supervisor needs of a microphone or a speaker."""

    wanted: str | None
    device: SoundDevice | None

    @property
    def kind(self) -> Kind: ...
    @property
    def lost(self) -> str | None: ...
    @property
    def running(self) -> bool: ...
    @property
    def quiet(self) -> bool: ...
    def open(self, device: SoundDevice, away_s: float = 0.0) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A device opened, lost or found; ``message`` is for the user, ``away_s`` without a device."""

    role: str
    """``microphone`` or ``speaker``."""
    state: DeviceState
    name: str
    message: str
    away_s: float = 0.0


class _KeptEnd:
    """One end, the schedule of its reopening, and what has been reported of it."""

    def __init__(self, end: Reopenable) -> None:
        self.end = end
        self.policy = Reopening()
        self.role = ROLE[end.kind]
        self.wanted: str | None = None
        self.lost_name = ""
        self.away_s = 0.0
        self.best_rate = 0
        self.warned = False
        self.rescanned_at: float | None = None

    @property
    def name(self) -> str:
        return self.end.device.name if self.end.device is not None else ""


def _by_name(end: Reopenable, device: SoundDevice) -> str | None:
    """Return the text that finds the chosen device when numbers shift; None for the default."""
    return None if end.wanted is None else f"{device.name}, {device.host_api}"


class DeviceSupervisor:
    """Keeps ``ends``, which are open at `start`, open until `stop`.

    ``on_change`` is called by `start`, and from then on from the supervisor's thread.
    """

    def __init__(
        self,
        ends: Sequence[Reopenable],
        on_change: Callable[[DeviceChange], None],
        *,
        clock: Callable[[], float] = seconds_with_sleep,
        find: Callable[[str | None, Kind], SoundDevice] = find_device,
        rescan: Callable[[], None] = rescan_devices,
        list_goes_stale: bool = sys.platform != "linux",
    ) -> None:
        """``list_goes_stale``: also a device that is listed may need a new start of PortAudio.

        On Linux the list names what a sound server offers, and that outlives the hardware.
        """
        self._kept = [_KeptEnd(end) for end in ends]
        self._on_change = on_change
        self._clock = clock
        self._find = find
        self._rescan = rescan
        self._list_goes_stale = list_goes_stale
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="devices", daemon=True)

    def start(self) -> None:
        """Report the devices that are open, and begin to look after them."""
        self.note_open()
        if self._kept:
            self._thread.start()

    def note_open(self) -> None:
        """Report the devices that are open, and keep their names."""
        for kept in self._kept:
            device = kept.end.device
            if device is not None:
                kept.wanted = _by_name(kept.end, device)
                self._report(kept, "open", f"The {kept.role} is {device.name}.")
                self._check_rate(kept, device)

    def stop(self) -> None:
        """Look after the devices no more; those open stay open."""
        self._stopping.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Note devices lost or back, and try to open those that are due."""
        now = self._clock()
        for kept in self._kept:
            self._note(kept, now)
        for kept in self._kept:
            if kept.policy.is_due(now) and not self._stopping.is_set():
                self._try(kept, now)

    def _note(self, kept: _KeptEnd, now: float) -> None:
        policy, end = kept.policy, kept.end
        if policy.phase is Phase.RUNNING and end.lost is not None:
            self._report(kept, "lost", f"{end.lost} The session goes on; looking for it again …")
            policy.lose(now)
            kept.lost_name, kept.rescanned_at = kept.name, None
            end.close()
        elif policy.phase is Phase.OPENED and end.running:
            self._note_return(kept)
        elif policy.phase is Phase.OPENED and (end.lost is not None or policy.is_overdue(now)):
            policy.lose(now)
            end.close()

    def _note_return(self, kept: _KeptEnd) -> None:
        away_s = kept.away_s
        kept.policy.called_back()
        same = kept.name == kept.lost_name
        what = f"is back after {away_s:.1f} s: {kept.name}" if same else f"is now {kept.name}"
        message = f"The {kept.role} {what}."
        self._report(kept, "back", message, away_s)
        if kept.end.device is not None:
            self._check_rate(kept, kept.end.device)

    # --- trying --------------------------------------------------------------------------------

    def _try(self, kept: _KeptEnd, now: float) -> None:
        try:
            if all(each.policy.phase is Phase.LOST for each in self._kept):
                self._restart_portaudio([], now)
            self._open_or_rescan(kept, now)
        except DeviceError:
            kept.policy.refused(self._clock())
        else:
            kept.policy.opened(self._clock())

    def _open_or_rescan(self, kept: _KeptEnd, now: float) -> None:
        try:
            self._open(kept, now)
        except DeviceError as exc:
            may_be_new = self._list_goes_stale or isinstance(exc, NotListedError)
            if not may_be_new or not self._may_restart(kept, now):
                raise
            kept.rescanned_at = now
            self._restart_portaudio(
                [k for k in self._kept if k.policy.phase is not Phase.LOST], now
            )
            self._open(kept, now)

    def _open(self, kept: _KeptEnd, now: float) -> None:
        kept.away_s = kept.policy.away_s(now)
        kind = kept.end.kind
        try:
            kept.end.open(self._find(kept.wanted, kind), kept.away_s)
        except DeviceError:
            if kept.wanted is None or not kept.policy.takes_default(now):
                raise
            kept.end.open(self._find(None, kind), kept.away_s)

    def _may_restart(self, kept: _KeptEnd, now: float) -> bool:
        if kept.rescanned_at is None:
            return True
        others = [k.end for k in self._kept if k.policy.phase is not Phase.LOST]
        return now - kept.rescanned_at >= RESCAN_EVERY_S and all(end.quiet for end in others)

    def _restart_portaudio(self, paused: Sequence[_KeptEnd], now: float) -> None:
        """Let PortAudio look for devices again; the ends ``paused`` are closed meanwhile."""
        for kept in paused:
            kept.end.close()
        try:
            self._rescan()
        finally:
            for kept in paused:
                self._open_again(kept, now)

    def _open_again(self, kept: _KeptEnd, now: float) -> None:
        kept.away_s = kept.policy.away_s(now) + self._clock() - now
        try:
            kept.end.open(self._find(kept.wanted, kept.end.kind), kept.away_s)
        except DeviceError as exc:
            self._report(kept, "lost", f"{exc}")
            kept.policy.lose(now)
        else:
            if kept.policy.phase is Phase.OPENED:
                kept.policy.opened(self._clock())

    # --- reporting -----------------------------------------------------------------------------

    def _check_rate(self, kept: _KeptEnd, device: SoundDevice) -> None:
        kept.best_rate = max(kept.best_rate, device.default_rate)
        warning = hands_free_warning(kept.role, device.name, device.default_rate, kept.best_rate)
        if warning is not None and not kept.warned:
            kept.warned = True
            self._report(kept, "hands-free", warning)

    def _report(
        self, kept: _KeptEnd, state: DeviceState, message: str, away_s: float = 0.0
    ) -> None:
        self._on_change(DeviceChange(kept.role, state, kept.name, message, away_s))
