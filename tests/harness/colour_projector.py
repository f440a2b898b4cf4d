"""A projector of images for the bundled chat model, made in milliseconds and without training.

Its encoder does nothing, so that of an image four mean colours are left; its projection is solved
for three equations: what red, green and blue become are the very embeddings of those words in the
model's vocabulary. SmolLM2 then reads ``red red red red`` where the image stands. Everything else
is llama.cpp's own: loading, decoding, scaling, tokens, caches. What it cannot show is whether a
trained projector sees well.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live_cli.engine.backends.llm.gguf_metadata import read_metadata
from live_cli.engine.chat_models.lookup import bundled_model

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
IMAGE_TOKENS = 4
_SIDE, _PATCH, _POOLED, _HIDDEN = 32, 8, 2, 4  # pixels, pixels, patches, numbers of a patch
_Q8_0, _BLOCK, _BLOCK_BYTES, _ALIGNMENT = 8, 32, 34, 32
_U32, _F32, _BOOL, _STRING, _ARRAY = 4, 6, 7, 8, 9

Tensor = NDArray[np.float32]


def write_colour_projector(path: Path, *, width: int | None = None, sound: bool = False) -> Path:
    """Write the projector for the bundled model to ``path``.

    ``width``: numbers of a token, where it shall fit another model. ``sound``: it says that it is
    one of sound.
    """
    model = bundled_model()
    assert model is not None, "the bundled model is not installed"
    words = np.stack([_embedding(model, f"Ġ{word}".encode()) for word in COLOURS])
    seen = (np.eye(3) * 2 - 1) / np.sqrt(3 / 4)  # the colours, as the norm before leaves them
    projection = np.zeros((_HIDDEN, words.shape[1]), np.float32)
    projection[:3] = np.linalg.solve(seen, words)
    projection = projection[:, : width or words.shape[1]]
    path.write_bytes(_gguf(_pairs(projection.shape[1], sound=sound), _tensors(projection)))
    return path


def _embedding(model: Path, word: bytes) -> Tensor:
    """Return the embedding of a token: a row of the first tensor of the file, in Q8_0."""
    number = read_metadata(model).tokens.index(word)
    data = np.memmap(model, np.uint8, "r")
    name = _string("token_embd.weight")
    at = bytes(data[: 16 << 20]).index(name)
    infos, start = struct.unpack_from("<4sIQ", data, 0)[2], 0
    for index in range(infos):
        at += 8 + struct.unpack_from("<Q", data, at)[0]
        dimensions = struct.unpack_from("<I", data, at)[0]
        sizes = struct.unpack_from(f"<{dimensions}Q", data, at + 4)
        at += 4 + 8 * dimensions
        kind, offset = struct.unpack_from("<IQ", data, at)
        at += 12
        if index == 0:
            assert (kind, offset) == (_Q8_0, 0)
            row = sizes[0] // _BLOCK * _BLOCK_BYTES
    start = -(-at // _ALIGNMENT) * _ALIGNMENT + number * row
    blocks = np.array(data[start : start + row]).reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    return (blocks[:, 2:].view(np.int8) * scales).ravel()


def _pairs(width: int, *, sound: bool) -> list[bytes]:
    numbers = {
        "image_size": _SIDE, "patch_size": _PATCH, "embedding_length": _HIDDEN,
        "feed_forward_length": _HIDDEN, "projection_dim": width, "block_count": 1,
        "attention.head_count": 1, "projector.scale_factor": _POOLED,
    }  # fmt: skip
    half = struct.pack("<IQ3f", _F32, 3, 0.5, 0.5, 0.5)
    return [
        _pair("general.architecture", _STRING, _string("clip")),
        _pair("clip.projector_type", _STRING, _string("gemma3")),
        _pair("clip.has_vision_encoder", _BOOL, struct.pack("?", not sound)),
        _pair("clip.has_audio_encoder", _BOOL, struct.pack("?", sound)),
        _pair("clip.use_gelu", _BOOL, b"\1"),
        _pair("clip.vision.attention.layer_norm_epsilon", _F32, struct.pack("<f", 1e-6)),
        _pair("clip.vision.image_mean", _ARRAY, half),
        _pair("clip.vision.image_std", _ARRAY, half),
        *(_pair(f"clip.vision.{key}", _U32, struct.pack("<I", n)) for key, n in numbers.items()),
    ]


def _tensors(projection: Tensor) -> dict[str, Tensor]:
    """Return the weights: the mean colour of each patch, a block that adds nothing, the words."""
    patch = np.zeros((_HIDDEN, 3, _PATCH, _PATCH), np.float32)
    for channel in range(3):
        patch[channel, channel] = 1 / _PATCH**2
    nothing, ones = np.zeros(_HIDDEN, np.float32), np.ones(_HIDDEN, np.float32)
    tensors = {
        "v.patch_embd.weight": patch,
        "v.patch_embd.bias": nothing,
        "v.position_embd.weight": np.zeros(((_SIDE // _PATCH) ** 2, _HIDDEN), np.float32),
        "mm.input_projection.weight": projection,
        "mm.soft_emb_norm.weight": ones,
    }
    for name in ("attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"):
        tensors[f"v.blk.0.{name}.weight"] = np.zeros((_HIDDEN, _HIDDEN), np.float32)
        tensors[f"v.blk.0.{name}.bias"] = nothing
    for name in ("ln1", "ln2"):
        tensors |= {f"v.blk.0.{name}.weight": ones, f"v.blk.0.{name}.bias": nothing}
    return tensors


def _gguf(pairs: list[bytes], tensors: dict[str, Tensor]) -> bytes:
    infos, data = b"", b""
    for name, tensor in tensors.items():
        shape = struct.pack(f"<I{tensor.ndim}Q", tensor.ndim, *reversed(tensor.shape))
        infos += _string(name) + shape + struct.pack("<IQ", 0, len(data))  # 0: F32
        data += _aligned(tensor.astype("<f4").tobytes())
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(pairs)) + b"".join(pairs) + infos
    return _aligned(head) + data


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _pair(name: str, kind: int, value: bytes) -> bytes:
    return _string(name) + struct.pack("<I", kind) + value
