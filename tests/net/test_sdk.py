"""google-genai for Python, unmodified, against a real `serve`, with nothing but its environment.

The programs are the Live API guide's own (Apache-2.0), whole or, where the guide shows a part, in
the frame that its other programs have. What they print is judged; the server's words are scripted.
"""

import asyncio
import contextlib
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.scripted import speech_like
from tests.command import LIMIT_S, environment, live_cli

SCRIPTED = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted",
    "LIVE_CLI_ENGINE_CHAT": "scripted:Good day.",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
}

CONNECTING = """
import asyncio
from google import genai

client = genai.Client()

model = "gemini-2.5-flash-native-audio-preview-12-2025"
config = {"response_modalities": ["AUDIO"]}

async def main():
    async with client.aio.live.connect(model=model, config=config) as session:
        print("Session started")
        # Send content...

if __name__ == "__main__":
    asyncio.run(main())
"""

OUTPUT_TRANSCRIPTION = """
import asyncio
from google import genai
from google.genai import types

client = genai.Client()
model = "gemini-2.5-flash-native-audio-preview-12-2025"

config = {
    "response_modalities": ["AUDIO"],
    "output_audio_transcription": {}
}

async def main():
    async with client.aio.live.connect(model=model, config=config) as session:
        message = "Hello? Gemini are you there?"

        await session.send_client_content(
            turns={"role": "user", "parts": [{"text": message}]}, turn_complete=True
        )

        async for response in session.receive():
            if response.server_content.model_turn:
                print("Model turn:", response.server_content.model_turn)
            if response.server_content.output_transcription:
                print("Transcript:", response.server_content.output_transcription.text)

if __name__ == "__main__":
    asyncio.run(main())
"""

INPUT_TRANSCRIPTION = """
import asyncio
from pathlib import Path
from google import genai
from google.genai import types

client = genai.Client()
model = "gemini-2.5-flash-native-audio-preview-12-2025"

config = {
    "response_modalities": ["AUDIO"],
    "input_audio_transcription": {},
}

async def main():
    async with client.aio.live.connect(model=model, config=config) as session:
        audio_data = Path("16000.pcm").read_bytes()

        await session.send_realtime_input(
            audio=types.Blob(data=audio_data, mime_type='audio/pcm;rate=16000')
        )

        async for msg in session.receive():
            if msg.server_content.input_transcription:
                print('Transcript:', msg.server_content.input_transcription.text)

if __name__ == "__main__":
    asyncio.run(main())
"""

AUTOMATIC_VAD = """
import asyncio
from pathlib import Path
from google import genai
from google.genai import types

client = genai.Client()
model = "gemini-live-2.5-flash-preview"

config = {"response_modalities": ["TEXT"]}

async def main():
    async with client.aio.live.connect(model=model, config=config) as session:
        audio_bytes = Path("sample.pcm").read_bytes()

        await session.send_realtime_input(
            audio=types.Blob(data=audio_bytes, mime_type="audio/pcm;rate=16000")
        )

        # if stream gets paused, send:
        # await session.send_realtime_input(audio_stream_end=True)

        async for response in session.receive():
            if response.text is not None:
                print(response.text)

if __name__ == "__main__":
    asyncio.run(main())
"""

FRAME = """
import asyncio
from pathlib import Path
from google import genai
from google.genai import types

client = genai.Client()
model = "gemini-live-2.5-flash-preview"
{config}
audio_bytes = Path("sample.pcm").read_bytes()

async def main():
    async with client.aio.live.connect(model=model, config=config) as session:
{body}

asyncio.run(main())
"""
TEXT = 'config = {"response_modalities": ["TEXT"]}'

MANUAL_CONFIG = """
config = {
    "response_modalities": ["TEXT"],
    "realtime_input_config": {"automatic_activity_detection": {"disabled": True}},
}
"""

MANUAL_VAD = """
await session.send_realtime_input(activity_start=types.ActivityStart())
await session.send_realtime_input(
    audio=types.Blob(data=audio_bytes, mime_type="audio/pcm;rate=16000")
)
await session.send_realtime_input(activity_end=types.ActivityEnd())
"""

