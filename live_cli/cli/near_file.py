"""The file that a person may have meant, where the one named is not there."""

import os
from itertools import islice
from pathlib import Path

from live_cli.catalog import near_match

_MOST_NAMES = 10_000
"""A folder of more is not searched: the answer should not take longer than the mistake."""


def near_file(error: BaseException | None) -> str:
    """Return a sentence that names a file like the one that ``error`` missed; mostly none."""
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str):
        return ""
    missing = Path(error.filename)
    try:
        with os.scandir(missing.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_NAMES)]
    except OSError:
        return ""
    near = near_match(missing.name, names)
    return f" Did you mean {str(missing.with_name(near))!r}?" if near else ""
