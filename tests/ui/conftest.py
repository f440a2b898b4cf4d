import sys
from collections.abc import Callable

import pytest

from tests.harness.terminal_screen import TerminalScreen

# Pseudo-terminals are POSIX.
collect_ignore = ["terminal/test_keyboard.py"] if sys.platform == "win32" else []


@pytest.fixture
def screen() -> Callable[[int, int], TerminalScreen]:
    """Makes a terminal of so many columns and rows."""
    return TerminalScreen
