"""Real MCP servers: their tools, their ends, and those that are none."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from live_cli.protocol.messages import JsonObject
from live_cli.tools.mcp import intake, server, stdio
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.server import McpNews
from live_cli.tools.mcp.servers import McpServers
from live_cli.tools.tool import ClientTool, ToolResult
from tests.harness.process_figures import runs

HOUSE = str(Path(__file__).parents[2] / "harness" / "mcp_server.py")
WITHIN_S = 60.0


class Told:
    """What was told of servers, and a way to wait for it."""

    def __init__(self) -> None:
        self.news: list[McpNews] = []
        self._changed = asyncio.Event()

    def __call__(self, news: McpNews) -> None:
        self.news.append(news)
        self._changed.set()

    async def until(self, holds: Callable[[McpNews], bool]) -> McpNews:
        async with asyncio.timeout(WITHIN_S):
            while True:
                for news in self.news:
                    if holds(news):
                        return news
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def started(
    folder: Path, *entries: McpEntry
) -> AsyncIterator[tuple[McpServers, list[McpNews], Told]]:
    told = Told()
    servers = McpServers(entries, folder, told)
    try:
        async with asyncio.timeout(WITHIN_S):
            yield servers, await servers.start(), told
    finally:
        await servers.close()


def house(name: str = "house", **more: Any) -> McpEntry:
    return McpEntry(name, command=sys.executable, arguments=(HOUSE,), **more)


def tool(news: McpNews, name: str) -> ClientTool:
    return next(each for each in news.tools if each.name == f"house__{name}")


async def call(
    news: McpNews, name: str, arguments: JsonObject | None = None, progress: list[str] | None = None
) -> ToolResult:
    heard = progress if progress is not None else []
    async with asyncio.timeout(WITHIN_S):
        return await tool(news, name).call(arguments or {}, heard.append)


def children() -> list[str]:
    """The command lines of the processes that this one has started."""
    lines = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            status = (each / "stat").read_text().rpartition(")")[2].split()
            line = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if int(status[1]) == os.getpid() and status[0] != "Z":
            lines.append(line)
    return lines


async def test_the_tools_of_an_unmodified_server_are_listed_and_called(tmp_path: Path) -> None:
    entry = McpEntry("time", command=sys.executable, arguments=("-m", "mcp_server_time"))
    async with started(tmp_path, entry) as (_, (news,), _):
        assert [each.name for each in news.tools] == [
            "time__get_current_time",
            "time__convert_time",
        ]
        assert "2 tools" in news.said
        asked = news.tools[0]
        assert asked.reads_only
        assert "timezone" in asked.parameters["properties"]
        result = await asked.call({"timezone": "Europe/Berlin"}, lambda message: None)
        assert "Europe/Berlin" in str(result.response["output"])


async def test_results_are_text_structure_pictures_and_errors(tmp_path: Path) -> None:
    async with started(tmp_path, house()) as (_, (news,), _):
        assert "kitchen is on" in str((await call(news, "lamp", {"room": "kitchen"})).response)
        (part,) = (await call(news, "picture")).parts
        assert part["inlineData"]["mimeType"] == "image/png"
        assert "fails" in str((await call(news, "fails")).response["error"])


async def test_arguments_that_do_not_fit_never_reach_the_tool(tmp_path: Path) -> None:
    async with started(tmp_path, house()) as (_, (news,), _):
        for arguments in ({}, {"room": 3}):
            result = await call(news, "lamp", arguments)
            assert "do not fit" in result.response["error"]


async def test_a_server_has_the_environment_of_its_entry_and_no_key_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "LIVE_CLI_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "s3cret")
    async with started(tmp_path, house(environment={"HOUSE": "1"})) as (_, (news,), _):
        assert "1" in str((await call(news, "variable", {"name": "HOUSE"})).response)
        for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "LIVE_CLI_KEY", "OPENAI_API_KEY"):
            assert "s3cret" not in str((await call(news, "variable", {"name": name})).response)


async def test_only_the_wanted_tools_are_offered(tmp_path: Path) -> None:
    entry = house(included=("lam*", "fails"), excluded=("fails",), trusted=True)
    async with started(tmp_path, entry) as (_, (news,), _):
        assert [each.name for each in news.tools] == ["house__lamp"]
        assert news.tools[0].trusted


async def test_progress_is_told_and_a_cancelled_call_leaves_the_server_alive(
    tmp_path: Path,
) -> None:
    async with started(tmp_path, house()) as (_, (news,), told):
        heard: list[str] = []
        calling = asyncio.create_task(call(news, "slow", progress=heard))
        async with asyncio.timeout(WITHIN_S):
            while not heard:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        assert heard == ["a quarter"]
        calling.cancel()
        await asyncio.wait([calling])
        assert "is on" in str((await call(news, "lamp", {"room": "hall"})).response)
        assert told.news == []
    assert "slow begins" in (tmp_path / "house.log").read_text()


async def test_a_server_that_dies_is_told_started_again_once_and_then_gone(
    tmp_path: Path,
) -> None:
    async with started(tmp_path, house()) as (_, (news,), told):
        assert "ended" in str((await call(news, "dies")).response["error"])
        assert (await told.until(lambda each: not each.tools)).said.startswith("MCP server house")
        back = await told.until(lambda each: bool(each.tools))
        assert "is on" in str((await call(back, "lamp", {"room": "hall"})).response)
        await call(back, "dies")
        await told.until(lambda each: "is gone" in each.said)
        assert "not there" in str((await call(back, "lamp", {"room": "hall"})).response["error"])


async def test_a_server_that_changes_its_tools_is_asked_for_them(tmp_path: Path) -> None:
    async with started(tmp_path, house()) as (_, (news,), told):
        await call(news, "grow")
        changed = await told.until(lambda each: "has changed its tools" in each.said)
        assert "house__new_lamp" in [each.name for each in changed.tools]
        assert "is on" in str((await call(changed, "new_lamp", {"room": "hall"})).response)


OLD_SERVER = """
import json, sys
tools = ["lamp"]
def say(**fields):
    print(json.dumps({"jsonrpc": "2.0", **fields}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    method, number = asked.get("method"), asked.get("id")
    if method == "initialize":
        told = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "old", "version": "1"}}
    elif method == "tools/list":
        told = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in tools]}
    elif method == "tools/call":
        tools.append("bell")
        say(method="notifications/tools/list_changed")
        told = {"content": [{"type": "text", "text": "rung"}]}
    elif number is not None:
        say(id=number, error={"code": -32601, "message": "Method not found"})
        continue
    if number is not None:
        say(id=number, result=told)
