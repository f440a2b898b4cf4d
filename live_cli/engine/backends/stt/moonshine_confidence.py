"""Confidence of Moonshine in a text: its own model, asked for the probability of each token.

The library tells no probabilities, and its model files are ONNX's: the encoder hears the sound
again, and one run of the decoder over the whole text, with each token given the ones before it,
tells how likely it finds it. That costs a third of a transcription, which runs the decoder token by
token. Speech that the model knows is near 0, -0.3 on a telephone; another language's below -0.6.
"""

import threading
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.stages import Confidence

_BEGIN, _END = 1, 2
_FIRST_PIECE = 259
"""Below it are the marks and the 256 bytes."""
_FIRST_BYTE = 3
_SPACE = "▁"  # U+2581, as SentencePiece writes a space
_TWO_BYTE_LENGTH = 128
_HEADS, _HEAD_SIZE = 8, 36
_MOST_CHARACTERS = 600
"""In 15 s nobody says more, and to part a text takes quadratic time."""


class Pieces:
    """The model's vocabulary: SentencePiece's byte-pair encoding, as in Llama 2."""

    def __init__(self, tokenizer: bytes) -> None:
        self._ids: dict[bytes, int] = {}
        for number, piece in enumerate(_pieces_in(tokenizer)):
            if number >= _FIRST_PIECE and piece:
                self._ids[piece] = number

    def encode(self, text: str) -> list[int]:
        """Return the tokens of ``text``: of all pairs that are a piece, the commonest is joined."""
        parts: list[bytes] = []
        for character in (_SPACE + text.replace(" ", _SPACE))[:_MOST_CHARACTERS]:
            raw = character.encode(errors="replace")
            parts += [raw] if raw in self._ids else [bytes([byte]) for byte in raw]
        while len(parts) > 1:
            ranks = [self._ids.get(left + right) for left, right in pairwise(parts)]
            known = [(rank, place) for place, rank in enumerate(ranks) if rank is not None]
            if not known:
                break
            _, place = min(known)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        return [self._ids.get(part, part[0] + _FIRST_BYTE) for part in parts]


def _pieces_in(tokenizer: bytes) -> list[bytes]:
    """Return the pieces of a ``tokenizer.bin``: each its length in one byte or two, then itself."""
    pieces, at = [], 0
    while at < len(tokenizer):
        length = tokenizer[at]
        at += 1
        if length >= _TWO_BYTE_LENGTH:
            length += (tokenizer[at] - 1) * _TWO_BYTE_LENGTH
            at += 1
        pieces.append(tokenizer[at : at + length])
        at += length
    return pieces


class MoonshineConfidence:
    """Moonshine's own probabilities, from the model in ``folder``; loaded when first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def of(self, samples: Samples, text: str) -> Confidence:
        """Return how sure the model is that ``text`` was said in ``samples`` (16 kHz)."""
        with self._lock:
            tokens = self._pieces.encode(text)
            logits = self._logits(samples, tokens)
        wanted = np.asarray([*tokens, _END])
        highest = logits.max(axis=1)
        total = highest + np.log(np.exp(logits - highest[:, np.newaxis]).sum(axis=1))
        chosen = logits[np.arange(wanted.size), wanted] - total
        return Confidence(float(chosen.mean()), wanted.size)

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces((self._folder / "tokenizer.bin").read_bytes())

    @cached_property
    def _encoder(self) -> Any:
        return self._session("encoder_model.ort")

    @cached_property
    def _decoder(self) -> Any:
        return self._session("decoder_model_merged.ort")

    def _session(self, name: str) -> Any:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self._folder / name), options)

    def _logits(self, samples: Samples, tokens: list[int]) -> "np.ndarray[Any, np.dtype[Any]]":
        """Return the decoder's output, shape (tokens + 1, vocabulary)."""
        sound = samples[np.newaxis]
        mask = np.ones(sound.shape, np.int64)
        heard = self._encoder.run(None, {"input_values": sound, "attention_mask": mask})[0]
        nothing = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        inputs: dict[str, Any] = {
            each.name: nothing
            for each in self._decoder.get_inputs()
            if each.name.startswith("past_key_values")
        }
        inputs |= {
            "input_ids": np.asarray([[_BEGIN, *tokens]], np.int64),
            "encoder_hidden_states": heard,
            "encoder_attention_mask": mask,  # of the sound: the decoder thins it out itself
            "use_cache_branch": np.asarray([False]),
        }
        logits: np.ndarray[Any, np.dtype[Any]] = self._decoder.run(["logits"], inputs)[0][0]
        return logits
