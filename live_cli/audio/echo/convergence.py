"""Whether the echo filter's prediction can be relied on. Pure; counts hops of 10 ms.

Theory. While it cannot, what stands out may be the filter's mistake, and nobody is heard:

    WAITING   the way is not known: at the start, and after a break. What is heard may be echo.
              After 0.4 s of sound at the microphone the filter knows enough         -> TRUSTED
    TRUSTED   the verdict holds. The microphone no longer contains the predicted echo
              (its projection on it falls below 0.35, or is below 0.6 when somebody
              seems to begin; speech beside it does not lower it)                    -> CHECKING
    CHECKING  the same way a little later or earlier (`echo_jump.py`) would explain
              it: then it is moved, and known at once                      -> WAITING, 0.1 s
              the prediction is found again: it was somebody                         -> TRUSTED
              neither within 0.25 s: another way, to be learned anew                 -> WAITING
    NO_ECHO      the speaker was loud for longer than any echo takes, and the microphone
              heard nothing, or what is nothing that was played (`likeness.py`):
              headphones. An echo that the filter finds after all                    -> TRUSTED
"""

import math
from enum import Enum

import numpy as np

from live_cli.audio.echo.correlation import FirstSound
from live_cli.audio.echo.double_talk import DoubleTalkDetector
from live_cli.audio.echo.filter import HOP_SAMPLES
from live_cli.audio.pcm import Samples

_LEARNING_HOPS = 40
_CHECKING_HOPS = 25
_MOVED_HOPS = 12
_BROKEN_BELOW = 0.35
_BROKEN_HOPS = 6
_DOUBTFUL = 0.6
"""At the moment when somebody seems to begin."""
_SOUND = 0.8
_CURIOUS_HITS = 3
_PATIENCE_HOPS = 30
_PROJECTION_MEMORY = 0.1
_FREE_HOPS = 15
_LOUD_HOPS = 50
_LOUD_POWER = 10 ** (-45 / 10)
_FOUND_HOPS = 20
_FOUND_RATIO = 2.0
_TINY = 1e-9


class Convergence(Enum):
    """How much the echo filter's word counts; see the theory above."""

    WAITING = "waiting"
    TRUSTED = "trusted"
    CHECKING = "checking"
    NO_ECHO = "free"


