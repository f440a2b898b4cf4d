"""Files with keys: may anybody else read one?"""

import os
import stat


def is_open_to_others(found: os.stat_result) -> bool:
    """Return whether others than this process's user may read or change a file, by its modes.

    The group may read a file of root's: that is how a process without root's rights gets a key,
    such as one in a container from a Secret of Kubernetes (0440 and ``fsGroup``). PostgreSQL has
    the same rule for the keys of its certificates. False where there are no POSIX modes.
    """
    if os.name != "posix":
        return False
    through_group = found.st_uid == 0 and os.geteuid() != 0
    allowed = stat.S_IRGRP if through_group else 0
    return bool(found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~allowed)
