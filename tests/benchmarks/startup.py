"""Whole processes from Enter to their end, and how many modules they import."""

import subprocess
import sys
import tempfile
from time import perf_counter

from tests.benchmarks.row import ENVIRONMENT, Row, alternate
from tests.harness.sdks import SCRIPTED

HELP = ("-m", "live_cli", "--help")
TEXT = ("-m", "live_cli", "text", "--server", "local", "Hi.")
GOOGLE = ("-c", "from google import genai")
OF_TOOLS = frozenset({"mcp", "mcp_types", "pydantic", "httpx2", "jsonschema"})
"""What only a session with MCP servers may import."""


def seconds(command: tuple[str, ...]) -> float:
    start = perf_counter()
    _output((sys.executable, *command))
    return perf_counter() - start


def imported(command: tuple[str, ...]) -> list[str]:
    """The names of the modules that the process itself imports, a command's `serve` not counted."""
    said = _output((sys.executable, "-X", "importtime", *command))
    lines = (line for line in said.splitlines() if line.startswith("import time:"))
    return [line.rpartition("|")[2].strip() for line in lines]


def _output(command: tuple[str, ...]) -> str:
    """What ``command`` writes to stderr, in an empty home."""
    scripted = {**SCRIPTED, "LIVE_CLI_ENGINE_CHAT": "scripted:Good day."}
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**ENVIRONMENT, **scripted, "HOME": home},
        ).stderr


def rows(small: bool = False) -> list[Row]:
    rounds = 1 if small else 7
    ours, peer = alternate(lambda: seconds(HELP), lambda: seconds(GOOGLE), rounds)
    of_help, of_text = imported(HELP), imported(TEXT)
    of_tools = [name for name in (*of_help, *of_text) if name.partition(".")[0] in OF_TOOLS]
    return [
        Row("live-cli --help, whole process", ours, "s", 0.25, peer, "import google.genai"),
        Row("live-cli --help, imports", len(of_help), "modules", 200),
        Row("text without tools, imports", len(of_text), "modules", 450),
        Row("both, imports of MCP, its schemas, its HTTP", len(of_tools), "modules", 0),
    ]
