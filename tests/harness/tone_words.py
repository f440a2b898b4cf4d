"""Words that are tones: spoken without a voice, and heard without a model, each to the number.

Word ``n`` is a tone of its own pitch. `hearing` is a transcriber behind HTTP that tells pitches
apart, and answers ``w0 w1 w2``: whoever reads two hundred of them finds each that was lost, and
each that was doubled, whatever happened on the way.
"""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import soundfile

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.http_endpoint import Answered, Asked, HttpEndpoint, http_endpoint

WORD_S, GAP_S = 0.16, 0.08
_LOWEST_HZ, _STEP_HZ = 300.0, 16.0
_WINDOW = INPUT_SAMPLE_RATE // 100


def spoken(numbers: Sequence[int]) -> Samples:
    """The words of an utterance, with short gaps between them."""
    time = np.arange(round(WORD_S * INPUT_SAMPLE_RATE)) / INPUT_SAMPLE_RATE
    gap = np.zeros(round(GAP_S * INPUT_SAMPLE_RATE))
    words = [0.3 * np.sin(2 * np.pi * _hz(number) * time) for number in numbers]
    return np.concatenate([each for word in words for each in (word, gap)]).astype(np.float32)


def heard_in(sound: Samples) -> list[int]:
    """The words in ``sound``; of one that is cut, what can still be told."""
    windows = sound[: len(sound) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    loud = np.concatenate([[False], np.sqrt(np.mean(windows**2, axis=1)) > 0.05, [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1])
    found = []
    for start, end in edges.reshape(-1, 2):
        if end - start < 3:
            continue  # less than that has no pitch
        piece = sound[start * _WINDOW : end * _WINDOW]
        # as many points as samples a second: each is a hertz
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), INPUT_SAMPLE_RATE))
        found.append(round((float(np.argmax(spectrum)) - _LOWEST_HZ) / _STEP_HZ))
    return found


def numbers_in(text: str) -> list[int]:
    """The numbers of the words in a transcript."""
    return [int(each) for each in re.findall(r"\bw(\d+)\b", text)]


@contextmanager
def hearing(on_heard: Callable[[list[int]], None] = lambda heard: None) -> Iterator[HttpEndpoint]:
    """A transcriber with OpenAI's API that hears tones as words; ``on_heard`` is told first."""

    def transcribed(asked: Asked) -> Answered:
        wav = io.BytesIO(asked.body[asked.body.index(b"RIFF") :])
        sound, _ = soundfile.read(wav, dtype="float32")
        heard = heard_in(sound)
        on_heard(heard)
        return Answered(body=json.dumps({"text": " ".join(f"w{n}" for n in heard)}).encode())

    with http_endpoint(transcribed) as endpoint:
        yield endpoint


def _hz(number: int) -> float:
    return _LOWEST_HZ + _STEP_HZ * number
