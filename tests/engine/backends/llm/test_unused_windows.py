"""What a window takes: memory for what is in it, not for what it could hold."""

import mmap
import os

import pytest

from live_cli.engine.backends.llm import unused_windows
from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.backends.llm.unused_windows import unused_windows_given_back
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling
from tests.harness.process_figures import ProcessFigures

SIZE = 128 << 20
ZEROS, ONES = bytes(1 << 20), b"\1" * (1 << 20)


def resident_mb():
    return ProcessFigures.of(os.getpid()).resident_mb


@pytest.fixture
def memory():
    made = []

    def make():
        made.append(mmap.mmap(-1, SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        return made[-1]

    yield make
    for each in made:
        each.close()


def write(memory, ones=()):
    """Write zeros, and ones into the megabytes of these numbers."""
    for mb in range(SIZE >> 20):
        memory[mb << 20 : (mb + 1) << 20] = ONES if mb in ones else ZEROS


def test_zeros_that_were_written_take_no_memory_and_are_zeros_again(memory):
    empty_mb = resident_mb()
    with unused_windows_given_back():
        made = memory()
        write(made)
        assert resident_mb() - empty_mb > 120
    assert resident_mb() - empty_mb < 20
    assert made[:] == bytes(SIZE)


def test_what_stands_between_zeros_stays(memory):
    with unused_windows_given_back():
        made = memory()
        write(made, ones=(0, 40, 41, 127))
    assert [made[mb << 20] for mb in (0, 1, 39, 40, 41, 42, 126, 127)] == [1, 0, 0, 1, 1, 0, 0, 1]
    assert made[:].count(1) == 4 << 20


def test_short_runs_of_zeros_and_what_was_there_before_are_let_alone(memory):
    before = memory()
    write(before)
    had_mb = resident_mb()
    with unused_windows_given_back():
        made = memory()
        write(made, ones=range(0, 128, 16))
    assert resident_mb() - had_mb > 120


def test_memory_that_another_thread_has_given_back_meanwhile_is_no_zeros_and_no_crash():
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        never_there = mmap.PAGESIZE
        assert not unused_windows._are_zero(never_there, 2, memory).any()


@pytest.mark.parametrize("file", ["maps", "mem", "pagemap"])
def test_where_a_sandbox_does_not_show_memory_the_windows_stay(memory, monkeypatch, file):
    def refusing(path, *args, real=open, **kwargs):
        if str(path) == f"/proc/self/{file}":
            raise PermissionError(path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr("builtins.open", refusing)
    monkeypatch.setattr("io.open", refusing)
    had_mb = resident_mb()
    with unused_windows_given_back():
        made = memory()
        write(made)
    assert resident_mb() - had_mb > 120


def test_eight_windows_take_little_until_they_are_used():
    one = loaded_mb(parallel=1)
    assert loaded_mb(parallel=8) - one < 40, "seven windows of 50 MB are not there"


def loaded_mb(parallel):
    """Memory that a loaded model takes, which answers."""
    empty_mb = resident_mb()
    model = GgufChatModel(find_chat_model().path, parallel=parallel)
    said = []
    request = ChatRequest((ChatMessage("user", "Say hello."),), Sampling(max_tokens=8))
    model.generate(request, lambda delta: bool(said.append(delta.text)))
    taken_mb = resident_mb() - empty_mb
    model.close()
    assert "".join(said).strip()
    return taken_mb
