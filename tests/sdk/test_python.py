"""google-genai for Python, unmodified, against a real `serve`, with nothing but its environment.

The programs are the Live API guide's own; what they print is judged.
"""

import re
import shlex
import subprocess
import sys

import pytest
import soundfile

from live_cli.audio.pcm import float_from_pcm16
from live_cli.catalog import LOCAL, MODELS
from tests.command import LIMIT_S, environment, live_cli
from tests.sdk.conftest import ANSWER
from tests.sdk.programs import NATIVE_AUDIO, part, python, whole
from tests.sdk.serving import PYTHON, PYTHON_1_55, Sdk, Serving
from tests.speech import QUESTION_WORDS, word_errors

VERSIONS = pytest.mark.parametrize("sdk", [PYTHON, PYTHON_1_55], ids=lambda sdk: sdk.name)

TEXT = 'config = {"response_modalities": ["TEXT"]}'
AUDIO = 'config = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}}'

ASKING = 'await session.send_client_content(turns={"role": "user", "parts": [{"text": "Hello"}]})'

TALKING = """
await session.send_realtime_input(
    audio=types.Blob(data=audio_bytes, mime_type="audio/pcm;rate=16000")
)
"""

PAUSING = "await session.send_realtime_input(audio_stream_end=True)"

RECEIVING = """
async for response in session.receive():
    if response.text is not None:
        print(response.text)
"""

LISTENING = """
async for response in session.receive():
    if response.server_content and response.server_content.output_transcription:
        print(response.server_content.output_transcription.text, end="")
"""

TALKING_OVER = """
async for response in session.receive():
    if response.data:
        await session.send_realtime_input(text="Stop")
        break
"""

LISTING = """
from google import genai

client = genai.Client()
for model in client.models.list():
    print(model.name, model.supported_actions)
print(client.models.get(model="local").input_token_limit)
print(client.models.get(model="gemini-2.5-flash-native-audio-preview-12-2025").description)
try:
    client.models.get(model="gemini-1.5-pro")
except genai.errors.ClientError as error:
    print(error.code, error.status)
"""


@VERSIONS
async def test_connecting(scripted: Serving, sdk: Sdk) -> None:
    assert await scripted.run(whole("connection.py"), sdk) == "Session started\n"


@VERSIONS
async def test_output_transcription(scripted: Serving, sdk: Sdk) -> None:
    printed = await scripted.run(whole("output_transcription.py"), sdk)
    transcript = "".join(re.findall("^Transcript: (.*)$", printed, re.MULTILINE))
    assert transcript == "Good day."
    assert "mime_type='audio/pcm;rate=24000'" in printed


@VERSIONS
async def test_input_transcription(spoken: Serving, sdk: Sdk) -> None:
    printed = await spoken.run(whole("input_transcription.py"), sdk)
    transcript = "".join(re.findall("^Transcript:(.*)$", printed, re.MULTILINE))
    assert word_errors(QUESTION_WORDS, transcript) == 0


@VERSIONS
async def test_automatic_vad(scripted: Serving, sdk: Sdk) -> None:
    assert said(await scripted.run(whole("automatic_vad.py"), sdk)) == "Good day."


@pytest.mark.parametrize(
    ("body", "config"),
    [
        pytest.param((part("incremental_content.sending.py"),), TEXT, id="incremental content"),
        pytest.param((TALKING, PAUSING), TEXT, id="audioStreamEnd"),
        pytest.param((TALKING,), part("vad_settings.config.py"), id="VAD settings"),
        pytest.param(
            (part("vad_disabled.sending.py"),), part("vad_disabled.config.py"), id="VAD disabled"
        ),
    ],
)
@pytest.mark.parametrize(
    ("sdk", "version"), [(PYTHON, "v1"), (PYTHON, "v1alpha"), (PYTHON_1_55, "v1beta")]
)
async def test_the_answer_is_text(
    scripted: Serving, body: tuple[str, ...], config: str, sdk: Sdk, version: str
) -> None:
    program = python(*body, RECEIVING, config=config)
    printed = await scripted.run(program, sdk, GOOGLE_GENAI_API_VERSION=version)
    assert said(printed) == "Good day."


