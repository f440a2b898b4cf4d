"""`live-cli serve` with a GGUF that sees, as a real process: pictures in a turn and of a camera.

The projector knows three colours (see `colour_projector`), so that the answers are true.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from live_cli.engine.chat_models.lookup import bundled_model
from live_cli.errors import EngineError
from tests.harness.colour_projector import COLOURS, write_colour_projector
from tests.harness.command import live_cli
from tests.harness.images import WEBP, png
from tests.harness.live_client import PATH, ending, receive
from tests.harness.serve_process import Serve, serving

SCRIPTED = {
    f"LIVE_CLI_ENGINE_{stage}": "scripted" for stage in ("DETECTOR", "TRANSCRIBER", "SYNTHESIZER")
}
SETUP = {
    "model": "models/local",
    "generationConfig": {
        "responseModalities": ["TEXT"], "temperature": 0, "maxOutputTokens": 12,
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model by another name, with a projector beside it."""
    folder = tmp_path_factory.mktemp("models")
    write_colour_projector(folder / "mmproj-eyes-f16.gguf")
    (folder / "eyes-Q4_1.gguf").symlink_to(bundled_model() or "")
    return folder / "eyes-Q4_1.gguf"


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Serve]:
    settings = SCRIPTED | {"LIVE_CLI_ENGINE_CHAT": f"gguf:{model}"}
    with serving(tmp_path_factory.mktemp("home"), settings) as running:
        yield running


def blob(data: bytes, mime_type: str = "image/png") -> dict[str, str]:
    return {"data": b64encode(data).decode(), "mimeType": mime_type}


def turn(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"clientContent": {"turns": [{"role": "user", "parts": parts}], "turnComplete": True}}


async def told(server: Serve, *messages: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """The answer to ``messages`` in a session of their own, and its prompt tokens by modality."""
    async with connect(f"ws://127.0.0.1:{server.port}{PATH}", proxy=None) as client:
        await client.send(json.dumps({"setup": SETUP}))
        await receive(client)
        for message in messages:
            await client.send(json.dumps(message))
        text = ""
        while True:
            message = await receive(client)
            content = message.get("serverContent", {})
            for part in content.get("modelTurn", {}).get("parts", ()):
                text += part.get("text", "")
            if content.get("turnComplete"):
                details = message["usageMetadata"]["promptTokensDetails"]
                return text, {each["modality"]: each["tokenCount"] for each in details}


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_picture_is_seen_in_a_turn_and_from_a_camera(seeing: Serve, colour: str) -> None:
    picture, ask = blob(png(*COLOURS[colour])), {"text": "Name the colour."}
    text, tokens = await told(seeing, turn({"inlineData": picture}, ask))
    assert colour in text.lower()
    assert tokens["IMAGE"] == 64
    text, tokens = await told(seeing, {"realtimeInput": {"video": picture}}, turn(ask))
    assert colour in text.lower()
    assert tokens["VIDEO"] == 64


async def test_a_picture_that_it_cannot_decode_ends_the_session_in_words(seeing: Serve) -> None:
    async with connect(f"ws://127.0.0.1:{seeing.port}{PATH}", proxy=None) as client:
        await client.send(json.dumps({"setup": SETUP}))
        await receive(client)
        await client.send(json.dumps(turn({"inlineData": blob(WEBP, "image/webp")})))
        code, reason = await ending(client)
    assert (code, "send JPEG or PNG" in reason) == (1007, True)
    text, _ = await told(
        seeing, turn({"inlineData": blob(png(255, 0, 0))}, {"text": "Name the colour."})
    )
    assert "red" in text.lower()


def test_a_projector_of_another_model_is_refused_at_start(tmp_path: Path, model: Path) -> None:
    other = write_colour_projector(tmp_path / "other.gguf", width=512)
    done = live_cli(
        "serve",
        "--port",
        "0",
        home=tmp_path,
        env=SCRIPTED | {"LIVE_CLI_ENGINE_CHAT": f"gguf:{model}#{other}"},
    )
    assert done.returncode == EngineError.exit_code
    assert b"eyes-Q4_1.gguf does not load with other.gguf: take the projector" in done.stderr
    assert b"Traceback" not in done.stderr