"""


async def test_a_server_of_the_first_protocol_says_unasked_that_its_tools_have_changed(
    tmp_path: Path,
) -> None:
    entry = McpEntry("house", command=sys.executable, arguments=("-c", OLD_SERVER))
    async with started(tmp_path, entry) as (_, (news,), told):
        assert (await call(news, "lamp")).response == {"output": "rung"}
        changed = await told.until(lambda each: "has changed its tools" in each.said)
        assert [each.name for each in changed.tools] == ["house__lamp", "house__bell"]


async def test_a_flood_is_read_slowly_said_once_and_still_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BURST_MESSAGES", 50.0)
    async with started(tmp_path, house()) as (_, (news,), told):
        heard: list[str] = []
        result = await call(news, "flood", {"count": 200}, heard)
        assert result.response == {"output": {"result": "flooded"}}
        assert [each.said for each in told.news] == [
            "MCP server house sends more than can be read, and is read slowly."
        ]


async def test_a_large_result_comes_whole_to_be_cut_and_a_larger_one_ends_the_server(
    tmp_path: Path,
) -> None:
    async with started(tmp_path, house()) as (_, (news,), told):
        whole = await call(news, "large", {"megabytes": 10})
        assert len(whole.response["output"]) == 10_000_000
        assert "ended" in (await call(news, "large", {"megabytes": 34})).response["error"]
        lost = await told.until(lambda each: not each.tools)
        assert "a line of more than 32 MB" in lost.said


async def test_what_a_server_has_started_ends_with_it(tmp_path: Path) -> None:
    async with started(tmp_path, house()) as (_, (news,), _):
        result = await call(news, "child")
        process = int(result.response["output"]["result"])
        assert runs(process)
    assert not runs(process)


async def test_no_process_is_left(tmp_path: Path) -> None:
    async with started(tmp_path, house(), house("other")) as (_, news, _):
        assert sum(HOUSE in line for line in children()) == 2
        calling = asyncio.create_task(call(news[0], "slow"))
        await asyncio.sleep(0)
    assert not [line for line in children() if HOUSE in line]
    await asyncio.wait([calling])


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("no-such-command-here", (), "is gone: there is no command 'no-such-command-here'"),
        ("true", (), "is gone: it ended before it answered"),
        ("sh", ("-c", "echo trouble >&2; exit 3"), "bad.log"),
        ("yes", (), "is gone: it writes what is no message: 'y'"),
        ("sleep", ("1000",), "is started again: it did not answer within"),
        ("sh", ("-c", "tr '\\0' x </dev/zero"), "is gone: it wrote a line of more than 1 MB"),
    ],
    ids=["missing", "exits", "complains", "floods", "silent", "endless"],
)
async def test_a_bad_command_is_said_and_the_others_go_on(
    tmp_path: Path,
    command: str,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stdio, "MOST_LINE_BYTES", 1 << 20)
    monkeypatch.setattr(server, "STARTING_LIMIT_S", 2.0 if command == "sleep" else 30.0)
    bad = McpEntry("bad", command=command, arguments=arguments)
    async with started(tmp_path, bad) as (_, (news,), _):
        assert news.tools == ()
        assert said in news.said
        assert "\n" not in news.said
    assert not [line for line in children() if command in line]


async def test_a_server_over_http(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, HOUSE, str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                break
        entry = McpEntry("house", url=f"http://127.0.0.1:{port}/mcp")
        async with started(tmp_path, entry) as (_, (news,), told):
            assert "is on" in str((await call(news, "lamp", {"room": "hall"})).response)
            process.kill()
            await process.wait()
            assert "ended" in (await call(news, "lamp", {"room": "hall"})).response["error"]
            assert not (await told.until(lambda each: "is gone" in each.said)).tools
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    async with started(tmp_path, entry) as (_, (news,), _):
        assert "is gone" in news.said