INCREMENTAL_CONTENT = """
turns = [
    {"role": "user", "parts": [{"text": "What is the capital of France?"}]},
    {"role": "model", "parts": [{"text": "Paris"}]},
]

await session.send_client_content(turns=turns, turn_complete=False)

turns = [{"role": "user", "parts": [{"text": "What is the capital of Germany?"}]}]

await session.send_client_content(turns=turns, turn_complete=True)
"""

RECEIVING = """
async for response in session.receive():
    if response.text is not None:
        print(response.text)
"""

TOKEN_COUNT = """
async for message in session.receive():
    # The server will periodically send messages that include UsageMetadata.
    if message.usage_metadata:
        usage = message.usage_metadata
        print(
            f"Used {usage.total_token_count} tokens in total. Response token breakdown:"
        )
        for detail in usage.response_tokens_details:
            match detail:
                case types.ModalityTokenCount(modality=modality, token_count=count):
                    print(f"{modality}: {count}")
"""

LISTING = """
from google import genai

client = genai.Client()
for model in client.models.list():
    print(model.name, model.supported_actions, model.input_token_limit)
print(client.models.get(model="local").name)
try:
    client.models.get(model="gemini-1.5-pro")
except genai.errors.ClientError as error:
    print(error.code, error.status)
"""


def framed(*parts: str, config: str = TEXT) -> str:
    body = textwrap.indent("\n".join(part.strip("\n") for part in parts), " " * 8)
    return FRAME.format(config=config, body=body)


@dataclass
class Serving:
    """A running `serve`, what it printed, and a person's folder with the guide's sound files."""

    home: Path
    port: int
    said: str

    def variables(self, heading: str) -> dict[str, str]:
        """The lines printed below the comment that begins with ``heading``."""
        found: dict[str, str] = {}
        wanted = False
        for line in map(str.strip, self.said.splitlines()):
            if line.startswith("#"):
                wanted = line.startswith(f"# {heading}") or (wanted and "trusts:" in line)
            elif wanted and line.startswith("export "):
                [assignment] = shlex.split(line.removeprefix("export "))
                name, _, value = assignment.partition("=")
                found[name] = value
        return found

    async def run(self, program: str, **more: str) -> str:
        """What ``program`` prints, run with the environment that `serve` prints for Python."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home,
            env=environment(self.home, **{**self.variables("google-genai"), **more}),
        )
        async with asyncio.timeout(LIMIT_S):
            out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return out.decode()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("home")
    silence = np.zeros(24_000, np.float32)
    sound = pcm16_from_float(np.concatenate([speech_like(1.0), silence]))
    for name in ("16000.pcm", "sample.pcm"):
        (home / name).write_bytes(sound)
    process = subprocess.Popen(
        [sys.executable, "-m", "live_cli", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        env=environment(home, **SCRIPTED),
        text=True,
    )
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:
            said += line
            if line == "Ready.\n":
                break
        [port] = re.findall(r"Serving .*:(\d+)\.", said)
        yield Serving(home, int(port), said)
        process.terminate()
        rest = process.communicate(timeout=LIMIT_S)[0]
        assert "Traceback" not in said + (rest or "")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


async def test_the_guides_first_program_connects(serving: Serving) -> None:
    assert await serving.run(CONNECTING) == "Session started\n"


async def test_a_text_turn_is_answered_with_sound_and_its_transcript(serving: Serving) -> None:
    printed = await serving.run(OUTPUT_TRANSCRIPTION)
    transcript = "".join(re.findall("^Transcript: (.*)$", printed, re.MULTILINE))
    assert transcript == "Good day."
    assert "mime_type='audio/pcm;rate=24000'" in printed


async def test_spoken_input_is_transcribed(serving: Serving) -> None:
    assert await serving.run(INPUT_TRANSCRIPTION) == "Transcript: Hello.\n"


@pytest.mark.parametrize(
    "program",
    [
        AUTOMATIC_VAD,
        framed(MANUAL_VAD, RECEIVING, config=MANUAL_CONFIG),
        framed(INCREMENTAL_CONTENT, RECEIVING),
    ],
    ids=["automatic VAD", "VAD disabled", "incremental content"],
)
@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_the_answer_is_text(serving: Serving, program: str, version: str) -> None:
    printed = await serving.run(program, GOOGLE_GENAI_API_VERSION=version)
    assert printed.replace("\n", "") == "Good day."


async def test_tokens_are_counted(serving: Serving) -> None:
    printed = await serving.run(framed(INCREMENTAL_CONTENT, TOKEN_COUNT))
    counted = r"Used (\d+) tokens in total\. Response token breakdown:\n(.*): (\d+)\n"
    [(total, modality, count)] = re.findall(counted, printed)
    assert modality == "MediaModality.TEXT"
    assert 0 < int(count) < int(total)


async def test_the_models_are_listed(serving: Serving) -> None:
    assert await serving.run(LISTING) == (
        "models/local ['bidiGenerateContent'] 4096\nmodels/local\n404 NOT_FOUND\n"
    )


def test_one_environment_does_for_every_program(serving: Serving) -> None:
    """All lines of --print-env, one after the other, as a shell reads them."""
    printed = live_cli("serve", f"--port={serving.port}", "--print-env", home=serving.home).stdout
    shell = f"{printed.decode()}\nexec {shlex.join([sys.executable, '-c', OUTPUT_TRANSCRIPTION])}"
    done = subprocess.run(
        ["sh", "-c", shell],
        capture_output=True,
        text=True,
        env=environment(serving.home),
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Transcript: Good" in done.stdout


def test_live_cli_goes_by_its_own_line_and_through_tls(serving: Serving) -> None:
    variables = serving.variables("live-cli")
    assert variables == {"LIVE_CLI_SERVER": f"http://127.0.0.1:{serving.port}"}
    for name in (variables["LIVE_CLI_SERVER"], f"https://localhost:{serving.port}"):
        done = live_cli("text", "hello", home=serving.home, env={"LIVE_CLI_SERVER": name})
        assert (done.returncode, done.stdout) == (0, b"Good day.\n"), done.stderr.decode()


TOKENS = """
import asyncio, datetime, os
from google import genai
from google.genai import types

