"""The table of backends: true to the classes, to the package's extras and to the catalog."""

import re
import subprocess
import sys
import tomllib

import pytest

from live_cli.catalog import LANGUAGES, NEWER_LANGUAGES
from live_cli.engine.backends.table import (
    BACKENDS,
    CHAT_PROGRAMS,
    SERVER_MODULES,
    Backend,
    Stage,
    backends_of,
    find_backend,
)
from live_cli.engine.stages import StageNames
from tests.harness.places import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def names_in(extra: str) -> set[str]:
    return {re.split(r"[^\w-]", line, maxsplit=1)[0] for line in EXTRAS[extra]}


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda each: f"{each.stage.value}-{each.name}")
def test_a_backend_is_what_the_table_says(backend: Backend) -> None:
    assert backend.load_class().__name__ == backend.class_path.partition(":")[2]
    assert all(
        form.partition(":")[0] in (backend.name, "NAME", *CHAT_PROGRAMS) for form in backend.forms
    )
    if backend.module is None:
        assert (backend.distribution, backend.extra) == (None, None)
    else:
        assert backend.distribution in names_in(backend.extra or "")


def test_the_extra_of_the_engine_brings_the_server() -> None:
    assert set(SERVER_MODULES) <= names_in("engine")


def test_the_first_backend_of_a_stage_is_the_default() -> None:
    for stage in Stage:
        assert backends_of(stage)[0].name == getattr(StageNames(), stage.value)


def test_languages_are_written_as_the_catalog_writes_them() -> None:
    for backend in BACKENDS:
        assert set(backend.languages) <= {*LANGUAGES, *NEWER_LANGUAGES}, backend.name
        assert len(set(backend.languages)) == len(backend.languages), backend.name
    assert [backends_of(s)[0].languages for s in (Stage.TRANSCRIBER, Stage.SYNTHESIZER)] == [
        ("en",), ("en",)
    ]  # fmt: skip


def test_whispers_languages_are_those_of_its_library() -> None:
    from faster_whisper import tokenizer

    own = {"iw": "he", "fil": "tl"}
    whisper, _ = find_backend(Stage.TRANSCRIBER, "whisper")
    known = {
        code
        for code in (*LANGUAGES, *NEWER_LANGUAGES)
        if own.get(code, code) in tokenizer._LANGUAGE_CODES
    }
    assert set(whisper.languages if whisper else ()) == known


@pytest.mark.parametrize(
    ("stage", "name", "found", "argument"),
    [
        (Stage.TRANSCRIBER, "whisper:/a/b", "whisper", "/a/b"),
        (Stage.CHAT, "gguf:x.gguf", "gguf", "x.gguf"),
        (Stage.CHAT, "qwen3-1.7b", "gguf", "qwen3-1.7b"),
        (Stage.CHAT, "C:/models/x.gguf", "gguf", "C:/models/x.gguf"),
        (Stage.CHAT, "openai:http://h/v1#m", "openai", "http://h/v1#m"),
        (Stage.SYNTHESIZER, "gguf", None, ""),
    ],
)
def test_a_name_is_a_backend_and_its_argument(
    stage: Stage, name: str, found: str | None, argument: str
) -> None:
    backend, given = find_backend(stage, name)
    assert (backend.name if backend else None, given) == (found, argument)


def test_the_table_loads_no_backend() -> None:
    code = "import sys, live_cli.engine.backends.table\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"numpy", "dataclasses", "asyncio"} & loaded
    assert {name for name in loaded if name.startswith("live_cli.engine.")} == {
        "live_cli.engine.backends", "live_cli.engine.backends.table"
    }  # fmt: skip
