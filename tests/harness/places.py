"""Folders that tests read from."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The clone."""
DATA = ROOT / "tests" / "data"
GOLDEN = ROOT / "tests" / "protocol" / "golden"
