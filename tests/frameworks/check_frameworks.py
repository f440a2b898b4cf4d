"""Frameworks, unmodified, against a real `serve`, with nothing but the environment it prints.

Each program asks the same question twice, typed and then spoken, and prints what came: null for
what its framework does not tell. The ears and the mouth are real, the answer is scripted. Where a
framework's address is fixed in it, its program leads the connection to `serve`, as an operator's
DNS would. Not part of the test run: `make frameworks`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.sdks import SDKS, Sdk, Serving, node_sdk, serving_sdks, write_sounds
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_errors

ANSWER = "A dog has four legs."
KEY = "any"
IN_PYTHON = {
    "pipecat": "pipecat-ai",
    "livekit": "livekit-plugins-google",
    "adk": "google-adk",
    "pydantic-ai": "pydantic-ai-slim",
    "strands": "strands-agents",
    "ag2": "ag2",
    "roomkit": "roomkit",
    "litellm": "litellm",
}
IN_JAVASCRIPT = {"firebase": "firebase", "mastra": "@mastra/voice-google-gemini-live"}
ONLY_SPOKEN = ("ag2",)
"""Those that have no typed questions."""
TWO_SERVICES = ("firebase",)
"""Those that ask both questions of two services, each with a path of its own."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Asks for a key: without one it would refuse the names of other hosts."""
    home = tmp_path_factory.mktemp("frameworks")
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    write_sounds(home, np.concatenate([samples, np.zeros(24_000, np.float32)]))
    chat = f"scripted:{ANSWER}"
    with serving_sdks(home, LIVE_CLI_ENGINE_CHAT=chat, LIVE_CLI_KEY=KEY) as running:
        yield running


async def answers(server: Serving, name: str, sdk: Sdk, suffix: str) -> list[dict[str, object]]:
    """What the program of ``name`` tells of each turn."""
    program = (Path(__file__).parent / f"program_{name}{suffix}").read_text(encoding="utf-8")
    printed = await server.run(program, sdk, GOOGLE_API_KEY=KEY, GEMINI_API_KEY=KEY)
    print(printed)
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def check(turns: list[dict[str, object]], name: str) -> None:
    """Every turn was answered in full, and what was spoken was understood."""
    turns_a_service = 1 if name in ONLY_SPOKEN else 2
    assert len(turns) == turns_a_service * (2 if name in TWO_SERVICES else 1)
    for number, turn in enumerate(turns, start=1):
        assert turn["said"] in (ANSWER, None)
        assert isinstance(turn["audio_s"], float)
        assert turn["audio_s"] > 1.0
        if number % turns_a_service == 0 and turn["heard"] is not None:
            assert word_errors(QUESTION_WORDS, str(turn["heard"])) == 0


@pytest.mark.parametrize("name", IN_PYTHON)
async def test_frameworks_in_python(server: Serving, name: str) -> None:
    package, interpreter = IN_PYTHON[name], SDKS / name / "bin" / "python"
    if name == "roomkit" and not interpreter.exists():
        pytest.skip("roomkit needs Python 3.12 or newer beside this one")
    sdk = Sdk(package, "google-genai", interpreter)
    version = f"from importlib.metadata import version as v; print(v({package!r}))"
    print(package, await server.run(version, sdk))
    check(await answers(server, name, sdk, ".py"), name)


@pytest.mark.parametrize("name", IN_JAVASCRIPT)
async def test_frameworks_in_javascript(server: Serving, name: str) -> None:
    sdk = node_sdk(IN_JAVASCRIPT[name], name)
    check(await answers(server, name, sdk, ".mjs"), name)
