"""Keeps what C libraries write to stderr off the screen.

PortAudio, ALSA, JACK and libsndfile's MP3 decoder print to file descriptor 2 behind Python's back:
"ALSA lib pcm.c … underrun occurred" in the middle of a rich view. Inside of
`native_stderr_silenced` descriptor 2 leads nowhere, and ``sys.stderr`` to where it led before.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from live_cli.streams import lead_nowhere

_STDERR = 2


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Context in which descriptor 2 leads nowhere: around a call into a C library, or a session.

    The descriptor belongs to the whole process: enter the context in one thread at a time. Contexts
    may be nested. Child processes started inside inherit the silent descriptor unless they are
    given a stderr of their own.
    """
    try:
        screen = os.dup(_STDERR)
    except OSError:  # closed, as under pythonw or a service: nothing to keep clean
        yield
        return
    python_stderr = sys.stderr
    ours = None
    if _writes_to_descriptor_2():
        python_stderr.flush()
        ours = os.fdopen(
            os.dup(screen),
            "w",
            buffering=1,
            encoding=python_stderr.encoding,
            errors="backslashreplace",
        )
        sys.stderr = ours
    lead_nowhere(_STDERR)
    try:
        yield
    finally:
        os.dup2(screen, _STDERR)
        os.close(screen)
        if ours is not None:
            ours.flush()
            if sys.stderr is ours:
                sys.stderr = python_stderr
            ours.close()


def _writes_to_descriptor_2() -> bool:
    try:
        return sys.stderr.fileno() == _STDERR
    except (AttributeError, OSError, ValueError):
        return False
