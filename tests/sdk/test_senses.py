"""What is shown, how one sounds, and who is meant: both SDKs, unmodified, against a real `serve`.

Behind it stands an endpoint that decodes the colour cards it is shown.
"""

import asyncio
import base64
import io
import json
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from google.genai import types
from PIL import Image

from live_cli.catalog import find_model
from live_cli.engine.setup.config import AFFECTIVE_STYLE
from live_cli.pictures.picture import prepare
from live_cli.plan.typed_input import question_messages
from live_cli.protocol.wire import encode
from tests.harness.chat_endpoint import ChatEndpoint
from tests.harness.command import live_cli
from tests.harness.images import png
from tests.harness.sdks import (
    NODE,
    PYTHON,
    PYTHON_1_55,
    SCRIPTED,
    Serving,
    serving_sdks,
    write_sounds,
)
from tests.harness.seeing_endpoint import seeing_endpoint
from tests.harness.speech import speech_like
from tests.sdk.programs import NATIVE_AUDIO, javascript, part, python

CHATTER = "The train to Berlin was late again."
RED, BLUE = png(255, 0, 0), png(0, 0, 255)

PYTHON_TALKING = """
await session.send_realtime_input(
    audio=types.Blob(data=audio_bytes, mime_type="audio/pcm;rate=16000")
)
"""
PYTHON_ASKING = """
await session.send_client_content(turns={"role": "user", "parts": [{"text": "Which colour?"}]})
"""
PYTHON_MEASURING = """
print(len(b"".join([r.data async for r in session.receive() if r.data])))
"""
PYTHON_LISTENING = """
async for response in session.receive():
    if response.server_content and response.server_content.output_transcription:
        print(response.server_content.output_transcription.text, end="")
    if response.usage_metadata:
        for detail in response.usage_metadata.prompt_tokens_details:
            print("", detail.modality.value, detail.token_count, end="")
"""
NODE_TALKING = """
session.sendRealtimeInput({ audio: { data: base64Audio, mimeType: "audio/pcm;rate=16000" } });
"""
NODE_ASKING = 'session.sendClientContent({ turns: "Which colour?" });'
NODE_MEASURING = """
console.log((await handleTurn()).reduce((sum, turn) => sum + (turn.data ?? "").length, 0));
"""
NODE_LISTENING = """
for (const turn of await handleTurn()) {
  process.stdout.write(turn.serverContent?.outputTranscription?.text ?? "");
  for (const detail of turn.usageMetadata?.promptTokensDetails ?? []) {
    process.stdout.write(` ${detail.modality} ${detail.tokenCount}`);
  }
}
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ChatEndpoint]:
    with seeing_endpoint() as running:
        yield running


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory, endpoint: ChatEndpoint) -> Iterator[Serving]:
    """Hears CHATTER in whatever is said; its chat model is the endpoint."""
    home = tmp_path_factory.mktemp("seeing")
    write_sounds(home, np.concatenate([speech_like(1.0), np.zeros(24_000, np.float32)]))
    ears = SCRIPTED | {"LIVE_CLI_ENGINE_TRANSCRIBER": f"scripted:{CHATTER}"}
    with serving_sdks(home, **ears, LIVE_CLI_ENGINE_CHAT=f"openai:{endpoint.spec}") as running:
        yield running


@pytest.mark.parametrize("sdk", [PYTHON, PYTHON_1_55], ids=lambda sdk: sdk.name)
@pytest.mark.parametrize("field", ["video", "media"])
async def test_a_colour_card_by_python(seeing: Serving, sdk: Any, field: str) -> None:
    config = 'config = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}}'
    card = f'types.Blob(data={RED!r}, mime_type="image/png")'
    showing = f"await session.send_realtime_input({field}={card})"
    program = python(showing, PYTHON_ASKING, PYTHON_LISTENING, config=config, model=NATIVE_AUDIO)
    printed = await seeing.run(program, sdk)
    assert printed.startswith("It is red. TEXT ")
    assert printed.endswith(" VIDEO 258")


async def test_a_colour_card_by_javascript(seeing: Serving) -> None:
    config = (
        "const config = { responseModalities: [Modality.AUDIO], outputAudioTranscription: {} };"
    )
    data = base64.b64encode(BLUE).decode()
    showing = (
        f'session.sendRealtimeInput({{ video: {{ data: "{data}", mimeType: "image/png" }} }});'
    )
    program = javascript(showing, NODE_ASKING, NODE_LISTENING, config=config, model=NATIVE_AUDIO)
    printed = await seeing.run(program, NODE)
    assert printed.startswith("It is blue. TEXT ")
    assert printed.endswith(" VIDEO 258")


async def test_media_resolution_scales_an_image_in_a_turn(seeing: Serving) -> None:
    config = part("media_resolution.config.py").replace("{", "{'output_audio_transcription': {},")
    asking = f"""
