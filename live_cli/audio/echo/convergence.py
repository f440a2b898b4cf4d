"""Tells when the echo filter's prediction can be relied on. Pure; counts hops of 20 ms.

Theory. While it cannot, what stands out may be the filter's mistake, and nobody is heard:

    CONVERGING  the echo path is not known: at the start, and after a break. What is heard may be
                echo. After 0.4 s of sound at the microphone the filter knows enough -> CONVERGED
    CONVERGED   the verdict holds. The microphone no longer contains the predicted echo
                (its projection on it falls below 0.35, or is below 0.6 when somebody
                seems to begin; speech beside it does not lower it)                  -> CHECKING
    CHECKING    the same echo path a little later or earlier (`delay_jump.py`) would
                explain it: then it is shifted, and known at once          -> CONVERGING, 0.1 s
                the prediction is found again: it was somebody                       -> CONVERGED
                neither within 0.25 s: another echo path, to be learned anew         -> CONVERGING
    NO_ECHO     the speaker was loud for longer than any echo takes, and the microphone
                heard nothing, or what is nothing that was played (`correlation.py`):
                headphones. An echo that the filter finds after all                  -> CONVERGED
"""

import math
from enum import Enum

import numpy as np

from live_cli.audio.echo.correlation import NoEchoDetector
from live_cli.audio.echo.double_talk import DoubleTalkDetector
from live_cli.audio.echo.filter import mean_power
from live_cli.audio.pcm import Samples

_LEARNING_HOPS = 20
_CHECKING_HOPS = 13
_MOVED_HOPS = 6
_BROKEN_BELOW = 0.35
_BROKEN_HOPS = 3
_WEAK = 0.6
"""A projection this small counts as a break when somebody seems to begin."""
_RESTORED_ABOVE = 0.8
_SUSPICIOUS_HITS = 1
_LEAST_CONVERGED_HOPS = 15
_PROJECTION_MEMORY = _LEVEL_STEP = 0.19
_NO_ECHO_HOPS = 14
_FAR_LOUD_HOPS = 25
_FAR_LOUD_POWER = 10 ** (-45 / 10)
_FOUND_HOPS = 10
_FOUND_RATIO = 2.0
_TINY = 1e-9


class Convergence(Enum):
    """Knowledge that the echo filter has of the echo path; see the theory above."""

    CONVERGING = "converging"
    CONVERGED = "converged"
    CHECKING = "checking"
    NO_ECHO = "no echo"


