"""Costs of the bundled models in processor time: for a second heard, a token, a second spoken.

In the place of other models, on other machines, the same figures are to be measured there: what the
number of stage servers is reckoned from.
"""

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import soundfile

from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber
from live_cli.engine.backends.tts.hibari import HibariSynthesizer
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling, VoiceTraits
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE
from tests.benchmarks.row import Row, median
from tests.harness.speech import QUESTION

ROUNDS, SMALL_ROUNDS = 3, 1
SENTENCE = "A dog has four legs, and a bird has two wings."
WORDS, SMALL_WORDS = 60, 30
REPLY_TOKENS = 32


def rows(small: bool = False) -> list[Row]:
    rounds = SMALL_ROUNDS if small else ROUNDS
    read, written = _chat(SMALL_WORDS if small else WORDS, rounds)
    return [
        Row("cpu: a second of speech transcribed", _transcriber(rounds), "s", 0.5),
        Row("cpu: a token read", 1e3 * read, "ms", 20.0),
        Row("cpu: a token written", 1e3 * written, "ms", 60.0),
        Row("cpu: a second of speech made", _synthesizer(rounds), "s", 1.0),
    ]


def _transcriber(rounds: int) -> float:
    transcriber = MoonshineTranscriber()
    sound = soundfile.read(QUESTION, dtype="float32")[0].astype(np.float32)
    spent_s = _cpu_s(lambda _: transcriber.transcribe(sound), rounds)
    return spent_s / (len(sound) / INPUT_SAMPLE_RATE)


def _synthesizer(rounds: int) -> float:
    synthesizer, samples = HibariSynthesizer(), [0]

    def speak(_: int) -> None:
        samples[0] = sum(len(each) for each in synthesizer.speak(SENTENCE, VoiceTraits()))

    return _cpu_s(speak, rounds) / (samples[0] / OUTPUT_SAMPLE_RATE)


def _chat(words: int, rounds: int) -> tuple[float, float]:
    """Seconds for each token of a prompt that nothing is cached of, and for each of a reply.

    The latter between the tokens of one reply, which has to reach its limit.
    """
    model = GgufChatModel(find_chat_model().path)
    try:
        prompt_tokens = [0]

        def prompt(number: int, most: int) -> ChatRequest:
            names = " ".join(f"name{number}{place}" for place in range(words))
            text = f"Tell me a long story of these: {names}"
            return ChatRequest((ChatMessage("user", text),), Sampling(max_tokens=most))

        def read(number: int) -> None:
            usage = model.generate(prompt(number, 1), lambda delta: False)
            prompt_tokens[0] = usage.prompt_tokens

        def written_s(number: int) -> float:
            times: list[float] = []
            usage = model.generate(
                prompt(number, REPLY_TOKENS), lambda delta: times.append(process_time())
            )
            assert usage.reply_tokens == REPLY_TOKENS
            return (times[-1] - times[-REPLY_TOKENS // 2]) / (REPLY_TOKENS // 2 - 1)

        reading_s = _cpu_s(read, rounds)
        return reading_s / prompt_tokens[0], median([written_s(rounds + n) for n in range(rounds)])
    finally:
        model.close()


def _cpu_s(act: Callable[[int], Any], rounds: int) -> float:
    """The median processor time of all threads, after one round that loads what is loaded late."""
    act(-1)
    times = []
    for number in range(rounds):
        began = process_time()
        act(number)
        times.append(process_time() - began)
    return median(times)
