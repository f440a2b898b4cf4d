"""The package keeps its structure: names, sizes, imports and the map, read from the source."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.harness.places import ROOT

PACKAGE = ROOT / "live_cli"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## The map")[2]
LONGEST_FUNCTION = 60
LONGEST_FLAT_FOLDER = 16
"""Modules side by side; a folder with more wants to be parted by what its modules do."""


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def public_types() -> Iterator[tuple[str, str]]:
    """Classes and type aliases at the top of a module: (name, file)."""
    for path in SOURCES:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                # an alias is written like a class, a constant in capitals
                names = [each.id for each in node.targets if isinstance(each, ast.Name)]
                names = [name for name in names if not name.isupper()]
            else:
                continue
            yield from ((name, short(path)) for name in names if name[0].isupper())


def test_no_two_public_types_share_a_name() -> None:
    places = defaultdict(list)
    for name, path in public_types():
        places[name].append(path)
    assert len(places) > 200
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_no_function_is_long() -> None:
    long = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_no_folder_is_a_heap() -> None:
    sizes = defaultdict(int)
    for path in SOURCES:
        sizes[short(path.parent)] += path.name != "__init__.py"
    assert {folder: n for folder, n in sizes.items() if n > LONGEST_FLAT_FOLDER} == {}


def test_every_folder_and_loose_module_is_on_the_map() -> None:
    folders = {path.parent.relative_to(PACKAGE) for path in SOURCES} - {Path()}
    wanted = [f"{folder.name}/" for folder in folders]
    wanted += [path.name for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]
    assert [name for name in sorted(wanted) if not re.search(rf"\b{re.escape(name)}", MAP)] == []


def test_what_the_map_names_is_there() -> None:
    """Every `folder/` and every `file.py` of the map exists somewhere in the clone."""
    names = set(re.findall(r"\b\w+\.py\b", MAP.partition("## The rules")[0]))
    assert names - {path.name for path in ROOT.rglob("*.py")} == set()


def test_every_package_and_public_thing_says_what_it_is() -> None:
    silent = [short(path) for path in SOURCES if not ast.get_docstring(parsed(path))]
    assert silent == []


def test_no_import_runs_in_a_circle() -> None:
    graph = grimp.build_graph("live_cli", exclude_type_checking_imports=True, cache_dir=None)
    edges = {
        module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)
    }
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as exc:
        pytest.fail(" -> ".join(exc.args[1]))


def test_the_net_names_no_command() -> None:
    naming = [short(path) for path in SOURCES if path.is_relative_to(PACKAGE / "net")]
    naming = [name for name in naming if "live_cli.commands" in (ROOT / name).read_text("utf-8")]
    assert naming == []
