"""Pictures with `live-cli text`: through wire and engine to a chat model that looks at them."""

import asyncio
import io
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from live_cli.commands.text.pictures import PictureInput
from live_cli.errors import SettingsError
from tests.harness.chat_endpoint import ChatEndpoint
from tests.harness.command import (
    LIMIT_S,
    PROGRAM,
    environment,
    json_lines,
    live_cli,
    of_type,
    started,
)
from tests.harness.dropping_server import dropping, reset
from tests.harness.images import png
from tests.harness.seeing_endpoint import BLIND, SeenPicture, pictures_in, seeing_endpoint
from tests.harness.serve_process import serving

RED, BLUE = png(255, 0, 0), png(0, 0, 255)
REALTIME = ("--model", "gemini-3.1-flash-live-preview")
"""A model that takes turns only as initial history."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ChatEndpoint]:
    with seeing_endpoint() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "red.png").write_bytes(RED)
    (tmp_path / "my blue.png").write_bytes(BLUE)
    return tmp_path


def seeing(endpoint: ChatEndpoint) -> dict[str, str]:
    return {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}


def seen(endpoint: ChatEndpoint) -> list[list[SeenPicture]]:
    """The pictures of each message of the last request that has any."""
    return pictures_in(endpoint.asked[-1][2])


@pytest.mark.parametrize(
    ("args", "stdin", "answers"),
    [
        (["--image", "red.png", "What colour is it?"], b"", ["red"]),
        (["--image", "red.png"], b"", ["red"]),
        (["--image", "red.png", "--image", "my blue.png", "Which?"], b"", ["red and blue"]),
        (["--image", "-", "What colour?"], BLUE, ["blue"]),
        (["--image", "-"], BLUE, ["blue"]),
        (["--image", "red.png"], b"\nWhat?\nAnd now?\n", ["red", "red"]),
        (["--image", "red.png", "--document"], b"What?\nNow?\n", ["red"]),
        (["--image", "red.png", "--image", "my blue.png", "Which?", *REALTIME], b"",
         ["red and blue"]),
        (["--image", "red.png", *REALTIME], b"", ["red"]),
    ],
)  # fmt: skip
def test_what_is_shown_is_seen(
    home: Path, endpoint: ChatEndpoint, args: list[str], stdin: bytes, answers: list[str]
) -> None:
    named = [str(home / arg) if arg.endswith(".png") else arg for arg in args]
    done = live_cli("text", *named, home=home, stdin=stdin, env=seeing(endpoint))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [f"It is {answer}." for answer in answers]
    assert len(seen(endpoint)) == 1  # the pictures are in one message, whatever follows


@pytest.mark.parametrize(("resolution", "side"), [("low", 512), ("medium", 768), ("high", 1024)])
def test_a_photograph_is_as_large_as_its_resolution_uses(
    home: Path, endpoint: ChatEndpoint, resolution: str, side: int
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1500, 2000, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at home"
    photograph = Image.fromarray(noise)
    photograph.save(home / "photo.jpg", exif=exif, comment=b"at home")
    env = seeing(endpoint) | {"LIVE_CLI_MEDIA_RESOLUTION": resolution}
    done = live_cli("text", "--json", "--image", home / "photo.jpg", "Hm?", home=home, env=env)
    [[picture]] = seen(endpoint)
    assert (picture.mime_type, picture.size) == ("image/jpeg", (side * 3 // 4, side))  # upright
    assert b"at home" not in picture.data
    assert b"Exif" not in picture.data
    records = json_lines(done.stdout)
    [sent], [usage] = of_type(records, "image"), of_type(records, "usage")
    assert (sent["role"], sent["source"], sent["bytes"]) == ("file", "photo.jpg", len(picture.data))
    assert (sent["width"], sent["height"]) == picture.size
    assert usage["prompt_by_modality"]["IMAGE"] == (64 if resolution == "low" else 256)


def test_a_session_that_is_resumed_is_shown_more(home: Path, endpoint: ChatEndpoint) -> None:
    scripted = {"LIVE_CLI_ENGINE_SYNTHESIZER": "scripted", "LIVE_CLI_ENGINE_DETECTOR": "scripted"}
    with serving(home, seeing(endpoint) | scripted) as serve:
        asked = ("text", "--server", f"127.0.0.1:{serve.port}")
        first = live_cli(*asked, "--image", home / "red.png", "What?", home=home)
        again = live_cli(*asked, "--resume", "--image", home / "my blue.png", "Now?", home=home)
    assert (first.stdout, again.stdout) == (b"It is red.\n", b"It is blue.\n"), again.stderr
    assert [[each.colour for each in message] for message in seen(endpoint)] == [["red"], ["blue"]]


@pytest.mark.parametrize("step", [0, 2])  # before the answer, and within it
@pytest.mark.parametrize("model", [(), REALTIME])
async def test_pictures_come_with_their_question_over_a_new_connection(
    home: Path, model: tuple[str, ...], step: int
) -> None:
    async with dropping("What?", step, reset) as server:
        args = ("text", "What?", "--server", server.address, *model)
        shown = ("--image", home / "red.png", "--image", home / "my blue.png")
        with started(
            *args, *shown, home=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process:
            out, _ = await asyncio.to_thread(process.communicate, timeout=LIMIT_S)
    assert out == "Answer to What?: one two.\n"
    assert (server.asked, server.pictures) == (["What?", "What?"], 4)


@pytest.mark.parametrize("model", [(), REALTIME])
def test_what_a_blind_server_does_with_a_picture_is_told(
    home: Path, model: tuple[str, ...]
) -> None:
    blind = {"LIVE_CLI_ENGINE_CHAT": "scripted", "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted"}
    with serving(home, blind) as serve:
        args = ("--server", f"127.0.0.1:{serve.port}", "--image", home / "red.png", "What?")
        done = live_cli("text", *args, *model, home=home)
    if model:  # it drops the picture, and answers
        assert (done.returncode, done.stdout) == (0, b"You said: What?\n")
        assert b"counted no tokens for the picture" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (6, b"")
        assert b"cannot see" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("chat", ["gguf", "scripted"])
def test_a_blind_engine_is_not_started(home: Path, chat: str) -> None:
    env = {"LIVE_CLI_ENGINE_CHAT": chat}
    done = live_cli("text", "--image", home / "red.png", "What?", home=home, env=env)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"sees no pictures; Gemini 3.8 Live does (--server gemini)" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_line_with_a_picture_is_not_sent_to_a_blind_model(home: Path) -> None:
    pictures = PictureInput("low", "It sees none.")
    assert pictures.in_line("What is in red.png?") == ("What is in red.png?", [])
    with pytest.raises(SettingsError, match="It sees none"):
        pictures.in_line(f"What is in {home}/red.png?")


def large(side: int) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(file, "BMP")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.png", None, "none.png cannot be read: No such file"),
        ("empty.png", b"", "empty.png is empty"),
        ("words.png", b"Hello.", "words.png is no picture that can be read"),
        ("cut.png", RED[:40], "cut.png is no picture that can be read"),
        ("large.bmp", large(2700), "large.bmp is larger than 20 MB"),
        (".", None, "cannot be read: Is a directory"),
        ("/dev/zero", None, "/dev/zero is larger than 20 MB"),
        ("/dev/null", None, "/dev/null is empty"),
        ("/proc/self/mem", None, "/proc/self/mem cannot be read"),
        ("esc\x1b[31m.png", b"", "esc␛[31m.png is empty"),
    ],
)
def test_what_is_no_picture_is_named(
    home: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (home / name).write_bytes(content)
    env = {"LIVE_CLI_ENGINE_CHAT": "openai:http://127.0.0.1:1/v1#m"}
    done = live_cli("text", "--image", home / name, "What?", home=home, env=env)
    assert (done.returncode, done.stdout) == (7, b"")
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "args", [["-"], ["--document"], ["--history", "-"], ["--image", "-"], ["--history", "-", "Hi"]]
)
def test_stdin_holds_a_picture_or_something_else(home: Path, args: list[str]) -> None:
    done = live_cli("text", "--image", "-", *args, home=home, stdin=RED)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"reads all of standard input" in done.stderr


def test_a_name_of_no_letters_is_none(home: Path) -> None:
    done = live_cli("text", "--image", "", "What?", home=home)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no name of a file" in done.stderr


def test_more_than_a_message_takes_is_refused(home: Path, endpoint: ChatEndpoint) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1024, 1024, 3), np.uint8)
    Image.fromarray(noise).save(home / "noise.jpg", quality=95)
    many = ["--image", str(home / "noise.jpg")] * 20
    done = live_cli("text", *many, home=home, env=seeing(endpoint))
    assert done.returncode == 7
    assert b"too many for one message" in done.stderr
    few = live_cli("text", *many[:16], home=home, env=seeing(endpoint))
    assert few.returncode == 0, few.stderr
    assert [len(message) for message in seen(endpoint)] == [8]


class Terminal:
    """`live-cli text` on a terminal of its own; what it shows is read until something is there."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self._process = process
        self._ours = ours
        self.shown = ""

    def until(self, text: str) -> str:
        """What is shown until ``text`` comes, which is taken away."""
        while text not in self.shown:
            self.shown += os.read(self._ours, 65_536).decode(errors="replace")
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())


