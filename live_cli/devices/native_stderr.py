"""Keeps what C libraries write to stderr off the screen.

PortAudio, ALSA, JACK and libsndfile's MP3 decoder print to file descriptor 2 behind Python's back:
"ALSA lib pcm.c … underrun occurred" in the middle of a rich view. While the context below is held,
descriptor 2 leads nowhere (or into a log) and ``sys.stderr`` leads to where it led before.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from live_cli.streams import lead_nowhere

_STDERR = 2


@contextmanager
def native_stderr_silenced(log_path: str | os.PathLike[str] | None = None) -> Iterator[None]:
    """Hold it around the use of a native library, or around a whole conversation.

    It swaps a descriptor of the process: enter it in one thread at a time. May be nested. Child
    processes started inside inherit the silence unless they are given a stderr of their own.
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
    if log_path is None:
        lead_nowhere(_STDERR)
    else:
        _lead_into(log_path)
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


def _lead_into(log_path: str | os.PathLike[str]) -> None:
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, _STDERR)
    os.close(log)


def _writes_to_descriptor_2() -> bool:
    try:
        return sys.stderr.fileno() == _STDERR
    except (AttributeError, OSError, ValueError):
        return False
