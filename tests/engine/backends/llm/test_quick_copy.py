"""The copy of a GGUF file that llama.cpp reads faster."""

import mmap
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from live_cli.engine.backends.llm import gguf, quick_copy
from live_cli.engine.backends.llm.gguf_metadata import read_metadata, read_tensors
from live_cli.engine.backends.llm.quick_copy import quick_copy_of
from live_cli.engine.chat_models.lookup import bundled_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling
from tests.engine.backends.llm.test_gguf_metadata import PAIRS, pair, string

Q4_1, Q8_0, F32 = 3, 8, 0
QUESTION = ChatMessage("user", "What is the capital of France?")


def table_of(path: Path):
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return read_tensors(data), bytes(data)


def model_file(path: Path, alignment: int = 32, kind: int = Q4_1) -> Path:
    """A file with a tensor of 64 numbers in Q4_1 between two of 3 in 32 bits."""
    pairs = (*PAIRS, pair("general.alignment", 4, struct.pack("<I", alignment)))
    numbers = np.arange(3, dtype="<f4").tobytes()
    blocks = b"".join(
        np.array([scale, least], "<f2").tobytes() + bytes(range(16, 32))
        for scale, least in ((0.5, -4.0), (0.0, 0.0))
    )
    contents = ((b"a", 3, F32, numbers), (b"b", 64, kind, blocks), (b"c", 3, F32, numbers))
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(contents), len(pairs)) + b"".join(pairs)
    data = b""
    for name, size, its_kind, content in contents:
        head += string(name.decode()) + struct.pack("<IQIQ", 1, size, its_kind, len(data))
        data += content + bytes(-len(content) % alignment)
    path.write_bytes(head + bytes(-len(head) % alignment) + data)
    return path


@pytest.mark.parametrize("alignment", [32, 64])
def test_the_copy_holds_the_same_numbers_and_all_else_as_it_was(tmp_path, alignment):
    path = model_file(tmp_path / "a.gguf", alignment)
    copy = quick_copy_of(path, tmp_path / "quick")
    assert copy.parent == tmp_path / "quick"
    assert read_metadata(copy) == read_metadata(path)
    table, data = table_of(copy)
    assert [(each.name, each.shape, each.kind) for each in table.tensors] == [
        (b"a", (3,), F32), (b"b", (64,), Q8_0), (b"c", (3,), F32),
    ]  # fmt: skip
    places = [table.data_at + each.at for each in table.tensors]
    assert all(place % alignment == 0 for place in places)
    for place in (places[0], places[2]):
        assert np.frombuffer(data, "<f4", 3, place).tolist() == [0, 1, 2]
    eight = np.frombuffer(data, quick_copy._EIGHT_BITS, 2, places[1])
    numbers = eight["values"] * eight["scale"].astype(np.float32)[:, None]
    low, high = np.arange(16) * 0.5 - 4, np.full(16, 0.5 - 4)
    assert np.abs(numbers[0] - np.concatenate([low, high])).max() <= 4 / 127
    assert not numbers[1].any()


def test_a_copy_is_made_once_and_anew_of_another_file(tmp_path):
    path, folder = model_file(tmp_path / "a.gguf"), tmp_path / "quick"
    first = quick_copy_of(path, folder)
    made_at = first.stat().st_mtime_ns
    assert quick_copy_of(path, folder) == first
    assert first.stat().st_mtime_ns == made_at
    os.utime(path, (1, 1))
    second = quick_copy_of(path, folder)
    assert second != first
    assert list(folder.iterdir()) == [second]


@pytest.mark.parametrize("kind", [Q8_0, 2])
def test_a_file_that_llama_cpp_is_quick_at_is_loaded_as_it_is(tmp_path, kind):
    path = model_file(tmp_path / "a.gguf", kind=kind)
    assert quick_copy_of(path, tmp_path / "quick") == path
    assert not (tmp_path / "quick").exists()


def test_a_large_file_is_loaded_as_it_is(tmp_path, monkeypatch):
    path = model_file(tmp_path / "a.gguf")
    monkeypatch.setattr(quick_copy, "_MOST_BYTES", path.stat().st_size - 1)
    assert quick_copy_of(path, tmp_path / "quick") == path


def test_where_there_is_no_room_it_is_said_and_the_file_is_loaded_as_it_is(tmp_path, caplog):
    path = model_file(tmp_path / "a.gguf")
    (tmp_path / "quick").write_text("in the way")
    assert quick_copy_of(path, tmp_path / "quick") == path
    assert "slower" in caplog.text


def test_a_file_that_breaks_off_leaves_nothing_behind(tmp_path):
    whole = model_file(tmp_path / "a.gguf").read_bytes()
    folder, broken = tmp_path / "quick", tmp_path / "b.gguf"
    table, _ = table_of(tmp_path / "a.gguf")
    sizes = [*range(table.at, table.data_at, 7), table.data_at + table.tensors[1].at + 8]
    for size in sizes:
        broken.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"breaks off|buffer|is no GGUF"):
            quick_copy_of(broken, folder)
    assert not folder.exists() or not list(folder.iterdir())


def test_the_bundled_model_says_the_same_by_its_copy(monkeypatch):
    request = ChatRequest((QUESTION,), Sampling(max_tokens=12, temperature=0.0))

    def said() -> str:
        model, texts = gguf.GgufChatModel(bundled_model()), []
        model.generate(request, lambda delta: texts.append(delta.text))
        model.close()
        return "".join(texts)

    by_copy = said()
    monkeypatch.setattr(gguf, "quick_copy_of", lambda path: path)
    assert "Paris" in by_copy
    assert "Paris" in said()