@pytest.fixture
def chat(home: Path, endpoint: ChatEndpoint) -> Iterator[Terminal]:
    ours, its = pty.openpty()
    env = environment(home, **seeing(endpoint))
    args = [*PROGRAM, "text", "--image", str(home / "red.png")]
    with subprocess.Popen(args, env=env, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


@pytest.mark.timeout(LIMIT_S)
def test_pictures_in_a_chat_on_a_terminal(
    home: Path, chat: Terminal, endpoint: ChatEndpoint
) -> None:
    told = "Picture sent: red.png (8 x 8, PNG, 1 kB, without its metadata)"
    assert told in chat.until("It is red.")
    chat.until("you: ")
    chat.type(f"'{home}/my blue.png' and this?")
    assert "Picture sent: my blue.png" in chat.until("It is blue.")
    assert endpoint.asked[-1][2]["messages"][-1]["content"][-1]["text"] == "and this?"
    chat.type(f"file://{home}/my%20blue.png")
    assert "Picture sent: my blue.png" in chat.until("It is blue.")
    chat.type(f"{home}/gone.png")
    assert "It is" not in chat.until("gone.png is not there: nothing was sent.")
    (home / "broken.png").write_bytes(b"words")
    chat.type(f"{home}/broken.png")
    assert "It is" not in chat.until("broken.png is no picture that can be read")
    chat.until("you: ")
    chat.type("\x04")


def test_a_model_that_sees_nothing_says_so(home: Path, endpoint: ChatEndpoint) -> None:
    done = live_cli("text", "What?", home=home, env=seeing(endpoint))
    assert done.stdout.decode() == f"{BLIND}\n"
