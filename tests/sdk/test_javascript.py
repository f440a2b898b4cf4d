"""@google/genai for Node, unmodified, against a real `serve`, with nothing but its environment.

The programs are the Live API guide's own; what they print is judged.
"""

import re

import pytest

from live_cli.catalog import LOCAL, MODELS
from tests.sdk.programs import NATIVE_AUDIO, javascript, part, whole
from tests.sdk.serving import NODE, NODE_2_32, Sdk, Serving
from tests.speech import QUESTION_WORDS, word_errors

VERSIONS = pytest.mark.parametrize("sdk", [NODE, NODE_2_32], ids=lambda sdk: sdk.name)

TEXT = "const config = { responseModalities: [Modality.TEXT] };"
AUDIO = "const config = { responseModalities: [Modality.AUDIO], outputAudioTranscription: {} };"

TALKING = """
session.sendRealtimeInput({ audio: { data: base64Audio, mimeType: "audio/pcm;rate=16000" } });
"""
PAUSING = "session.sendRealtimeInput({ audioStreamEnd: true });"

RECEIVING = """
for (const turn of await handleTurn()) {
  process.stdout.write(turn.text ?? "");
}
"""

LISTENING = """
for (const turn of await handleTurn()) {
  process.stdout.write(turn.serverContent?.outputTranscription?.text ?? "");
}
"""

MEASURING = """
const sound = (await handleTurn()).map((turn) => Buffer.from(turn.data ?? "", "base64"));
console.log(Buffer.concat(sound).length);
"""

TALKING_OVER = """
while (!(await waitMessage()).data);
session.sendRealtimeInput({ text: "Stop" });
"""

LISTING = """
import { GoogleGenAI } from '@google/genai';

const ai = new GoogleGenAI({});
for await (const model of await ai.models.list()) {
  console.log(model.name, model.supportedActions.join());
}
console.log((await ai.models.get({ model: "local" })).inputTokenLimit);
console.log((await ai.models.get({ model: "gemini-3.8-live" })).description);
await ai.models.get({ model: "gemini-1.5-pro" }).catch((e) => console.log(e.status));
"""


@VERSIONS
async def test_connecting(scripted: Serving, sdk: Sdk) -> None:
    printed = await scripted.run(whole("connection.mjs"), sdk)
    assert printed.startswith("Opened\n")
    assert "Session started\n" in printed
    assert "Error" not in printed


@VERSIONS
async def test_output_transcription(scripted: Serving, sdk: Sdk) -> None:
    printed = await scripted.run(whole("output_transcription.mjs"), sdk)
    assert "".join(re.findall("output transcription: (.*)", printed)) == "Good day."


@VERSIONS
async def test_input_transcription_of_a_wav_file(spoken: Serving, sdk: Sdk) -> None:
    printed = await spoken.run(whole("input_transcription.mjs"), sdk)
    transcript = "".join(re.findall("input transcription:(.*)", printed))
    assert word_errors(QUESTION_WORDS, transcript) == 0
    assert "Received inline data: " in printed


@VERSIONS
async def test_automatic_vad(scripted: Serving, sdk: Sdk) -> None:
    printed = await scripted.run(whole("automatic_vad.mjs"), sdk)
    assert "".join(re.findall("Received text: (.*)", printed)) == "Good day."


@VERSIONS
@pytest.mark.parametrize(
    ("body", "config"),
    [
        pytest.param((part("text.sending.mjs"),), TEXT, id="text"),
        pytest.param((part("incremental_content.sending.mjs"),), TEXT, id="incremental content"),
        pytest.param((TALKING, PAUSING), TEXT, id="audioStreamEnd"),
        pytest.param((TALKING,), part("vad_settings.config.mjs"), id="VAD settings"),
        pytest.param(
            (part("vad_disabled.sending.mjs"),), part("vad_disabled.config.mjs"), id="VAD disabled"
        ),
        pytest.param(
            (part("text.sending.mjs"),), part("media_resolution.config.mjs"), id="media resolution"
        ),
    ],
)
async def test_the_answer_is_text(
    scripted: Serving, body: tuple[str, ...], config: str, sdk: Sdk
) -> None:
    printed = await scripted.run(javascript(*body, RECEIVING, config=config), sdk)
    assert printed == "Good day."


@VERSIONS
@pytest.mark.parametrize("section", ["voice", "thinking", "thought_summaries"])
async def test_the_answer_is_sound(scripted: Serving, sdk: Sdk, section: str) -> None:
    program = javascript(
        part("text.sending.mjs"),
        MEASURING,
        config=part(f"{section}.config.mjs"),
        model=NATIVE_AUDIO,
    )
    assert int(await scripted.run(program, sdk)) > 0.3 * 24_000 * 2


@VERSIONS
async def test_interruption(scripted: Serving, sdk: Sdk) -> None:
    program = javascript(
        part("text.sending.mjs"),
        TALKING_OVER,
        part("interruption.receiving.mjs"),
        LISTENING,
        config=AUDIO,
        model=NATIVE_AUDIO,
    )
    assert await scripted.run(program, sdk) == "interrupted\nGood day."


@VERSIONS
async def test_token_count(scripted: Serving, sdk: Sdk) -> None:
    program = javascript(part("text.sending.mjs"), part("token_count.receiving.mjs"), config=TEXT)
    counted = r"Used (\d+) tokens in total\..*\n\s*\{ modality: '(\w+)', tokenCount: (\d+) \}"
    [(total, modality, count)] = re.findall(counted, await scripted.run(program, sdk))
    assert modality == "TEXT"
    assert 0 < int(count) < int(total)


@VERSIONS
async def test_the_models_are_listed(scripted: Serving, sdk: Sdk) -> None:
    *listed, tokens, described, missing = (await scripted.run(LISTING, sdk)).splitlines()
    ids = ["local", *(model.id for model in MODELS if model is not LOCAL)]
    assert listed == [f"models/{each} bidiGenerateContent" for each in ids]
    assert described == "Gemini 3.8 Live, answered by the local engine"
    assert (tokens, missing) == ("4096", "404")
