"""Notices that a sound device is lost.

PortAudio reports a loss in one case, and in two not at all (measured): a device that is pulled ends
its stream, without an error anywhere; a device that is suspended keeps its stream "active" and
never calls back again; and after a sleep of the machine either may have happened, or nothing. So
the watch listens for the end, counts the callbacks, and looks at a clock that goes on in sleep.
"""

import threading
import time
from collections.abc import Callable

LostCallback = Callable[[str], None]
"""Gets, once and from the watch's own thread, one line for the user on what was lost."""


# of Linux, of macOS, and on Windows none, since `time.monotonic` counts sleep there
_CLOCK_WITH_SLEEP: int | None = getattr(
    time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None)
)


def seconds_with_sleep() -> float:
    """Return the seconds of a clock that never goes back, and counts while the machine sleeps."""
    if _CLOCK_WITH_SLEEP is None:
        return time.monotonic()
    return time.clock_gettime(_CLOCK_WITH_SLEEP)


class StreamWatch:
    """Calls ``on_lost`` once when a stream has ended by itself, is silent, or the machine slept.

    A stream is silent after half a second without a callback; before the first one, after three.
    Silence is counted in looks of 100 ms, not on a clock: a machine too busy to run the callbacks
    is too busy to look.
    """

    _LOOK_EVERY_S = 0.1
    _SILENT_LOOKS = 5
    _FIRST_LOOKS = 30
    _BEATING_LOOKS = 3
    _SLEPT_S = 5.0

    def __init__(
        self,
        name: str,
        on_lost: LostCallback | None,
        clock: Callable[[], float] = seconds_with_sleep,
    ) -> None:
        self.lost: str | None = None
        self._name = name
        self._on_lost = on_lost
        self._clock = clock
        self._beats = self._beating_looks = 0
        self._ended = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"watch {name}", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def beat(self) -> None:
        """Count a callback of the device."""
        self._beats += 1

    def end(self) -> None:
        """Note the end of the stream; PortAudio calls this also after `stop`."""
        self._ended.set()

    def stop(self) -> None:
        """End the watch: the stream is closed on purpose, and not lost."""
        self._stopped = True
        self._ended.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    @property
    def running(self) -> bool:
        """Whether the device calls back, and has done so for 0.3 s.

        The first callbacks say little: a suspended device fills its buffer, and then stops.
        """
        return self._beating_looks >= self._BEATING_LOOKS and not self._ended.is_set()

    def _run(self) -> None:
        how = self._wait_for_loss()
        if self._stopped:
            return
        self.lost = f"The {self._name} {how}."
        if self._on_lost is not None:
            self._on_lost(self.lost)

    def _wait_for_loss(self) -> str:
        """Wait until the stream is lost, and return how."""
        seen, silent_looks, looked_at = 0, 0, self._clock()
        while not self._ended.wait(self._LOOK_EVERY_S):
            beats, now = self._beats, self._clock()
            if now - looked_at > self._SLEPT_S:
                return "was asleep with the machine"
            beating = beats != seen
            self._beating_looks = self._beating_looks + 1 if beating else 0
            silent_looks = 0 if beating else silent_looks + 1
            seen, looked_at = beats, now
            if silent_looks >= (self._SILENT_LOOKS if beats else self._FIRST_LOOKS):
                return "fell silent"
        return "was unplugged or its sound server ended"
