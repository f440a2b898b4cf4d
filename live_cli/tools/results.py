"""Results as the model gets them: of a bounded size, with no path of this machine. Pure."""

import re
from typing import Final

import msgspec

from live_cli.tools.tool import ToolResult

MOST_CHARACTERS: Final = 32_000
"""Of a result's JSON: some 8,000 tokens, a quarter of the smallest Live context."""
MOST_PART_BYTES: Final = 4 * 1024 * 1024
"""Of a result's pictures, together."""
_CUT: Final = " … (cut)"
_PATH: Final = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@+~-]+)+(?=[\\/])[\\/]")


def fitted(result: ToolResult) -> ToolResult:
    """Return ``result``, cut with a word where it is longer than `MOST_CHARACTERS`."""
    parts = result.parts if len(msgspec.json.encode(result.parts)) <= MOST_PART_BYTES else ()
    text = msgspec.json.encode(result.response).decode()
    if len(text) <= MOST_CHARACTERS:
        return ToolResult(result.response, parts)
    key = "error" if result.failed else "output"
    value = result.response.get(key, result.response)
    whole = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return ToolResult({key: whole[:MOST_CHARACTERS] + _CUT}, parts)


def failure(exc: BaseException) -> ToolResult:
    """Return what the model is told of an exception: its type and message, without any path."""
    said = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    message = _PATH.sub("", " ".join(said.split()))
    return ToolResult.error(f"{type(exc).__name__}: {message}" if message else type(exc).__name__)


def summary(result: ToolResult) -> str:
    """Return the first line of a result, for people."""
    value = result.response.get("error", result.response.get("output", result.response))
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    lines = text.strip().splitlines()
    return lines[0] if lines else "(nothing)"