await session.send_client_content(turns=types.Content(role="user", parts=[
    types.Part.from_bytes(data={BLUE!r}, mime_type="image/png"),
    types.Part(text="Which colour?"),
]))
"""
    program = python(asking, PYTHON_LISTENING, config=config, model=NATIVE_AUDIO)
    printed = await seeing.run(program)
    assert printed.startswith("It is blue. TEXT ")
    assert printed.endswith(" IMAGE 64")


PYTHON_SHOWING = {
    "gemini-3.8-live": """
    await session.send_client_content(turns=types.Content(role="user", parts=[
        types.Part.from_bytes(data=Path("sent.jpg").read_bytes(), mime_type="image/jpeg"),
        types.Part(text="Which colour?"),
    ]))
    """,
    "gemini-3.1-flash-live-preview": """
    await session.send_realtime_input(
        video=types.Blob(data=Path("sent.jpg").read_bytes(), mime_type="image/jpeg")
    )
    await session.send_realtime_input(text="Which colour?")
    """,
}


@pytest.mark.parametrize("model", PYTHON_SHOWING)
async def test_a_picture_of_ours_is_google_genais_too(
    seeing: Serving, endpoint: ChatEndpoint, model: str
) -> None:
    """The command, and the SDK with the same bytes, show a chat model the same."""
    noise = np.random.default_rng(1).integers(180, 255, (900, 1200, 3), np.uint8)
    noise[..., 1:] //= 8
    picture = prepare(jpeg_of(noise), "x")
    (seeing.home / "photo.jpg").write_bytes(jpeg_of(noise))
    (seeing.home / "sent.jpg").write_bytes(picture.data)
    config = 'config = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}}'
    program = python(
        textwrap.dedent(PYTHON_SHOWING[model]), PYTHON_LISTENING, config=config, model=model
    )
    assert (await seeing.run(program)).startswith("It is red.")
    by_sdk = endpoint.asked[-1][2]["messages"]
    asked = ("text", "--model", model, "--server", f"127.0.0.1:{seeing.port}")
    shown = ("--image", str(seeing.home / "photo.jpg"), "Which colour?")
    done = await asyncio.to_thread(live_cli, *asked, *shown, home=seeing.home)
    assert done.stdout == b"It is red.\n", done.stderr
    assert endpoint.asked[-1][2]["messages"] == by_sdk
    ours = [
        json.loads(encode(each)) for each in question_messages(find_model(model), "Hm?", [picture])
    ]
    [blob] = [
        blob for each in ours for blob in _blobs_of(types.LiveClientMessage.model_validate(each))
    ]
    assert (blob.data, blob.mime_type) == (picture.data, picture.mime_type)


def jpeg_of(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def _blobs_of(message: types.LiveClientMessage) -> list[types.Blob]:
    """The pictures in a message, as google-genai's types have it."""
    content, realtime = message.client_content, message.realtime_input
    turns = (content.turns if content else None) or []
    parts = [part.inline_data for turn in turns for part in turn.parts or []]
    return [blob for blob in [*parts, realtime.video if realtime else None] if blob]


@pytest.mark.parametrize("sdk", [PYTHON, PYTHON_1_55], ids=lambda sdk: sdk.name)
async def test_chatter_is_not_answered_by_python(seeing: Serving, sdk: Any) -> None:
    program = python(
        PYTHON_TALKING,
        PYTHON_MEASURING,
        PYTHON_ASKING,
        PYTHON_MEASURING,
        config=part("proactive.config.py"),
        model=NATIVE_AUDIO,
    )
    silent, answered = map(int, (await seeing.run(program, sdk)).split())
    assert silent == 0
    assert answered > 0.3 * 24_000 * 2


async def test_chatter_is_not_answered_by_javascript(seeing: Serving) -> None:
    program = javascript(
        NODE_TALKING,
        NODE_MEASURING,
        NODE_ASKING,
        NODE_MEASURING,
        config=part("proactive.config.mjs"),
        model=NATIVE_AUDIO,
    )
    silent, answered = map(int, (await seeing.run(program, NODE)).split())
    assert silent == 0
    assert answered > 0.3 * 24_000 * 2


async def test_affective_dialog_steers_the_prompt(seeing: Serving, endpoint: ChatEndpoint) -> None:
    python_program = python(
        PYTHON_TALKING, PYTHON_MEASURING, config=part("affective.config.py"), model=NATIVE_AUDIO
    )
    node_program = javascript(
        NODE_TALKING, NODE_MEASURING, config=part("affective.config.mjs"), model=NATIVE_AUDIO
    )
    for program, sdk in ((python_program, PYTHON), (node_program, NODE)):
        assert int(await seeing.run(program, sdk)) > 0.3 * 24_000 * 2
        system, user = endpoint.asked[-1][2]["messages"]
        assert AFFECTIVE_STYLE in system["content"]
        assert user["content"].startswith(CHATTER)
