"""The reference servers from npm, unmodified, over their pipes and over streamable HTTP."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from live_cli.engine.setup.families import find_family
from live_cli.engine.setup.toolbox import toolbox_of
from live_cli.protocol.messages import JsonObject
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.run import run_tool
from live_cli.tools.tool import ToolResult
from live_cli.tools.toolset import Toolset
from tests.harness.sdks import node_sdk

WITHIN_S = 60.0
NPM = node_sdk("the servers from npm", "mcp")


def program(server: str) -> str:
    assert NPM.modules is not None
    path = NPM.modules / "@modelcontextprotocol" / server / "dist" / "index.js"
    assert path.exists(), f"{server} is not installed: make sdks"
    return str(path)


@contextlib.asynccontextmanager
async def everything(over: str) -> AsyncIterator[McpEntry]:
    path = program("server-everything")
    if over == "stdio":
        yield McpEntry("all", command=str(NPM.interpreter), arguments=(path,))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        NPM.interpreter,
        path,
        "streamableHttp",
        env={"PORT": str(port)},
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            async for line in process.stderr:
                if b"listening" in line:
                    break
        yield McpEntry("all", url=f"http://127.0.0.1:{port}/mcp")
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the program that was started starts another
        await process.communicate()


async def call(toolset: Toolset, name: str, progress: list[str], **given: object) -> ToolResult:
    (tool,) = [each for each in toolset.tools if each.name == name]
    async with asyncio.timeout(WITHIN_S):
        return await run_tool(tool, dict(given), progress.append)


@pytest.mark.parametrize("over", ["stdio", "http"])
async def test_the_server_of_everything_is_listed_called_and_told_what_does_not_fit(
    tmp_path: Path, over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "s3cret")
    told: list[str] = []
    async with everything(over) as entry, Toolset([], [entry], tmp_path, told.append) as toolset:
        assert len(toolset.tools) > 8
        family = find_family("gemini-3.8-live")
        assert family is not None
        toolbox = toolbox_of(toolset.declared(), family)
        assert len(toolbox.declarations) == len(toolset.tools)
        said = await call(toolset, "all__echo", told, message="hello")
        assert said.response == {"output": "Echo: hello"}
        wrong: tuple[JsonObject, ...] = ({}, {"message": 3})
        for arguments in wrong:
            misfit = await call(toolset, "all__echo", told, **arguments)
            assert "do not fit" in misfit.response["error"]
        picture = await call(toolset, "all__get-tiny-image", told)
        assert [part["inlineData"]["mimeType"] for part in picture.parts] == ["image/png"]
        progress: list[str] = []
        operation = "all__trigger-long-running-operation"
        await call(toolset, operation, progress, duration=0.4, steps=2)
        assert progress
        assert "s3cret" not in str((await call(toolset, "all__get-env", told)).response)


async def test_the_server_of_files_reads_its_folder_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "shown"
    folder.mkdir()
    (folder / "note.txt").write_text("buy bread")
    (tmp_path / "hidden.txt").write_text("s3cret")
    entry = McpEntry(
        "files",
        command=str(NPM.interpreter),
        arguments=(program("server-filesystem"), str(folder)),
        included=("read_*",),
    )
    told: list[str] = []
    async with Toolset([], [entry], tmp_path, told.append) as toolset:
        assert all(tool.name.startswith("files__read_") for tool in toolset.tools)
        read = await call(toolset, "files__read_text_file", told, path=str(folder / "note.txt"))
        assert "buy bread" in str(read.response)
        hidden = str(tmp_path / "hidden.txt")
        refused = await call(toolset, "files__read_text_file", told, path=hidden)
        assert refused.failed
        assert "s3cret" not in str(refused.response)
