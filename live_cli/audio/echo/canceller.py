"""Cancels the echo of the speaker in the sound of the microphone. Pure.

Theory. Full duplex on open speakers needs two things. What is sent must be intelligible, so the
echo is taken out by a linear filter (`filter.py`), which leaves speech as it is. And what is left
of the echo must not pass for somebody who speaks, so hops go out by the verdict of
`double_talk.py` through `gate.py`. Both only while there is something to keep out:

    RAW      nothing has been played for 500 ms, or the microphone hears nothing of it
             (headphones): the microphone as it is, at once
    SHUT     the model is heard and nobody else: silence
    OPEN     somebody speaks: the microphone without the echo

ERLE, echo return loss enhancement, is how much quieter the filter makes the echo.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from live_cli.audio.echo.convergence import Convergence, ConvergenceTracker
from live_cli.audio.echo.delay_jump import DelayJump
from live_cli.audio.echo.double_talk import DoubleTalkDetector
from live_cli.audio.echo.filter import HOP_SAMPLES, PARTITIONS, EchoFilter
from live_cli.audio.echo.gate import EchoGate
from live_cli.audio.echo.reference import ReferenceQueue
from live_cli.audio.framer import Framer
from live_cli.audio.pcm import Samples, finite
from live_cli.audio.resampler import Resampler
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE

_TAIL_HOPS = 25
_PATIENCE_HOPS, _LATE_HOPS = 10, 25
"""The microphone's hops wait up to 200 ms, which the gate holds anyway, for a reference that is
late; after half a second of lateness on end they wait no more: the reference does not come."""
_AUDIBLE = 1e-4
"""-80 dBFS: quieter playback leaves no echo that the microphone picks up."""
_ERLE_MEMORY = 0.04
_MOST_ERLE_DB = 60.0
_CONVERGED_ERLE_DB = 6.0


class EchoState(Enum):
    """The sound that is sent: the microphone as it is, silence, or without echo (the theory)."""

    RAW = "raw"
    SHUT = "shut"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class EchoStats:
    """Figures of how well the echo is cancelled.

    ``erle_db``: echo return loss enhancement in dB; None while there was no echo. ``converged``:
    the filter knows the echo path. ``near_speech``: somebody speaks over the playback.
    ``alignments``: how often the reference had to be aligned with the microphone again.
    """

    erle_db: float | None = None
    converged: bool = False
    near_speech: bool = False
    alignments: int = 0


class EchoCanceller:
    """Cancels and gates the echo of one speaker in one microphone; single-threaded.

    `play` takes what was written to the speaker, silence included, at ``reference_rate`` Hz.
    `process` takes the microphone at 16 kHz and returns what is to be sent of it: as many samples
    in the long run, up to a second late while it is not known whether somebody speaks. ``gated``
    False holds nothing back: for a microphone that is open only while a key is held.
    """

    def __init__(self, reference_rate: int = OUTPUT_SAMPLE_RATE, *, gated: bool = True) -> None:
        self._resampler = Resampler(reference_rate, INPUT_SAMPLE_RATE, quality="LQ")
        self._reference = ReferenceQueue()
        self._framer = Framer(HOP_SAMPLES)
        self._waiting: list[Samples] = []
        self._filter = EchoFilter()
        self._double_talk = DoubleTalkDetector()
        self._convergence = ConvergenceTracker()
        self._gate = EchoGate()
        self._gated = gated
        self._jumps = 0
        self._late_hops = 0
        self._later = self._padded = 0
        self._jump = DelayJump()
        self._quiet_hops = _TAIL_HOPS + PARTITIONS
        self._heard = self._left = 0.0
        self._state = EchoState.RAW

    @property
    def stats(self) -> EchoStats:
        erle_db = self._erle_db()
        known = self._convergence.state is Convergence.CONVERGED
        return EchoStats(
            erle_db=erle_db,
            converged=known and erle_db is not None and erle_db >= _CONVERGED_ERLE_DB,
            near_speech=self._quiet_hops < _TAIL_HOPS and self._is_spoken(),
            alignments=self._reference.pads + self._reference.trims + self._jumps,
        )

    @property
    def state(self) -> EchoState:
        """The verdict on the last hop."""
        return self._state

    def play(self, samples: Samples) -> None:
        """Append ``samples`` to the reference: what was written to the speaker."""
        if is_audible(samples):
            self._quiet_hops = 0
        self._reference.push(self._resampler.process(samples))

    def process(self, microphone: Samples) -> Samples:
        """Return what may be sent now, 16 kHz; may be empty, or longer than ``microphone``."""
        hops = self._framer.push(finite(microphone))
        self._waiting += hops
        out: list[Samples] = []
        while self._waiting and self._may_go_on():
            out += self._hop(self._waiting.pop(0))
        self._late_hops = self._late_hops + len(hops) if self._waiting else 0
        return np.concatenate(out) if out else np.zeros(0, dtype=np.float32)

    def _may_go_on(self) -> bool:
        """Return whether the oldest hop is processed now, with its reference or without."""
        queue = self._reference
        waits = not (queue.has_hop or queue.starting or queue.gone)
        return not waits or len(self._waiting) > _PATIENCE_HOPS or self._late_hops > _LATE_HOPS

    def _hop(self, heard: Samples) -> list[Samples]:
        far = self._reference.pull(behind=len(self._waiting))
        self._note_alignment()
        self._quiet_hops = 0 if is_audible(far) else self._quiet_hops + 1
        if self._quiet_hops >= _TAIL_HOPS + PARTITIONS:
            return self._background(heard)
        if self._convergence.state is Convergence.NO_ECHO and not self._double_talk.is_loud:
            self._filter.skip(far)
            return self._background(heard)
        cleaned, echo = self._filter.process(far, heard)
        if self._quiet_hops >= _TAIL_HOPS:
            return self._background(heard)
        self._double_talk.note(far, heard, cleaned, echo)
        self._watch_echo_path(far, heard, echo)
        return self._judged(heard, cleaned)

    def _background(self, heard: Samples) -> list[Samples]:
        """Learn the background noise from a hop that holds no echo; return what leaves with it."""
        self._double_talk.note_background(heard)
        return self._raw(heard)

    def _is_spoken(self) -> bool:
        return self._convergence.settled and self._double_talk.present

    def _lets_out(self) -> bool:
        if not self._gated:
            return True
        goes_on = self._gate.is_open and self._convergence.settled and self._double_talk.goes_on
        return goes_on or self._is_spoken()

    def _watch_echo_path(self, far: Samples, heard: Samples, echo: Samples) -> None:
        self._jump.note(heard, echo)
        if self._convergence.note(far, heard, echo, self._double_talk):
            self._filter.relearn()
        if self._convergence.suspects_jump(self._double_talk) and (jump := self._jump.find()):
            self._jumps += 1
            self._shift(jump)
            self._convergence.confirm_jump()

    def _shift(self, samples: int, *, blind_hops: int = 0) -> None:
        """Adapt to an echo ``samples`` later, whose reference was missing for ``blind_hops``."""
        self._filter.shift(samples)
        self._jump.shift(samples)
        self._convergence.pause(blind_hops)
        self._double_talk.reset(same_room=True)

    def _judged(self, heard: Samples, cleaned: Samples) -> list[Samples]:
        state = self._convergence.state
        if state is Convergence.NO_ECHO:
            return self._raw(heard)
        out = self._gate.hop(
            # a filter that has found no echo yet may only do harm
            cleaned if self._convergence.has_cancelled else heard,
            speech=self._lets_out(),
            known=state is Convergence.CONVERGED,
        )
        self._state = EchoState.OPEN if self._gate.is_open else EchoState.SHUT
        if (
            self._state is EchoState.SHUT
            and state is Convergence.CONVERGED
            and self._double_talk.echo_heard
        ):
            self._heard += _ERLE_MEMORY * (float(np.dot(heard, heard)) - self._heard)
            self._left += _ERLE_MEMORY * (float(np.dot(cleaned, cleaned)) - self._left)
        return out

    def _raw(self, heard: Samples) -> list[Samples]:
        self._state = EchoState.RAW
        self._gate.shut()
        return [*self._gate.release(), heard]

    def _note_alignment(self) -> None:
        """Follow the reference where a pad or a trim has made it later or earlier.

        Whether a pad moves the echo is not known at once: not where the playback paused for as
        long, but by its length where the blocks are only late; a trim tells, or a jump. All other
        changes are known to the sample.
        """
        later = self._reference.later - self._later
        self._later += later
        if later > 0 and self._late_hops <= _LATE_HOPS:
            self._padded += later
            self._shift(0, blind_hops=later // HOP_SAMPLES)
        elif later > 0:
            self._shift(-later)
        elif later < 0:
            self._shift(-later - self._padded)
            self._padded = 0
        elif self._convergence.settled:
            self._padded = 0

    def _erle_db(self) -> float | None:
        if not self._heard:
            return None
        most = 10.0 ** (_MOST_ERLE_DB / 10.0)
        return 10.0 * math.log10(self._heard / max(self._left, self._heard / most))


def is_audible(samples: Samples) -> bool:
    """Return whether playback of ``samples`` can leave an echo: a peak over -80 dBFS."""
    return samples.size > 0 and float(np.abs(samples).max()) > _AUDIBLE
