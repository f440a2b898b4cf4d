"""Notices that a sound device is gone.

PortAudio tells in two ways, and in one not at all (measured): a device that is pulled ends its
stream, without an error anywhere; a device that is suspended keeps its stream "active" and never
calls back again. So the watch listens for the end and counts the callbacks.
"""

import threading
from collections.abc import Callable

LostCallback = Callable[[str], None]
"""Told once, from the watch's own thread, in one line for the person, what was lost."""


class StreamWatch:
    """Calls ``on_lost`` once when the stream ends by itself or stays silent for half a second.

    Silence is counted in looks of 100 ms, not on a clock: a machine too busy to run the callbacks
    is too busy to look.
    """

    _LOOK_EVERY_S = 0.1
    _SILENT_LOOKS = 5
    _FIRST_LOOKS = 30

    def __init__(self, name: str, on_lost: LostCallback | None) -> None:
        self.lost: str | None = None
        self._name = name
        self._on_lost = on_lost
        self._beats = 0
        self._ended = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"watch {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def beat(self) -> None:
        """The device called back."""
        self._beats += 1

    def end(self) -> None:
        """The stream has ended; PortAudio calls this also after a stop of our own."""
        self._ended.set()

    def stop(self) -> None:
        """We end the stream ourselves: nothing is lost."""
        self._stopped = True
        self._ended.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        seen, silent_looks = 0, 0
        while not self._ended.wait(self._LOOK_EVERY_S):
            beats = self._beats
            silent_looks = 0 if beats != seen else silent_looks + 1
            seen = beats
            if silent_looks >= (self._SILENT_LOOKS if beats else self._FIRST_LOOKS):
                break
        if self._stopped:
            return
        how = "was unplugged or its sound server ended" if self._ended.is_set() else "fell silent"
        self.lost = f"The {self._name} {how}."
        if self._on_lost is not None:
            self._on_lost(self.lost)
