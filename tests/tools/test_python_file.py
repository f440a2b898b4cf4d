"""Functions of a file as tools: what is declared, what is called, what is said of a bad file."""

import asyncio
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from live_cli.errors import InputFileError
from live_cli.protocol.messages import JsonObject
from live_cli.tools.python_file import load_tools
from live_cli.tools.tool import ToolResult

GOOD = '''
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

class Room(Enum):
    KITCHEN = "kitchen"
    CELLAR = "cellar"

@dataclass
class Lamp:
    room: Room
    number: int = 1

def set_lamp(lamp: Lamp, level: Annotated[float, "0 dark, 1 bright"] = 1.0) -> dict[str, object]:
    """Set a lamp."""
    print("setting")
    return {"room": lamp.room, "level": level}

async def count(to: int, way: Literal["up", "down"] = "up") -> list[int]:
    """Count."""
    return list(range(to))

def everything(values: list[int] | None = None, names: dict[str, str] = {}) -> object:
    """Return something that has no JSON."""
    return object()

def fails() -> None:
    """Fail."""
    raise LookupError("not here")

def leaves() -> None:
    """Exit."""
    raise SystemExit(3)

def without_docstring(x: int) -> int:
    return x

def without_type(x):
    """Has none."""

def anything(*values: int) -> None:
    """Takes any."""

def recursive(x: "Tree") -> None:
    """Takes a tree."""

class Tree:
    pass

def _hidden(x: int) -> int:
    """Nobody's."""
    return x
'''


def written(folder: Path, text: str) -> str:
    path = folder / "house.py"
    path.write_text(dedent(text))
    return str(path)


def called(path: str, name: str, arguments: JsonObject) -> ToolResult:
    tool = next(tool for tool in load_tools(path).tools if tool.name == name)

    async def call() -> ToolResult:
        return await tool.call(arguments, lambda message: None)

    return asyncio.run(call())


def test_every_public_function_with_a_docstring_and_types_is_a_tool(tmp_path: Path) -> None:
    file = load_tools(written(tmp_path, GOOD))
    assert [tool.name for tool in file.tools] == [
        "set_lamp",
        "count",
        "everything",
        "fails",
        "leaves",
    ]
    assert file.tools[0].description == "Set a lamp."
    assert file.tools[0].source == "house.py"


def test_what_is_no_tool_is_said_with_its_line_and_reason(tmp_path: Path) -> None:
    notes = load_tools(path := written(tmp_path, GOOD)).notes
    assert [note.partition(":")[0] for note in notes] == [path] * 4
    for note, reason in zip(notes, ("docstring", "no type", "by its name", "Tree"), strict=True):
        assert reason in note


def test_a_declaration_is_made_from_the_signature(tmp_path: Path) -> None:
    tools = {tool.name: tool for tool in load_tools(written(tmp_path, GOOD)).tools}
    lamp = tools["set_lamp"].parameters
    assert lamp["required"] == ["lamp"]
    assert lamp["properties"]["level"] == {
        "type": "number",
        "description": "0 dark, 1 bright",
        "default": 1.0,
    }
    room = lamp["properties"]["lamp"]["properties"]["room"]
    assert room["enum"] == ["cellar", "kitchen"]
    assert "$ref" not in str(lamp)
    assert tools["count"].parameters["properties"]["way"]["enum"] == ["down", "up"]


def test_arguments_become_what_the_signature_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, GOOD)
    result = called(path, "set_lamp", {"lamp": {"room": "cellar"}, "level": 0.5})
    assert result.response == {"output": {"room": "cellar", "level": 0.5}}
    assert called(path, "count", {"to": 3}).response == {"output": [0, 1, 2]}
    said = capsys.readouterr()
    assert said.out == ""
    assert "setting" in said.err


def test_a_value_without_json_is_told_as_its_text(tmp_path: Path) -> None:
    result = called(written(tmp_path, GOOD), "everything", {"values": [1], "names": {"a": "b"}})
    assert "object" in result.response["output"]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"lamp": 3}, {"lamp": {"room": "attic"}}, {"lamp": {"room": "cellar"}, "more": 1}],
)
def test_arguments_that_do_not_fit_are_told_and_nothing_is_called(
    tmp_path: Path, arguments: JsonObject, capsys: pytest.CaptureFixture[str]
) -> None:
    result = called(written(tmp_path, GOOD), "set_lamp", arguments)
    assert result.failed
    assert "do not fit" in result.response["error"]
    assert capsys.readouterr().err == ""


def test_an_exception_and_an_exit_are_errors_of_the_call(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    with pytest.raises(LookupError, match="not here"):
        called(path, "fails", {})
    with pytest.raises(RuntimeError, match="SystemExit"):
        called(path, "leaves", {})


def test_a_function_that_never_ends_is_left_behind(tmp_path: Path) -> None:
    text = '''
    import threading
    from pathlib import Path

    stop = threading.Event()

    def stuck() -> None:
        """Wait."""
        stop.wait()
    '''
    tool = load_tools(written(tmp_path, text)).tools[0]

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await tool.call({}, lambda message: None)

    asyncio.run(give_up())
    (left,) = [thread for thread in threading.enumerate() if thread.name == "tool stuck"]
    assert left.daemon


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\ndef f(:\n", 2, "invalid syntax"),
        ("\nimport not_there_at_all\n", 2, "ModuleNotFoundError"),
        ("def f():\n    return 1 / 0\n\nf()\n", 2, "ZeroDivisionError"),
        ("raise SystemExit(3)\n", 1, "SystemExit"),
        ("\n\nopen('/nowhere/at/all')\n", 3, "FileNotFoundError"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputFileError) as refused:
        load_tools(path)
    assert str(refused.value).startswith(f"{path}:{line}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "x = 1\n", "def helper(x):\n    return x\n"])
def test_a_file_without_tools_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputFileError, match="holds no tool"):
        load_tools(written(tmp_path, text))


def test_a_file_that_is_not_there_or_no_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="No such file"):
        load_tools(str(tmp_path / "nothing.py"))
    with pytest.raises(InputFileError, match=r"end in \.py"):
        load_tools(str(tmp_path))


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_house.py").write_text("ANSWER = 42\n")
    text = (
        'from neighbour_of_house import ANSWER\ndef ask() -> int:\n    "Ask."\n    return ANSWER\n'
    )
    assert called(written(tmp_path, text), "ask", {}).response == {"output": 42}