class ConvergenceTracker:
    """Told each hop while the speaker sounds, after `DoubleTalkDetector` was."""

    def __init__(self) -> None:
        self.state = Convergence.WAITING
        self._hops_left = _LEARNING_HOPS
        self._shared = self._predicted = self._projection = 0.0
        self._first = FirstSound()
        self._since_break = 0
        self._broken_hops = self._free_hops = self._found_hops = 0
        self._far_power, self._loud_hops = 0.0, 0
        self._was_present = self._confirming = False

    @property
    def settled(self) -> bool:
        """What stands out is somebody."""
        return self.state in (Convergence.TRUSTED, Convergence.NO_ECHO)

    @property
    def proven(self) -> bool:
        """The filter has taken an echo out before; one that has not may predict what is not."""
        return self._found_hops >= _FOUND_HOPS

    def note(self, far: Samples, heard: Samples, echo: Samples, speech: DoubleTalkDetector) -> bool:
        """A hop. True: it is another way, let the filter doubt."""
        self._project(heard, echo)
        self._note_far(far)
        self._since_break += speech.is_loud
        self._seek_echo(speech)
        if not self.proven and self.state is not Convergence.NO_ECHO:
            self._first.note(far, heard, loud=speech.is_loud)
            if self._first.is_foreign:
                self.state = Convergence.NO_ECHO
        began = self.settled and speech.present and not self._was_present
        self._was_present = self.settled and speech.present
        if self.state is Convergence.WAITING:
            self._wait(speech)
        elif self.state is Convergence.CHECKING:
            return self._check(speech)
        elif self.state is Convergence.TRUSTED and self._is_broken(speech, began):
            self.state, self._hops_left = Convergence.CHECKING, _CHECKING_HOPS
        return False

    def wonders(self, speech: DoubleTalkDetector) -> bool:
        """Something is wrong, or somebody begins: worth a look for a jump."""
        doubtful = not self.settled or self._projection < _DOUBTFUL
        return speech.echo_heard and (doubtful or speech.hits > _CURIOUS_HITS)

    def pause(self, blind_hops: int) -> None:
        """What is known is moved; the verdict waits, so many hops and what is left in the room."""
        if self.state is not Convergence.NO_ECHO:
            waiting = self._hops_left if self.state is Convergence.WAITING else 0
            self._begin(max(waiting, blind_hops + _MOVED_HOPS))

    def find(self) -> None:
        """The way is known again."""
        self._begin(_MOVED_HOPS)
        self._confirming = True

    # --- parts -------------------------------------------------------------------------------

    def _begin(self, hops: int) -> None:
        self.state, self._hops_left = Convergence.WAITING, hops
        self._confirming = False
        self._since_break = self._broken_hops = self._free_hops = 0

    def _project(self, heard: Samples, echo: Samples) -> None:
        """How much of the predicted echo is in what is heard: 1 where the way is known.

        By amplitude, not power: else a loud sound outweighs the break after it.
        """
        memory = _PROJECTION_MEMORY
        level = math.sqrt(float(np.dot(echo, echo))) + _TINY
        self._shared += memory * (float(np.dot(heard, echo)) / level - self._shared)
        self._predicted += memory * (level - self._predicted)
        self._projection = self._shared / (self._predicted + _TINY)

    def _note_far(self, far: Samples) -> None:
        self._far_power += 0.1 * (float(np.dot(far, far)) / HOP_SAMPLES - self._far_power)
        self._loud_hops = self._loud_hops + 1 if self._far_power > _LOUD_POWER else 0

    def _seek_echo(self, speech: DoubleTalkDetector) -> None:
        """Headphones, or an echo after all."""
        less = speech.cancelled > _FOUND_RATIO
        self._found_hops += less and abs(self._projection - 1) < 0.5 and speech.echo_heard
        if self.proven:
            self.state = Convergence.TRUSTED if self.state is Convergence.NO_ECHO else self.state
            return
        loud = speech.is_loud
        unheard = self._loud_hops > _LOUD_HOPS and not loud
        self._free_hops = self._free_hops + 1 if unheard else 0 if loud else self._free_hops
        if self._free_hops >= _FREE_HOPS:
            self.state = Convergence.NO_ECHO

    def _wait(self, speech: DoubleTalkDetector) -> None:
        self._hops_left -= speech.is_loud
        if self._hops_left > 0:
            return
        if self._confirming and speech.echo_heard and self._projection < _DOUBTFUL:
            self.state, self._hops_left = Convergence.CHECKING, _CHECKING_HOPS
        else:
            self.state = Convergence.TRUSTED

    def _check(self, speech: DoubleTalkDetector) -> bool:
        self._hops_left -= speech.is_loud
        if speech.echo_heard and self._projection > _SOUND:
            self.state = Convergence.TRUSTED
        elif self._hops_left <= 0:
            self._begin(_LEARNING_HOPS)
            self._found_hops = 0
            self._first = FirstSound()
            speech.begin_anew(same_room=False)
            return True
        return False

    def _is_broken(self, speech: DoubleTalkDetector, began: bool) -> bool:
        off = speech.echo_heard and self._projection < _BROKEN_BELOW
        self._broken_hops = self._broken_hops + 1 if off else max(0, self._broken_hops - 1)
        doubtful = began and speech.echo_heard and self._projection < _DOUBTFUL
        broken = self.proven and (doubtful or self._broken_hops >= _BROKEN_HOPS)
        return broken and self._since_break >= _PATIENCE_HOPS