class ConvergenceTracker:
    """Tracks whether the echo filter has converged, from every hop while the speaker sounds.

    `note` takes a hop after `DoubleTalkDetector.note` has taken it.
    """

    def __init__(self) -> None:
        self.state = Convergence.CONVERGING
        self._hops_left = _LEARNING_HOPS
        self._shared = self._predicted = self._projection = 0.0
        self._no_echo_detector = NoEchoDetector()
        self._hops_since_begin = 0
        self._broken_hops = self._no_echo_hops = self._found_hops = 0
        self._far_power, self._far_loud_hops = 0.0, 0
        self._was_present = self._confirming = False

    @property
    def settled(self) -> bool:
        """Return whether what stands out of the predicted echo is somebody who speaks."""
        return self.state in (Convergence.CONVERGED, Convergence.NO_ECHO)

    @property
    def has_cancelled(self) -> bool:
        """Return whether the filter has taken out an echo; until then it may predict none."""
        return self._found_hops >= _FOUND_HOPS

    def note(
        self, far: Samples, heard: Samples, echo: Samples, double_talk: DoubleTalkDetector
    ) -> bool:
        """Take a hop, 20 ms at 16 kHz; True: the echo path has changed, the filter must relearn."""
        self._project(heard, echo)
        self._note_far(far)
        self._hops_since_begin += double_talk.is_loud
        self._judge_echo(double_talk)
        if not self.has_cancelled and self.state is not Convergence.NO_ECHO:
            self._no_echo_detector.note(far, heard, loud=double_talk.is_loud)
            if self._no_echo_detector.is_foreign:
                self.state = Convergence.NO_ECHO
        began = self.settled and double_talk.present and not self._was_present
        self._was_present = self.settled and double_talk.present
        if self.state is Convergence.CONVERGING:
            self._converge(double_talk)
        elif self.state is Convergence.CHECKING:
            return self._check(double_talk)
        elif self.state is Convergence.CONVERGED and self._is_broken(double_talk, began):
            self.state, self._hops_left = Convergence.CHECKING, _CHECKING_HOPS
        return False

    def suspects_jump(self, double_talk: DoubleTalkDetector) -> bool:
        """Return whether to search for a jump of the delay: speech begins, or the echo is off."""
        weak = not self.settled or self._projection < _WEAK
        return double_talk.echo_heard and (weak or double_talk.hits > _SUSPICIOUS_HITS)

    def pause(self, blind_hops: int) -> None:
        """Withhold the verdict after a shift: for ``blind_hops`` and reverberation after them."""
        if self.state is not Convergence.NO_ECHO:
            waiting = self._hops_left if self.state is Convergence.CONVERGING else 0
            self._begin(max(waiting, blind_hops + _MOVED_HOPS))

    def confirm_jump(self) -> None:
        """Expect convergence within 0.1 s: a jump was found, and the filter shifted by it."""
        self._begin(_MOVED_HOPS)
        self._confirming = True

    # --- parts -------------------------------------------------------------------------------

    def _begin(self, hops: int) -> None:
        self.state, self._hops_left = Convergence.CONVERGING, hops
        self._confirming = False
        self._hops_since_begin = self._broken_hops = self._no_echo_hops = 0

    def _project(self, heard: Samples, echo: Samples) -> None:
        """Project what is heard on the predicted echo: 1 where the echo path is known.

        The mean is of amplitudes, not of powers: a loud sound would outweigh a break after it.
        """
        memory = _PROJECTION_MEMORY
        level = math.sqrt(float(np.dot(echo, echo))) + _TINY
        self._shared += memory * (float(np.dot(heard, echo)) / level - self._shared)
        self._predicted += memory * (level - self._predicted)
        self._projection = self._shared / (self._predicted + _TINY)

    def _note_far(self, far: Samples) -> None:
        self._far_power += _LEVEL_STEP * (mean_power(far) - self._far_power)
        self._far_loud_hops = self._far_loud_hops + 1 if self._far_power > _FAR_LOUD_POWER else 0

    def _judge_echo(self, double_talk: DoubleTalkDetector) -> None:
        """Tell headphones, where loud playback is not heard, from an echo that was cancelled."""
        less = double_talk.erle > _FOUND_RATIO
        self._found_hops += less and abs(self._projection - 1) < 0.5 and double_talk.echo_heard
        if self.has_cancelled:
            self.state = Convergence.CONVERGED if self.state is Convergence.NO_ECHO else self.state
            return
        loud = double_talk.is_loud
        unheard = self._far_loud_hops > _FAR_LOUD_HOPS and not loud
        self._no_echo_hops = (
            self._no_echo_hops + 1 if unheard else 0 if loud else self._no_echo_hops
        )
        if self._no_echo_hops >= _NO_ECHO_HOPS:
            self.state = Convergence.NO_ECHO

    def _converge(self, double_talk: DoubleTalkDetector) -> None:
        self._hops_left -= double_talk.is_loud
        if self._hops_left > 0:
            return
        if self._confirming and double_talk.echo_heard and self._projection < _WEAK:
            self.state, self._hops_left = Convergence.CHECKING, _CHECKING_HOPS
        else:
            self.state = Convergence.CONVERGED

    def _check(self, double_talk: DoubleTalkDetector) -> bool:
        self._hops_left -= double_talk.is_loud
        if double_talk.echo_heard and self._projection > _RESTORED_ABOVE:
            self.state = Convergence.CONVERGED
        elif self._hops_left <= 0:
            self._begin(_LEARNING_HOPS)
            self._found_hops = 0
            self._no_echo_detector = NoEchoDetector()
            double_talk.reset(same_room=False)
            return True
        return False

    def _is_broken(self, double_talk: DoubleTalkDetector, began: bool) -> bool:
        off = double_talk.echo_heard and self._projection < _BROKEN_BELOW
        self._broken_hops = self._broken_hops + 1 if off else max(0, self._broken_hops - 1)
        weak = began and double_talk.echo_heard and self._projection < _WEAK
        broken = self.has_cancelled and (weak or self._broken_hops >= _BROKEN_HOPS)
        return broken and self._hops_since_begin >= _LEAST_CONVERGED_HOPS
