"""google-genai for Python, unmodified, against a real `serve`, with nothing but its environment.

The programs are the Live API guide's own; what they print is judged.
"""

import asyncio
import re
import shlex
import subprocess
import sys

import pytest
import soundfile

from live_cli.audio.pcm import float_from_pcm16
from live_cli.catalog import LOCAL, MODELS
from tests.harness.command import LIMIT_S, environment, live_cli
from tests.harness.sdks import PYTHON, PYTHON_1_55, Serving
from tests.harness.speech import QUESTION_WORDS, word_errors
from tests.sdk.conftest import ANSWER
from tests.sdk.programs import NATIVE_AUDIO, part, python, whole

VERSIONS = (PYTHON, PYTHON_1_55)

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


REFUSED = """
import asyncio
from google import genai

async def main():
    options = {"api_version": "v1alpha"}
    client = genai.Client(api_key="auth_tokens/of-another-day", http_options=options)
    for attempt in range(5):
        try:
            async with client.aio.live.connect(model="local"):
                print("connected")
        except genai.errors.APIError as error:
            print(error.code)

asyncio.run(main())
"""


async def test_who_is_refused_at_the_door_gets_the_sdks_own_error(scripted: Serving) -> None:
    """The newest's: 1.55 leaves every close before the session to its WebSocket library."""
    [printed] = await scripted.run_each(REFUSED, (PYTHON,))
    assert printed == "1008\n" * 5


async def test_connecting(scripted: Serving) -> None:
    for printed in await scripted.run_each(whole("connection.py"), VERSIONS):
        assert printed == "Session started\n"


async def test_output_transcription(scripted: Serving) -> None:
    for printed in await scripted.run_each(whole("output_transcription.py"), VERSIONS):
        transcript = "".join(re.findall("^Transcript: (.*)$", printed, re.MULTILINE))
        assert transcript == "Good day."
        assert "mime_type='audio/pcm;rate=24000'" in printed


async def test_input_transcription(spoken: Serving) -> None:
    for printed in await spoken.run_each(whole("input_transcription.py"), VERSIONS):
        transcript = "".join(re.findall("^Transcript:(.*)$", printed, re.MULTILINE))
        assert word_errors(QUESTION_WORDS, transcript) == 0


async def test_automatic_vad(scripted: Serving) -> None:
    for printed in await scripted.run_each(whole("automatic_vad.py"), VERSIONS):
        assert said(printed) == "Good day."


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
async def test_the_answer_is_text(scripted: Serving, body: tuple[str, ...], config: str) -> None:
    program = python(*body, RECEIVING, config=config)
    for printed in await asyncio.gather(
        scripted.run(program, PYTHON),
        scripted.run(program, PYTHON, GOOGLE_GENAI_API_VERSION="v1alpha"),
        scripted.run(program, PYTHON_1_55),
    ):
        assert said(printed) == "Good day."


@pytest.mark.parametrize("section", ["voice", "thinking", "thought_summaries", "media_resolution"])
async def test_the_answer_is_sound(scripted: Serving, section: str) -> None:
    config = part(f"{section}.config.py")
    receiving = "print(len(b''.join([r.data async for r in session.receive() if r.data])))"
    program = python(ASKING, receiving, config=config, model=NATIVE_AUDIO)
    for printed in await scripted.run_each(program, VERSIONS):
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


async def test_a_string_is_refused_by_the_sdk_itself(scripted: Serving) -> None:
    """The guide shows it so; in Python only content, a dict or a list is taken (reference 8.3)."""
    program = python(
        "try:",
        *(f"    {line}" for line in part("text.sending.py").splitlines()),
        "except ValueError as error:",
        "    print('ValueError', error)",
        config=TEXT,
    )
    for printed in await scripted.run_each(program, VERSIONS):
        assert printed.startswith("ValueError ")


async def test_interruption(scripted: Serving) -> None:
    program = python(
        ASKING,
        TALKING_OVER,
        part("interruption.receiving.py"),
        LISTENING,
        config=AUDIO,
        model=NATIVE_AUDIO,
    )
    for printed in await scripted.run_each(program, VERSIONS):
        assert printed == "interrupted\nGood day."


async def test_token_count(scripted: Serving) -> None:
    program = python(ASKING, part("token_count.receiving.py"), config=TEXT)
    counted = r"Used (\d+) tokens in total\. Response token breakdown:\n(.*): (\d+)\n"
    for printed in await scripted.run_each(program, VERSIONS):
        [(total, modality, count)] = re.findall(counted, printed)
        assert modality == "MediaModality.TEXT"
        assert 0 < int(count) < int(total)


async def test_the_models_are_listed(scripted: Serving) -> None:
    for printed in await scripted.run_each(LISTING, VERSIONS):
        *listed, tokens, described, missing = printed.splitlines()
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
