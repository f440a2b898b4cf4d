"""The exit codes: the README lists those that there are, and no other."""

import re
from pathlib import Path

from live_cli import errors
from live_cli.cli import main

README = Path(main.__file__).parents[2] / "README.md"


def test_the_readme_lists_every_exit_code():
    listed = re.search(r"Exit codes: ([^.]*)\.", README.read_text(encoding="utf-8"))[1]
    told = {int(number) for number in re.findall(r"\b\d+\b", listed)}
    kinds = {each for each in vars(errors).values() if isinstance(each, type)}
    own = {each.exit_code for each in kinds if issubclass(each, errors.LiveError)}
    assert told == own | {0, main._BUG, main._INTERRUPTED}
