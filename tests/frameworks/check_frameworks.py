"""Frameworks, unmodified, against a real `serve`, with nothing but the environment it prints.

Each program asks the same question twice, typed and then spoken, and prints what came. The ears
and the mouth are real, the answer is scripted. Not part of the test run: `make frameworks`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.sdks import SDKS, Sdk, Serving, serving_sdks, write_sounds
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_errors

ANSWER = "A dog has four legs."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("frameworks")
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    write_sounds(home, np.concatenate([samples, np.zeros(24_000, np.float32)]))
    with serving_sdks(home, LIVE_CLI_ENGINE_CHAT=f"scripted:{ANSWER}") as running:
        yield running


@pytest.mark.parametrize(
    ("name", "package"),
    [("pipecat", "pipecat-ai"), ("livekit", "livekit-plugins-google"), ("adk", "google-adk")],
)
async def test_a_typed_and_a_spoken_question_are_answered(
    server: Serving, name: str, package: str
) -> None:
    sdk = Sdk(package, "google-genai", SDKS / name / "bin" / "python")
    versions = (
        f"from importlib.metadata import version as v; print(v({package!r}), v('google-genai'))"
    )
    print(package, "with google-genai:", await server.run(versions, sdk))
    program = (Path(__file__).parent / f"program_{name}.py").read_text(encoding="utf-8")
    printed = await server.run(program, sdk, GOOGLE_API_KEY="any")
    print(printed)
    typed, spoken = (json.loads(line) for line in printed.splitlines() if line.startswith("{"))
    assert typed["said"] == spoken["said"] == ANSWER
    assert min(typed["audio_s"], spoken["audio_s"]) > 1.0
    assert word_errors(QUESTION_WORDS, spoken["heard"]) == 0
