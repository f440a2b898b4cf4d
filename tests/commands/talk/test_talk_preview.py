"""What a person sees of the images of a talk, on the screen of the real command."""

import asyncio
import wave
from pathlib import Path

import pytest
from PIL import Image

from tests.harness.live_server import running_server
from tests.harness.scripted_engine import ScriptedEngine
from tests.harness.terminal_command import CommandOnTerminal, on_terminal

COLOURS = {"COLORTERM": "truecolor"}
BLOCKS, KITTY = "▀▀▀▀▀▀", "\U0010eeee"


async def shows(talk: CommandOnTerminal, *wanted: str, gone: str = "\0") -> None:
    await asyncio.to_thread(talk.until, *wanted, gone=gone)


def files(folder: Path) -> tuple[str | Path, ...]:
    """Silence in place of a microphone, a file of a speaker, two pictures of a camera."""
    with wave.open(str(folder / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * 120))
    camera = folder / "camera"
    camera.mkdir()
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (640, 360), colour).save(camera / f"{number}.png")
    sound = ("--input", folder / "silence.wav", "--output", folder / "answer.wav")
    return (*sound, "--camera", camera)


async def test_what_leaves_is_seen_until_the_key_stops_it(tmp_path: Path) -> None:
    async with running_server(ScriptedEngine(echoes_sound=False)) as server:
        args = ("talk", "--server", f"ws://127.0.0.1:{server.port}", *files(tmp_path))
        with on_terminal(tmp_path, *args, columns=100, rows=30, env=COLOURS) as talk:
            await shows(talk, BLOCKS, "● camera", "2 images sent (516 tokens)", "v stop camera")
            talk.press("m")
            await shows(talk, "MUTED", "muting does not", BLOCKS)
            talk.resize(50, 30)
            await shows(talk, "MUTED", "● camera", gone=BLOCKS)
            talk.resize(100, 30)
            await shows(talk, BLOCKS)
            talk.press("v")
            await shows(talk, "v show images", gone=BLOCKS)
            talk.press("v")
            await shows(talk, BLOCKS, "v stop camera")
            talk.press("q")
            assert await asyncio.to_thread(talk.ended) == 0
            assert not any(BLOCKS in row for row in talk.screen.text)
            assert "images (" in talk.screen.text[-1]


@pytest.mark.parametrize(
    ("options", "answers", "shown", "hidden"),
    [
        ((), "\x1b_Gi=31;OK\x1b\\\x1b[?62c", KITTY, BLOCKS),
        ((), "\x1b[?62;22c", BLOCKS, KITTY),
        (("--no-preview",), "", "● camera", BLOCKS),
    ],
)
async def test_the_terminal_decides_how_and_the_person_whether(
    tmp_path: Path, options: tuple[str, ...], answers: str, shown: str, hidden: str
) -> None:
    async with running_server(ScriptedEngine(echoes_sound=False)) as server:
        args = ("talk", "--server", f"ws://127.0.0.1:{server.port}", *files(tmp_path), *options)
        with on_terminal(tmp_path, *args, columns=100, rows=30, env=COLOURS) as talk:
            await shows(talk, "● camera", "2 images")
            talk.press(answers)
            await shows(talk, shown, gone=hidden)
            talk.press("q")
            assert await asyncio.to_thread(talk.ended) == 0
            assert not any(shown in row for row in talk.screen.text)
