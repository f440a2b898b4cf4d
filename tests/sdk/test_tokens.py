"""Ephemeral tokens, made, shown and spent by the SDKs' own programs."""

import pytest

from tests.harness.sdks import NODE, NODE_2_32, PYTHON, PYTHON_1_55, Sdk, Serving

PYTHON_PROGRAM = """
import asyncio, datetime, os
from google import genai
from websockets.exceptions import ConnectionClosed

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
    except (genai.errors.APIError, ConnectionClosed) as error:  # 1.55 lets the latter through
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

JAVASCRIPT_PROGRAM = """
import { GoogleGenAI, Modality } from '@google/genai';

const httpOptions = { apiVersion: 'v1alpha' };
const client = new GoogleGenAI({ httpOptions });
const model = 'gemini-live-2.5-flash-preview';

async function create(config) {
  return (await client.authTokens.create({ config: { uses: 1, ...config } })).name;
}

function say(name, config) {
  const ai = new GoogleGenAI({ apiKey: name, httpOptions });
  const kinds = new Set();
  return new Promise((resolve) => {
    const callbacks = {
      onmessage: ({ serverContent }) => {
        for (const part of serverContent?.modelTurn?.parts ?? []) {
          kinds.add(part.text ? 'text' : 'audio');
        }
        if (serverContent?.turnComplete) resolve([...kinds].join(' '));
      },
      onclose: (e) => resolve(`${e.code} ${e.reason}`),
    };
    ai.live.connect({ model, config, callbacks })
      .then((session) => session.sendClientContent({ turns: 'Hello' }), () => {});
  }).then((outcome) => console.log(outcome));
}

const text = { responseModalities: [Modality.TEXT] };
const audio = { responseModalities: [Modality.AUDIO] };
const plain = await create({ expireTime: new Date(Date.now() + 1_800_000).toISOString() });
await say(plain, text);
await say(plain, text);
const constraints = { model, config: { temperature: 0.7, responseModalities: [Modality.TEXT] } };
await say(await create({ liveConnectConstraints: constraints }), audio);
const masked = await create({ liveConnectConstraints: constraints, lockAdditionalFields: [] });
await say(masked, { ...audio, temperature: 2 });
const free = { model, config: { temperature: 0.7 } };
await say(await create({ liveConnectConstraints: free, lockAdditionalFields: ['topK'] }), audio);
await create({ expireTime: new Date(Date.now() - 60_000).toISOString() })
  .catch((error) => console.log(error.status, JSON.parse(error.message).error.status));
process.exit();
"""


@pytest.mark.parametrize(
    ("program", "sdk"),
    [
        pytest.param(PYTHON_PROGRAM, PYTHON, id=PYTHON.name),
        pytest.param(PYTHON_PROGRAM, PYTHON_1_55, id=PYTHON_1_55.name),
        pytest.param(JAVASCRIPT_PROGRAM, NODE, id=NODE.name),
        pytest.param(JAVASCRIPT_PROGRAM, NODE_2_32, id=NODE_2_32.name),
    ],
)
async def test_ephemeral_tokens_are_made_shown_and_spent(
    scripted: Serving, program: str, sdk: Sdk
) -> None:
    first, spent, *rest = (await scripted.run(program, sdk)).splitlines()
    assert [first, *rest] == ["text", "text", "text", "audio", "400 INVALID_ARGUMENT"]
    assert "1008 " in spent
    assert "This ephemeral token has no uses left: create a new one." in spent