client = genai.Client(http_options={"api_version": "v1alpha"})
now = datetime.datetime.now(tz=datetime.timezone.utc)

def create(**config):
    return client.auth_tokens.create(config={"uses": 1, **config}).name

async def say(name, config):
    user = genai.Client(api_key=name, http_options={"api_version": "v1alpha"})
    try:
        async with user.aio.live.connect(model="gemini-live-2.5-flash-preview", config=config) as s:
            await s.send_client_content(turns={"role": "user", "parts": [{"text": "Hello"}]})
            kinds = set()
            async for message in s.receive():
                content = message.server_content
                for part in (content.model_turn.parts if content and content.model_turn else ()):
                    kinds.add("text" if part.text else "audio")
            print(*sorted(kinds))
    except genai.errors.APIError as error:
        print(error)

async def main():
    text, audio = {"response_modalities": ["TEXT"]}, {"response_modalities": ["AUDIO"]}
    plain = create(expire_time=now + datetime.timedelta(minutes=30))
    await say(plain, text)
    await say(plain, text)
    model = "gemini-live-2.5-flash-preview"
    constraints = {"model": model, "config": {"temperature": 0.7, "response_modalities": ["TEXT"]}}
    await say(create(live_connect_constraints=constraints), audio)
    masked = create(live_connect_constraints=constraints, lock_additional_fields=[])
    await say(masked, {**audio, "temperature": 2})
    free = {"model": model, "config": {"temperature": 0.7}}
    await say(create(live_connect_constraints=free, lock_additional_fields=["top_k"]), audio)
    try:
        create(expire_time=now - datetime.timedelta(minutes=1))
    except genai.errors.ClientError as error:
        print(error.code, error.status)

asyncio.run(main())
"""


async def test_ephemeral_tokens_are_made_shown_and_spent(serving: Serving) -> None:
    first, spent, *rest = (await serving.run(TOKENS)).splitlines()
    assert [first, *rest] == ["text", "text", "text", "audio", "400 INVALID_ARGUMENT"]
    assert spent.startswith("1008 ")
    assert "This ephemeral token has no uses left: create a new one." in spent
