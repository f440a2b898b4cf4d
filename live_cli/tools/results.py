"""Arguments and results, bounded; a result with no path of this machine. Pure."""

import re
from typing import Any, Final

import msgspec

from live_cli.protocol.messages import JsonObject
from live_cli.tools.tool import ToolResult

MOST_CHARACTERS: Final = 32_000
"""Of a result's JSON: some 8,000 tokens, a quarter of the smallest Live context."""
MOST_PART_BYTES: Final = 4 * 1024 * 1024
"""Of a result's pictures, together."""
MOST_ARGUMENT_BYTES: Final = 256 * 1024
"""Of a call's arguments as JSON: no model writes as much in one answer."""
DEEPEST: Final = 32
"""Levels of arguments, and of a schema: as many as `serve` reads (`engine.setup.toolbox`)."""
_CUT: Final = " … (cut)"
_PATH: Final = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@+~-]+)+(?=[\\/])[\\/]")


def is_deep(value: Any) -> bool:
    """Return whether ``value`` has more than `DEEPEST` levels of lists and objects."""
    level = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if not inner:
            return False
        level = inner
    return any(isinstance(each, dict | list) for each in level)


def arguments_complaint(arguments: JsonObject) -> str | None:
    """Return why no tool gets ``arguments``, whatever its schema; None: it may get them."""
    if is_deep(arguments):
        return f"they have more than {DEEPEST} levels"
    if len(msgspec.json.encode(arguments)) > MOST_ARGUMENT_BYTES:
        return f"they are longer than {MOST_ARGUMENT_BYTES // 1024} KB"
    return None


def misfit(why: str) -> ToolResult:
    """Return the result of a call whose arguments do not fit."""
    return ToolResult.error(f"The arguments do not fit: {why[:500]}")


def fitted(result: ToolResult) -> ToolResult:
    """Return ``result``, cut with a word where it is longer than `MOST_CHARACTERS`.

    Pictures of more than `MOST_PART_BYTES` are left out, with a word too.
    """
    key = "error" if result.failed else "output"
    value = result.response.get(key, result.response)
    whole = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    response = result.response
    if len(whole) > MOST_CHARACTERS:
        response = {key: whole[:MOST_CHARACTERS] + _CUT}
    part_bytes = len(msgspec.json.encode(result.parts))
    if part_bytes <= MOST_PART_BYTES:
        return ToolResult(response, result.parts, result.raised)
    said = f"(media of {part_bytes / 1e6:.1f} MB left out: it is too much)"
    return ToolResult({key: f"{whole[:MOST_CHARACTERS]} {said}".strip()}, raised=result.raised)


def failure(exc: BaseException) -> ToolResult:
    """Return what the model is told of an exception: its type and message, without any path."""
    said = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    message = _PATH.sub("", " ".join(said[:MOST_CHARACTERS].split()))
    name = type(exc).__name__
    return ToolResult({"error": f"{name}: {message}" if message else name}, raised=True)


def summary(result: ToolResult) -> str:
    """Return the first line of a result, for people."""
    value = result.response.get("error", result.response.get("output", result.response))
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    lines = text.strip().splitlines()
    return lines[0] if lines else "(nothing)"
