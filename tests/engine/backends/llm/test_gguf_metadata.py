"""The metadata of GGUF files: what is read, what is passed over, what is refused."""

import struct
from pathlib import Path

import pytest

from live_cli.engine.backends.llm.gguf_metadata import GgufMetadata, read_metadata


def string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def pair(name: str, kind: int, value: bytes) -> bytes:
    return string(name) + struct.pack("<I", kind) + value


def strings(*texts: str) -> bytes:
    return struct.pack("<IQ", 8, len(texts)) + b"".join(map(string, texts))


PAIRS = (
    pair("general.name", 8, string("a model")),
    pair("general.flag", 7, b"\x01"),
    pair("llama.block_count", 4, struct.pack("<I", 30)),
    pair("tokenizer.ggml.tokens", 9, strings("<s>", "Ġthe", "é")),
    pair("tokenizer.ggml.scores", 9, struct.pack("<IQ3f", 6, 3, 0.0, 0.5, 1.0)),
    pair("tokenizer.ggml.token_type", 9, struct.pack("<IQ3i", 5, 3, 3, 1, 1)),
    pair("tokenizer.ggml.merges", 9, strings("t h", "th e")),
    pair("general.size", 10, struct.pack("<Q", 1 << 40)),
    pair("tokenizer.chat_template", 8, string("{{ messages }}")),
    pair("tokenizer.chat_template.tool_use", 8, string("{{ tools }}")),
)


def gguf(path: Path, pairs: tuple[bytes, ...] = PAIRS, version: int = 3) -> Path:
    header = struct.pack("<4sIQQ", b"GGUF", version, 1, len(pairs))
    path.write_bytes(header + b"".join(pairs) + b"\x00weights" * 8)
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_templates_and_vocabulary_are_read(tmp_path: Path, version: int) -> None:
    tokens = [b"<s>", "Ġthe".encode(), "é".encode()]
    read = read_metadata(gguf(tmp_path / "a.gguf", version=version))
    assert read == GgufMetadata("{{ messages }}", "{{ tools }}", tokens, [3, 1, 1])


def test_what_a_file_does_not_say_is_empty(tmp_path: Path) -> None:
    assert read_metadata(gguf(tmp_path / "a.gguf", PAIRS[:3])) == GgufMetadata("", "", [], [])


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    whole = gguf(tmp_path / "a.gguf").read_bytes()
    path = tmp_path / "b.gguf"
    last = len(whole) - 64 - len(PAIRS[-1])
    for size in range(0, last, 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"."):
            read_metadata(path)


@pytest.mark.parametrize(
    "pairs",
    [
        (pair("x", 99, b""),),
        (pair("x", 9, struct.pack("<IQ", 9, 1)),),  # arrays in arrays: llama.cpp knows none
        (struct.pack("<Q", 2**64 - 1) + b"x",),
        (pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2**63)),),
        (pair("tokenizer.ggml.token_type", 9, struct.pack("<IQ", 5, 2**63)),),
    ],
)
def test_damaged_metadata_is_refused(tmp_path: Path, pairs: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_metadata(gguf(tmp_path / "a.gguf", (*pairs, *PAIRS)))


@pytest.mark.parametrize("content", [b"", b"not a model", b"GGUF\x01\x00\x00\x00" + bytes(40)])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_metadata(tmp_path / "a.gguf")
