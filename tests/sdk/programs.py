"""The Live API guide's own programs, and the parts that it shows in a frame like theirs.

They are in guide/, word for word but where their heads say so.
"""

import textwrap
from pathlib import Path

GUIDE = Path(__file__).parent / "guide"
NATIVE_AUDIO = "gemini-2.5-flash-native-audio-preview-12-2025"
HALF_CASCADE = "gemini-live-2.5-flash-preview"

_PYTHON = """
import asyncio
from pathlib import Path
from google import genai
from google.genai import types

client = genai.Client()
model = "{model}"
audio_bytes = Path("sample.pcm").read_bytes()
{config}
async def main():
    async with client.aio.live.connect(model=model, config=config) as session:
{body}

asyncio.run(main())
"""

_IMPORTS = "import { GoogleGenAI, Modality } from '@google/genai';"
_JAVASCRIPT = """
{imports}
import * as fs from "node:fs";
{ai}
{model}
{config}
const base64Audio = fs.readFileSync("sample.pcm").toString("base64");
const responseQueue = [];

async function waitMessage() {{
  while (responseQueue.length === 0) {{
    await new Promise((resolve) => setTimeout(resolve, 10));
  }}
  return responseQueue.shift();
}}

async function handleTurn() {{
  const turns = [];
  do {{
    turns.push(await waitMessage());
  }} while (!turns.at(-1).serverContent?.turnComplete);
  return turns;
}}

const session = await ai.live.connect({{
  model: model,
  config: config,
  callbacks: {{
    onmessage: (message) => responseQueue.push(message),
    onerror: (e) => console.error("Error:", e.message),
    onclose: (e) => console.error("Close:", e.reason),
  }},
}});
{body}
session.close();
"""


def whole(name: str) -> str:
    """The program ``name``: "connection.py", "automatic_vad.mjs"."""
    return (GUIDE / _folder(name) / name).read_text(encoding="utf-8")


def part(name: str) -> str:
    """The part ``name``: "voice.config.py", "text.sending.mjs"."""
    return (GUIDE / _folder(name) / "parts" / name).read_text(encoding="utf-8")


def python(*body: str, config: str, model: str = HALF_CASCADE) -> str:
    """Statements within a session that is open, as a program."""
    inner = textwrap.indent("\n".join(body), " " * 8)
    return _PYTHON.format(model=model, config=config, body=inner)


def javascript(*body: str, config: str, model: str = HALF_CASCADE) -> str:
    """The same in JavaScript. What ``config`` declares by itself the frame leaves to it."""
    return _JAVASCRIPT.format(
        imports=_unless(
            "import {", config, "import { GoogleGenAI, Modality } from '@google/genai'"
        ),
        ai=_unless("const ai", config, "const ai = new GoogleGenAI({});"),
        model=_unless("const model", config, f"const model = '{model}';"),
        config=config,
        body="\n".join(body),
    )


def _unless(declaration: str, text: str, line: str) -> str:
    return "" if declaration in text else line


def _folder(name: str) -> str:
    return "python" if name.endswith(".py") else "javascript"
