"""One run of a tool: whatever it gets, raises, returns or never returns, it ends in a result."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from live_cli.protocol.messages import JsonObject
from live_cli.tools.python_file import load_tools
from live_cli.tools.results import DEEPEST, MOST_ARGUMENT_BYTES, MOST_CHARACTERS, MOST_PART_BYTES
from live_cli.tools.run import run_tool
from live_cli.tools.tool import ClientTool, TellProgress, ToolOverride, ToolResult, overridden

FILE = """
import asyncio, subprocess, time
from typing import Any

async def blocks(seconds: float) -> str:
    "Block the event loop."
    time.sleep(seconds)
    return "done"

async def cleans(path: str) -> str:
    "Wait, and clean up."
    try:
        await asyncio.sleep(1000)
    finally:
        open(path, "w").close()

def runs(path: str) -> str:
    "Wait for a process."
    code = subprocess.run(["sleep", "1000"]).returncode
    open(path, "w").close()
    return str(code)

async def echo(given: Any) -> Any:
    "Return what is given."
    return given
"""


def tool_of(folder: Path, name: str, time_limit_s: float = 30.0) -> ClientTool:
    (folder / "house.py").write_text(FILE)
    tools = {tool.name: tool for tool in load_tools(str(folder / "house.py")).tools}
    return overridden(tools[name], [ToolOverride("*", time_limit_s)])


async def run(tool: ClientTool, **arguments: Any) -> JsonObject:
    async with asyncio.timeout(30):
        return (await run_tool(tool, arguments, lambda message: None)).response


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"in": [value]}
    return value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (nested(DEEPEST), f"more than {DEEPEST} levels"),
        (nested(100_000), f"more than {DEEPEST} levels"),
        ({"x": "y" * MOST_ARGUMENT_BYTES}, "longer than 256 KB"),
    ],
    ids=["deep", "deeper than Python", "huge"],
)
async def test_arguments_beyond_all_bounds_reach_no_tool(
    tmp_path: Path, given: Any, said: str
) -> None:
    response = await run(tool_of(tmp_path, "echo"), given=given)
    assert response["error"].startswith("The arguments do not fit: ")
    assert said in response["error"]


async def test_an_async_function_that_blocks_holds_up_nothing_and_is_left(tmp_path: Path) -> None:
    began = time.monotonic()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    response = await run(tool_of(tmp_path, "blocks", 0.5), seconds=8.0)
    ticking.cancel()
    assert "longer than 0.5 s" in response["error"]
    assert ticks > 10
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("name", ["cleans", "runs"])
async def test_a_function_that_is_left_cleans_up_and_its_process_ends(
    tmp_path: Path, name: str
) -> None:
    tool, done = tool_of(tmp_path, name, 1.0), tmp_path / "done"
    assert "longer than" in (await run(tool, path=str(done)))["error"]
    async with asyncio.timeout(10):
        while not done.exists():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("parts", [1, 3])
async def test_media_beyond_all_bounds_are_left_out_with_a_word(parts: int) -> None:
    async def shows(arguments: JsonObject, progress: TellProgress) -> ToolResult:
        data = "A" * (MOST_PART_BYTES // 2)
        picture = {"inlineData": {"data": data, "mimeType": "image/png"}}
        return ToolResult({"output": "x" * 100_000}, (picture,) * parts)

    result = await run_tool(ClientTool("f", "here", "", {}, shows), {}, print)
    output = result.response["output"]
    assert len(output) < MOST_CHARACTERS + 100
    assert (len(result.parts), "left out" in output) == ((1, False) if parts == 1 else (0, True))
