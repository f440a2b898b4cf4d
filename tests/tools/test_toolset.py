"""All tools of a session together: their names, their declarations, what a lost server leaves."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from live_cli.errors import InputFileError
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.python_file import load_tools
from live_cli.tools.tool import ToolOverride, overridden
from live_cli.tools.toolset import NAME_CHARACTERS, SessionNames, Toolset, declaration_of

HOUSE = str(Path(__file__).parents[1] / "harness" / "mcp_server.py")
LAMP = '''
def lamp(room: str) -> str:
    """Tell whether a lamp is on."""
    return room

def helper(x):
    return x
'''


def written(folder: Path, name: str, text: str = LAMP) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_name_that_is_taken_gets_a_number_and_a_long_one_is_cut(tmp_path: Path) -> None:
    told: list[str] = []
    files = [load_tools(written(tmp_path, f"{letter}.py")).tools[0] for letter in "abca"]
    named = SessionNames(told.append).named(files)
    assert [tool.name for tool in named] == ["lamp", "lamp_2", "lamp_3", "lamp_4"]
    assert told[0] == "lamp of b.py is called lamp_2: the name is taken."
    long = "x" * (NAME_CHARACTERS + 20)
    text = f'def {long}() -> None:\n    "Do."\ndef {long}y() -> None:\n    "Do."\n'
    tools = load_tools(written(tmp_path, "d.py", text)).tools
    names = {tool.name for tool in SessionNames(told.append).named(tools)}
    assert len(names) == 2
    assert all(len(name) <= NAME_CHARACTERS for name in names)


def test_a_tool_keeps_its_name_where_another_of_it_is_gone(tmp_path: Path) -> None:
    (first,) = load_tools(written(tmp_path, "a.py")).tools
    second = replace(first, source="b.py")
    names = SessionNames(lambda _: None)
    names.named([first, second])
    assert [tool.name for tool in names.named([second])] == ["lamp_2"]
    assert [tool.name for tool in names.named([first])] == ["lamp"]


def test_what_is_set_for_single_tools_holds_by_name_server_or_pattern(tmp_path: Path) -> None:
    (own,) = load_tools(written(tmp_path, "a.py")).tools
    of_server = replace(own, name="house__lamp", server="house")
    overrides = [
        ToolOverride("house", 120.0, "SILENT"),
        ToolOverride("house__l*", scheduling="INTERRUPT"),
    ]
    for tool, expected in ((own, (30.0, "WHEN_IDLE")), (of_server, (120.0, "INTERRUPT"))):
        wanted = overridden(tool, overrides)
        assert (wanted.time_limit_s, wanted.scheduling) == expected


def test_a_declaration_has_the_schema_as_it_is(tmp_path: Path) -> None:
    (tool,) = load_tools(written(tmp_path, "a.py")).tools
    declared = declaration_of(tool)
    assert (declared.name, declared.description) == ("lamp", "Tell whether a lamp is on.")
    assert declared.parameters_json_schema == tool.parameters


async def test_files_and_servers_are_one_set(tmp_path: Path) -> None:
    told: list[str] = []
    changed = asyncio.Event()
    entries = [
        McpEntry("house", command=sys.executable, arguments=(HOUSE,), included=("lamp", "dies")),
        McpEntry("none", command="no-such-command-here"),
    ]
    files = [written(tmp_path, "a.py")]
    async with Toolset(files, entries, tmp_path, told.append) as toolset:
        toolset.changed = changed.set
        names = [tool.name for tool in toolset.tools]
        assert names == ["lamp", "house__lamp", "house__dies"]
        (declared,) = toolset.declared()
        assert [each.name for each in declared.function_declarations or []] == names
        assert "helper() is no tool" in told[0]
        assert "server none is gone" in told[-1]
        async with asyncio.timeout(60):
            await toolset.tools[2].call({}, told.append)
            await changed.wait()
        assert [tool.name for tool in toolset.tools] == ["lamp"]


async def test_a_bad_file_is_refused_before_a_server_is_started(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="holds no tool"):
        Toolset([written(tmp_path, "a.py", "")], [], tmp_path, print)
