"""A `serve` whose three stages are all at a `live-cli stages`, both as processes, with a key."""

import json
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import numpy as np

from live_cli.audio.files.speech_files import open_speech
from tests.harness.command import live_cli
from tests.harness.serve_process import serving
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_errors

KEY = "a-key-of-sixteen-characters"


def most_sessions(address: str, key: str = "") -> str:
    """How many a server takes at a time, as an autoscaler learns it."""
    opener = build_opener(ProxyHandler({}))
    opener.addheaders = [("Authorization", f"Bearer {key}")]
    with opener.open(f"{address}/metrics") as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())
    return lines["live_cli_max_sessions"].removesuffix(".0")


def test_a_spoken_question_is_answered_by_stages_elsewhere(tmp_path: Path) -> None:
    with serving(tmp_path, {"LIVE_CLI_KEY": KEY}, verb="stages") as stages:
        base = f"openai:{stages.address}/v1"
        settings = {
            "LIVE_CLI_ENGINE_TRANSCRIBER": f"{base}#transcriber",
            "LIVE_CLI_ENGINE_CHAT": f"{base}#chat",
            "LIVE_CLI_ENGINE_SYNTHESIZER": base,
            "OPENAI_API_KEY": KEY,
        }
        with serving(tmp_path, settings | {"LIVE_CLI_SERVE_MAX_SESSIONS": "3"}) as server:
            answer = tmp_path / "answer.wav"
            options = ("--server", server.address, "--input", QUESTION, "--output", answer)
            done = live_cli("talk", *options, "--json", home=tmp_path)
            assert done.returncode == 0, done.stderr
            places = [most_sessions(stages.address, KEY), most_sessions(server.address)]
            without_key = live_cli("doctor", "--json", home=tmp_path, env=settings)
    assert places == ["16", "3"]
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
