"""Moonshine's model: sound in, text and its probability out, by onnxruntime.

The encoder hears all of the sound at once, the decoder writes the likeliest token after each other.
Run here it takes 0.6 of the processor time of the library in whose wheel the model's files lie, and
its words are as often right. The probability of a text that is there already takes one run of the
decoder over all of it, a third of what writing it takes. Speech that the model knows is near 0,
-0.3 on a telephone; another language's below -0.6.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.onnx_session import onnx_session
from live_cli.engine.stages import Confidence
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_BEGIN, _END = 1, 2
_FIRST_PIECE = 259
"""Below it are the marks and the 256 bytes."""
_FIRST_BYTE = 3
_SPACE = "▁"  # U+2581, as SentencePiece writes a space
_TWO_BYTE_LENGTH = 128
_MOST_CHARACTERS = 600
"""In 15 s nobody says more, and to part a text takes quadratic time."""
_LEAST_LIKELY = 0.01
_TOKENS_A_SECOND = 6.5
"""No more are written, as by the library: nobody speaks faster, and who repeats has to end."""


class Pieces:
    """The model's vocabulary: SentencePiece's byte-pair encoding, as in Llama 2."""

    def __init__(self, tokenizer: bytes) -> None:
        self._pieces = _pieces_in(tokenizer)
        self._ids = {
            piece: number
            for number, piece in enumerate(self._pieces)
            if number >= _FIRST_PIECE and piece
        }

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of ``tokens``, of which marks have none."""
        raw = b"".join(
            self._pieces[token] if token >= _FIRST_PIECE else bytes([token - _FIRST_BYTE])
            for token in tokens
            if _FIRST_BYTE <= token < len(self._pieces)
        )
        return raw.decode(errors="ignore").replace(_SPACE, " ").strip()

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


class MoonshineModel:
    """The model whose three files lie in ``folder``, on one thread.

    Raises whatever onnxruntime raises where they do not load. May be used by several threads.
    """

    def __init__(self, folder: Path) -> None:
        self.pieces = Pieces((folder / "tokenizer.bin").read_bytes())
        self._encoder = onnx_session(folder / "encoder_model.ort")
        self._decoder = onnx_session(folder / "decoder_model_merged.ort")
        self._nothing = {
            each.name: np.zeros((1, each.shape[1], 0, each.shape[3]), np.float32)
            for each in self._decoder.get_inputs()
            if each.name.startswith("past_key_values")
        }
        names = [each.name for each in self._decoder.get_outputs()]
        self._outputs = ["logits", *(name for name in names if name.startswith("present"))]
        self._new_outputs = [name for name in self._outputs if ".encoder." not in name]

    def transcribe(self, samples: Samples) -> tuple[str, Confidence]:
        """Return what is said in ``samples`` (16 kHz), "" for nothing, and how sure that is."""
        heard, most = self._heard(samples), _most_tokens(samples)
        logits, known = self._run(heard, [_BEGIN], None)
        first_words = self._likely_words(logits[-1])
        tokens: list[int] = []
        likely: list[float] = []
        while True:
            token = int(logits[-1].argmax()) if len(tokens) < most else _END
            likely.append(float(_log_probabilities(logits[-1:], [token])[0]))
            if token == _END:
                break
            tokens.append(token)
            logits, known = self._run(heard, [token], known)
        confidence = Confidence(sum(likely) / len(likely), len(likely), first_words)
        return self.pieces.decode(tokens), confidence

    def confidence(self, samples: Samples, text: str) -> Confidence:
        """Return how sure the model is that ``text`` was said in ``samples`` (16 kHz)."""
        tokens = self.pieces.encode(text)
        logits, _ = self._run(self._heard(samples), [_BEGIN, *tokens], None)
        likely = _log_probabilities(logits, [*tokens, _END])
        return Confidence(float(likely.mean()), likely.size, self._likely_words(logits[0]))

    def _likely_words(self, logits: Any) -> tuple[tuple[str, float], ...]:
        """Return what may come next by ``logits``, words or beginnings, with their probability."""
        likely = np.exp(logits - logits.max())
        likely /= likely.sum()
        tokens = np.flatnonzero(likely >= _LEAST_LIKELY).tolist()
        return tuple((self.pieces.decode([token]), float(likely[token])) for token in tokens)

    def _heard(self, samples: Samples) -> dict[str, Any]:
        """Let the encoder hear ``samples``; return what each run of the decoder is given of it."""
        sound = samples[np.newaxis]
        mask = np.ones(sound.shape, np.int64)
        heard = self._encoder.run(None, {"input_values": sound, "attention_mask": mask})[0]
        # the mask is that of the sound: the decoder thins it out itself
        return {"encoder_hidden_states": heard, "encoder_attention_mask": mask}

    def _run(
        self, heard: dict[str, Any], tokens: list[int], known: dict[str, Any] | None
    ) -> tuple[Any, dict[str, Any]]:
        """Let the decoder read ``tokens`` after those that it has ``known``; None: the first ones.

        Returns the logits of what follows each of them, and what is known afterwards.
        """
        inputs = heard | (self._nothing if known is None else known)
        inputs["input_ids"] = np.asarray([tokens], np.int64)
        inputs["use_cache_branch"] = np.asarray([known is not None])
        outputs = self._outputs if known is None else self._new_outputs  # the sound stays the same
        logits, *keys = self._decoder.run(outputs, inputs)
        names = (name.replace("present", "past_key_values") for name in outputs[1:])
        return logits[0], (known or {}) | dict(zip(names, keys, strict=True))


def _most_tokens(samples: Samples) -> int:
    return math.ceil(len(samples) / INPUT_SAMPLE_RATE * _TOKENS_A_SECOND)


def _log_probabilities(logits: Any, tokens: list[int]) -> "np.ndarray[Any, np.dtype[Any]]":
    """Return the logarithm of the probability of each of ``tokens`` by its row of ``logits``."""
    highest = logits.max(axis=1)
    total = highest + np.log(np.exp(logits - highest[:, np.newaxis]).sum(axis=1))
    chosen: np.ndarray[Any, np.dtype[Any]] = logits[np.arange(len(tokens)), tokens] - total
    return chosen
