"""All tools of a session together: their names, their declarations, what a lost server leaves."""

import asyncio
import sys
from pathlib import Path

import pytest

from live_cli.errors import InputFileError
from live_cli.tools.mcp_config import McpEntry
from live_cli.tools.python_file import load_tools
from live_cli.tools.toolset import NAME_CHARACTERS, Toolset, declaration_of, with_unique_names

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
    files = [load_tools(written(tmp_path, f"{letter}.py")).tools[0] for letter in "abc"]
    assert [tool.name for tool in with_unique_names(files)] == ["lamp", "lamp_2", "lamp_3"]
    long = "x" * (NAME_CHARACTERS + 20)
    text = f'def {long}() -> None:\n    "Do."\ndef {long}y() -> None:\n    "Do."\n'
    names = [
        tool.name for tool in with_unique_names(load_tools(written(tmp_path, "d.py", text)).tools)
    ]
    assert len(set(names)) == 2
    assert all(len(name) <= NAME_CHARACTERS for name in names)


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
    async with Toolset(files, entries, tmp_path, told.append, changed.set) as toolset:
        names = [tool.name for tool in toolset.tools]
        assert names == ["lamp", "house__lamp", "house__dies"]
        (declared,) = toolset.declared()
        assert [each.name for each in declared.function_declarations or []] == names
        assert ["helper() is no tool" in told[0], "server none is gone" in told[1]] == [True, True]
        async with asyncio.timeout(60):
            await toolset.tools[2].call({}, told.append)
            await changed.wait()
        assert [tool.name for tool in toolset.tools] == ["lamp"]


async def test_a_bad_file_is_refused_before_a_server_is_started(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="holds no tool"):
        Toolset([written(tmp_path, "a.py", "")], [], tmp_path, print)
