"""Whole processes from Enter to their end."""

import subprocess
import sys
from time import perf_counter

from tests.benchmarks.row import ENVIRONMENT, Row, alternate

HELP = (sys.executable, "-m", "live_cli", "--help")
GOOGLE = (sys.executable, "-c", "from google import genai")


def seconds(command: tuple[str, ...]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return perf_counter() - start


def rows(small: bool = False) -> list[Row]:
    rounds = 1 if small else 7
    ours, peer = alternate(lambda: seconds(HELP), lambda: seconds(GOOGLE), rounds)
    return [Row("live-cli --help, whole process", ours, "s", 0.25, peer, "import google.genai")]
