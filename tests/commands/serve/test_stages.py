"""A `serve` whose three stages are all at a `live-cli stages`, both as processes, with a key."""

import json
from pathlib import Path

import numpy as np

from live_cli.audio.files.speech_files import open_speech
from tests.harness.command import live_cli
from tests.harness.serve_process import serving
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_errors

KEY = "a-key-of-sixteen-characters"


def test_a_spoken_question_is_answered_by_stages_elsewhere(tmp_path: Path) -> None:
    with serving(tmp_path, {"LIVE_CLI_KEY": KEY}, verb="stages") as stages:
        base = f"openai:{stages.address}/v1"
        settings = {
            "LIVE_CLI_ENGINE_TRANSCRIBER": f"{base}#transcriber",
            "LIVE_CLI_ENGINE_CHAT": f"{base}#chat",
            "LIVE_CLI_ENGINE_SYNTHESIZER": base,
            "OPENAI_API_KEY": KEY,
        }
        with serving(tmp_path, settings) as server:
            answer = tmp_path / "answer.wav"
            options = ("--server", server.address, "--input", QUESTION, "--output", answer)
            done = live_cli("talk", *options, "--json", home=tmp_path)
            assert done.returncode == 0, done.stderr
            without_key = live_cli("doctor", "--json", home=tmp_path, env=settings)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    heard = "".join(line["text"] for line in lines if line["type"] == "input_transcript")
    said = "".join(line["text"] for line in lines if line["type"] == "output_transcript")
    assert word_errors(QUESTION_WORDS, heard) <= 1
    assert said.strip()
    with open_speech(answer) as speech:
        loud = np.concatenate([np.abs(block) for block in speech])
    assert (loud > 0.05).sum() > 1000  # it was spoken
    found = {
        each["name"]: each["says"] for each in map(json.loads, without_key.stdout.splitlines())
    }
    assert "answers, with chat" in found["chat model"]
