"""@google/genai for Node, unmodified, against a real `serve`, with nothing but its environment.

The programs are the Live API guide's own; what they print is judged.
"""

import re

import pytest

from live_cli.catalog import LOCAL, MODELS
from tests.harness.sdks import NODE, NODE_2_32, Serving
from tests.harness.speech import QUESTION_WORDS, word_errors
from tests.sdk.programs import NATIVE_AUDIO, javascript, part, whole

VERSIONS = (NODE, NODE_2_32)

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


async def test_connecting(scripted: Serving) -> None:
    for printed in await scripted.run_each(whole("connection.mjs"), VERSIONS):
        assert printed.startswith("Opened\n")
        assert "Session started\n" in printed
        assert "Error" not in printed


async def test_output_transcription(scripted: Serving) -> None:
    for printed in await scripted.run_each(whole("output_transcription.mjs"), VERSIONS):
        assert "".join(re.findall("output transcription: (.*)", printed)) == "Good day."


async def test_input_transcription_of_a_wav_file(spoken: Serving) -> None:
    for printed in await spoken.run_each(whole("input_transcription.mjs"), VERSIONS):
        transcript = "".join(re.findall("input transcription:(.*)", printed))
        assert word_errors(QUESTION_WORDS, transcript) == 0
        assert "Received inline data: " in printed


async def test_automatic_vad(scripted: Serving) -> None:
    for printed in await scripted.run_each(whole("automatic_vad.mjs"), VERSIONS):
        assert "".join(re.findall("Received text: (.*)", printed)) == "Good day."


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
async def test_the_answer_is_text(scripted: Serving, body: tuple[str, ...], config: str) -> None:
    for printed in await scripted.run_each(javascript(*body, RECEIVING, config=config), VERSIONS):
        assert printed == "Good day."


@pytest.mark.parametrize("section", ["voice", "thinking", "thought_summaries"])
async def test_the_answer_is_sound(scripted: Serving, section: str) -> None:
    program = javascript(
        part("text.sending.mjs"),
        MEASURING,
        config=part(f"{section}.config.mjs"),
        model=NATIVE_AUDIO,
    )
    for printed in await scripted.run_each(program, VERSIONS):
        assert int(printed) > 0.3 * 24_000 * 2


async def test_interruption(scripted: Serving) -> None:
    program = javascript(
        part("text.sending.mjs"),
        TALKING_OVER,
        part("interruption.receiving.mjs"),
        LISTENING,
        config=AUDIO,
        model=NATIVE_AUDIO,
    )
    for printed in await scripted.run_each(program, VERSIONS):
        assert printed == "interrupted\nGood day."


async def test_token_count(scripted: Serving) -> None:
    program = javascript(part("text.sending.mjs"), part("token_count.receiving.mjs"), config=TEXT)
    counted = r"Used (\d+) tokens in total\..*\n\s*\{ modality: '(\w+)', tokenCount: (\d+) \}"
    for printed in await scripted.run_each(program, VERSIONS):
        [(total, modality, count)] = re.findall(counted, printed)
        assert modality == "TEXT"
        assert 0 < int(count) < int(total)


async def test_the_models_are_listed(scripted: Serving) -> None:
    for printed in await scripted.run_each(LISTING, VERSIONS):
        *listed, tokens, described, missing = printed.splitlines()
        ids = ["local", *(model.id for model in MODELS if model is not LOCAL)]
        assert listed == [f"models/{each} bidiGenerateContent" for each in ids]
        assert described == "Gemini 3.8 Live, answered by the local engine"
        assert (tokens, missing) == ("4096", "404")
