"""A Python file whose functions are tools.

Every public function of the file that has a docstring and a type for each parameter is one. The
file runs in this process, once, when it is loaded; what it prints goes to stderr, for stdout
carries what was asked for alone. A function may block for as long as it likes (`tool_threads`).
"""

import ast
import functools
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from live_cli.errors import InputFileError
from live_cli.protocol.messages import JsonObject
from live_cli.tools.declaration import FunctionSignature, NoSchemaError
from live_cli.tools.results import misfit
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult
from live_cli.tools.tool_threads import in_thread, on_tool_loop


@dataclass(frozen=True, slots=True)
class ToolFile:
    """The tools of one file; ``notes``: what in it is none, and why, a sentence each."""

    tools: tuple[ClientTool, ...]
    notes: tuple[str, ...] = field(default=())


def load_tools(path: str) -> ToolFile:
    """Run the file at ``path`` and return its tools.

    Raises InputFileError, with the line, for a file that cannot be run or holds no tool.
    """
    module = _run_file(Path(path))
    tools: list[ClientTool] = []
    notes = [
        f"{path}:{line}: {name}() is there twice: this one counts."
        for name, line in _defined_again(Path(path))
    ]
    for function in _functions_of(module):
        line = function.__code__.co_firstlineno
        try:
            tools.append(_tool_of(function, Path(path).name))
        except NoSchemaError as exc:
            notes.append(f"{path}:{line}: {function.__name__}() is no tool: {exc}.")
    if not tools:
        said = " ".join(notes) or "It has no public function."
        raise InputFileError(
            f"{path} holds no tool. {said} A tool is a function with a docstring and types."
        )
    return ToolFile(tuple(tools), tuple(notes))


def _run_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"live_cli_tools_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputFileError(f"{path} is no Python file: its name has to end in .py.")
    module = importlib.util.module_from_spec(spec)
    module.__dict__["print"] = functools.partial(print, file=sys.stderr)
    sys.modules[spec.name] = module  # dataclasses look their module up
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # last: a neighbour must not stand for a package
    try:
        spec.loader.exec_module(module)
    except OSError as exc:
        if exc.filename is not None and Path(exc.filename) == path:
            raise InputFileError(f"{path} cannot be read: {exc.strerror}.") from exc
        raise _failure(path, exc) from exc
    except SyntaxError as exc:
        where = f"{exc.filename or path}:{exc.lineno}"
        raise InputFileError(f"{where}: {exc.msg}: the tools cannot be loaded.") from exc
    except (Exception, SystemExit) as exc:
        raise _failure(path, exc) from exc
    return module


def _failure(path: Path, exc: BaseException) -> InputFileError:
    """Return ``exc`` with the last line of the file at ``path`` that led to it."""
    frames = traceback.extract_tb(exc.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    where = f"{path}:{lines[-1]}" if lines else str(path)
    said = f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
    return InputFileError(f"{where}: {said}: the tools cannot be loaded.")


def _functions_of(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the public functions that the file itself defines, in its order."""
    functions = [
        each
        for name, each in vars(module).items()
        if inspect.isfunction(each) and not name.startswith("_")
    ]
    own = [each for each in functions if each.__module__ == module.__name__]
    return sorted(own, key=lambda function: function.__code__.co_firstlineno)


def _defined_again(path: Path) -> list[tuple[str, int]]:
    """Return the functions that take the place of their namesakes in the file, with their lines."""
    seen: set[str] = set()
    again: dict[str, int] = {}
    for each in ast.parse(path.read_bytes()).body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            if each.name in seen and not each.name.startswith("_"):
                again[each.name] = each.lineno
            seen.add(each.name)
    return list(again.items())


def _tool_of(function: Callable[..., Any], source: str) -> ClientTool:
    """Return ``function`` as a tool. Raises NoSchemaError, which says what it lacks."""
    if not function.__name__.isascii():
        raise NoSchemaError("its name has letters beyond ASCII, which the wire has not")
    described = inspect.getdoc(function)
    if not described:
        raise NoSchemaError("it has no docstring")
    signature = FunctionSignature(function)
    run = (on_tool_loop if inspect.iscoroutinefunction(function) else in_thread)(function)

    async def call(given: JsonObject, progress: TellProgress) -> ToolResult:
        try:
            arguments = signature.arguments(given)
        except ValueError as exc:
            return misfit(str(exc))
        return _result_of(await run(**arguments))

    return ClientTool(function.__name__, source, described, signature.schema, call)


def _result_of(value: Any) -> ToolResult:
    """Return what a function returned as the wire has it: as JSON, or else as its text."""
    try:
        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=_plain)
    except (TypeError, ValueError, RecursionError):
        plain = str(value)
    return ToolResult({"output": plain})


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return str(value)
