"""Fixtures for every room, the kind of each test, and a home that is nobody's.

The kind of a test is told from where it lies and what it uses, and is a marker: `pytest -m quick`.
`quick` is what is none of the others. Side by side (`pytest -n 3 --dist loadgroup`) the tests of a
file share a process; tests on a sound card wait for each other, and so do those that need the same
models.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = [
    "tests.harness.virtual_audio_fixtures",
    "tests.harness.virtual_screen",
    "tests.harness.real_stages",
]

TESTS = Path(__file__).parent
hypothesis.settings.register_profile("noisy-machine", deadline=None)
hypothesis.settings.load_profile("noisy-machine")
STARTS_LIVE_CLI = {
    "live_cli.net.child.process.ServerChild",
    "tests.harness.command.live_cli",
    "tests.harness.command.started",
    "tests.harness.serve_process.serving",
    "tests.harness.talking.talking",
    "tests.harness.terminal_command.on_terminal",
}
"""Whoever imports one of these starts the command."""
SOUND_FIXTURES = {"sound_folder", "virtual_audio"}
REAL_STAGES = "tests.harness.real_stages"
BY_PLACE = {
    "benchmarks/test_benchmarks.py::test_a_benchmark_has_figures[open_speakers": "sound",
    "benchmarks/": "engine",
    "sdk/": "sdk",
    "audio/echo/test_canceller.py": "slow",
    "audio/echo/test_convergence.py": "slow",
    "audio/playback/test_jitter.py": "slow",
    "audio/test_sweep.py": "slow",
    "checklist/test_golden_frames.py": "slow",
    "cli/": "process",
    "engine/backends/stt/test_whisper.py": "engine",
    "engine/backends/test_real_stages.py": "engine",
    "engine/backends/tts/test_foreign_voices.py": "engine",
    "engine/backends/tts/kokoro/test_synthesizer.py": "engine",
    "engine/conversation/test_turns.py::test_messages_may_part_the_sound": "slow",
    "net/server/store/": "process",
    "scale/": "process",
    "net/server/test_abuse.py": "slow",
}
"""Folders, files and tests under tests/ that are of one kind."""
KINDS = ("sound", "sdk", "process", "engine", "slow", "quick")
"""In the order in which they are begun: what waits longest first."""
SHARED_BY_KIND = {"sound", "engine"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    kinds = {item: kind_of(item) for item in items}
    items.sort(key=lambda item: KINDS.index(kinds[item]))
    for item, kind in kinds.items():
        place = item.path.relative_to(TESTS).as_posix()
        alone = place == "benchmarks/test_benchmarks.py"
        group = item.nodeid if alone else kind if kind in SHARED_BY_KIND else place
        item.add_marker(kind)
        item.add_marker(pytest.mark.xdist_group(group))


def kind_of(item: pytest.Item) -> str:
    """One of KINDS."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if fixtures & SOUND_FIXTURES:
        return "sound"
    if "virtual_screen" in fixtures:
        return "process"
    place = f"{item.path.relative_to(TESTS).as_posix()}::{item.name}"
    for prefix, kind in BY_PLACE.items():
        if place.startswith(prefix):
            return kind
    if any(full_name(each) in STARTS_LIVE_CLI for each in vars(item.module).values()):  # type: ignore[attr-defined]
        return "process"
    needs_models = any(each.__module__ == REAL_STAGES for each in fixture_functions(item))
    return "engine" if needs_models else "quick"


def full_name(thing: object) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__name__', '')}"


def fixture_functions(item: pytest.Item) -> Iterator[Callable[..., object]]:
    for found in item._fixtureinfo.name2fixturedefs.values():  # type: ignore[attr-defined]
        yield from (definition.func for definition in found)


def pytest_configure(config: pytest.Config) -> None:
    """No test sees the settings of who runs it, nor leaves anything with them."""
    home = tempfile.mkdtemp(prefix="live-cli-tests-")
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        os.environ[name] = home
    for kind in ("CONFIG", "CACHE", "DATA", "STATE"):
        os.environ[f"XDG_{kind}_HOME"] = str(Path(home, kind.lower()))
    for name in [name for name in os.environ if name.startswith("LIVE_CLI_")]:
        del os.environ[name]
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        os.environ.pop(name, None)
    logging.getLogger("asyncio").addFilter(is_no_measure)


def is_no_measure(record: logging.LogRecord) -> bool:
    """In debug mode asyncio tells of slow callbacks: of how busy the machine is, not of a fault."""
    return not str(record.msg).startswith("Executing %s took")


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without transcribers and voices beside the configured ones."""
    monkeypatch.setattr("live_cli.engine.languages.is_there", lambda backend: False)