@VERSIONS
@pytest.mark.parametrize("section", ["voice", "thinking", "thought_summaries", "media_resolution"])
async def test_the_answer_is_sound(scripted: Serving, sdk: Sdk, section: str) -> None:
    config = part(f"{section}.config.py")
    receiving = "print(len(b''.join([r.data async for r in session.receive() if r.data])))"
    printed = await scripted.run(python(ASKING, receiving, config=config, model=NATIVE_AUDIO), sdk)
    assert int(printed) > 0.3 * 24_000 * 2


async def test_what_is_spoken_can_be_understood(spoken: Serving) -> None:
    saving = "sound = b''.join([r.data async for r in session.receive() if r.data])"
    writing = "Path('answer.pcm').write_bytes(sound)"
    await spoken.run(python(ASKING, saving, writing, config=AUDIO, model=NATIVE_AUDIO))
    sound = float_from_pcm16((spoken.home / "answer.pcm").read_bytes())
    soundfile.write(spoken.home / "answer.wav", sound, 24_000)
    server = {"LIVE_CLI_SERVER": f"http://127.0.0.1:{spoken.port}"}
    done = live_cli("transcribe", spoken.home / "answer.wav", home=spoken.home, env=server)
    assert word_errors(ANSWER, done.stdout.decode()) == 0


@VERSIONS
async def test_a_string_is_refused_by_the_sdk_itself(scripted: Serving, sdk: Sdk) -> None:
    """The guide shows it so; in Python only content, a dict or a list is taken (reference 8.3)."""
    program = python(
        "try:",
        *(f"    {line}" for line in part("text.sending.py").splitlines()),
        "except ValueError as error:",
        "    print('ValueError', error)",
        config=TEXT,
    )
    assert (await scripted.run(program, sdk)).startswith("ValueError ")


@VERSIONS
async def test_interruption(scripted: Serving, sdk: Sdk) -> None:
    program = python(
        ASKING,
        TALKING_OVER,
        part("interruption.receiving.py"),
        LISTENING,
        config=AUDIO,
        model=NATIVE_AUDIO,
    )
    assert await scripted.run(program, sdk) == "interrupted\nGood day."


@VERSIONS
async def test_token_count(scripted: Serving, sdk: Sdk) -> None:
    program = python(ASKING, part("token_count.receiving.py"), config=TEXT)
    counted = r"Used (\d+) tokens in total\. Response token breakdown:\n(.*): (\d+)\n"
    [(total, modality, count)] = re.findall(counted, await scripted.run(program, sdk))
    assert modality == "MediaModality.TEXT"
    assert 0 < int(count) < int(total)


@VERSIONS
async def test_the_models_are_listed(scripted: Serving, sdk: Sdk) -> None:
    *listed, tokens, described, missing = (await scripted.run(LISTING, sdk)).splitlines()
    ids = ["local", *(model.id for model in MODELS if model is not LOCAL)]
    assert listed == [f"models/{each} ['bidiGenerateContent']" for each in ids]
    assert described.endswith(", answered by the local engine")
    assert (tokens, missing) == ("4096", "404 NOT_FOUND")


def test_one_environment_does_for_every_program(scripted: Serving) -> None:
    """All lines of --print-env, one after the other, as a shell reads them."""
    printed = live_cli("serve", f"--port={scripted.port}", "--print-env", home=scripted.home).stdout
    program = whole("output_transcription.py")
    shell = f"{printed.decode()}\nexec {shlex.join([sys.executable, '-c', program])}"
    done = subprocess.run(
        ["sh", "-c", shell],
        capture_output=True,
        text=True,
        env=environment(scripted.home),
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Transcript: Good" in done.stdout


def test_live_cli_goes_by_its_own_line_and_through_tls(scripted: Serving) -> None:
    variables = scripted.variables("live-cli")
    assert variables == {"LIVE_CLI_SERVER": f"http://127.0.0.1:{scripted.port}"}
    for name in (variables["LIVE_CLI_SERVER"], f"https://localhost:{scripted.port}"):
        done = live_cli("text", "hello", home=scripted.home, env={"LIVE_CLI_SERVER": name})
        assert (done.returncode, done.stdout) == (0, b"Good day.\n"), done.stderr.decode()


def said(printed: str) -> str:
    return printed.replace("\n", "")
