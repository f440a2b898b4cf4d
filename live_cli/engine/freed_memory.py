"""Memory that was freed and that the C library keeps: given back to the system.

To load a model takes more than the model does, in threads that may never allocate again; glibc
keeps 50 MB of it for them. What is freed between the calls of a model it should keep: to get it
anew makes Whisper slower by a fifth.
"""

import ctypes
import sys


def give_back_freed_memory() -> None:
    """Give back what is free, in some milliseconds; nothing where the C library is not glibc."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
