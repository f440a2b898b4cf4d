"""`live-cli talk` that shows the model what a camera sees, to the spoken answer."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.seeing_endpoint import SeenPicture, pictures_in, seeing_endpoint
from tests.harness.serve_process import serving
from tests.harness.speech import speech_like, word_error_rate

ASKED = "What colour is it?"
RED, BLUE = (220, 20, 20), (20, 20, 220)


def pictures(folder: Path, *colours: tuple[int, int, int]) -> Path:
    """A folder of pictures in place of a camera: one a second, and from the first again."""
    folder.mkdir()
    for number, colour in enumerate(colours):
        Image.new("RGB", (1280, 720), colour).save(folder / f"{number}.png")
    return folder


class Seen(NamedTuple):
    """A conversation about a red picture."""

    records: list[dict[str, Any]]
    recorded: list[dict[str, Any]]
    answer: str
    pictures: list[SeenPicture]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The question is asked, and the answer read, by the engine's own voice and transcriber."""
    home = tmp_path_factory.mktemp("home")
    question, answer, talks = home / "question.wav", home / "answer.wav", home / "talks"
    asks = {"LIVE_CLI_ENGINE_CHAT": f"scripted:{ASKED}"}
    assert live_cli("text", "Ask.", "--output", question, home=home, env=asks).returncode == 0
    camera = pictures(home / "camera", RED)
    with seeing_endpoint() as endpoint:
        chat = {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}
        with serving(home, chat) as serve:
            to = ("--server", serve.address)
            done = live_cli(
                "talk", *to, "--input", question, "--output", answer, "--camera", camera,
                "--media-resolution", "low", "--record", talks, "--json",
                home=home,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            heard = live_cli("transcribe", *to, answer, home=home).stdout.decode()
        [recorded] = talks.glob("*.jsonl")
        shown = [picture for _, _, body in endpoint.asked for turn in pictures_in(body)
                 for picture in turn]  # fmt: skip
    return Seen(json_lines(done.stdout), json_lines(recorded.read_bytes()), heard, shown)


def test_what_colour_is_it(seen: Seen) -> None:
    heard = "".join(record["text"] for record in of_type(seen.records, "input_transcript"))
    assert word_error_rate(ASKED.replace("ou", "o"), heard.replace("ou", "o")) == 0.0
    assert word_error_rate("It is red.", seen.answer) == 0.0


def test_the_picture_has_the_size_that_the_resolution_uses(seen: Seen) -> None:
    assert {picture.size for picture in seen.pictures} == {(512, 288)}
    assert {picture.colour for picture in seen.pictures} == {"red"}


def test_what_has_left_is_told_counted_and_recorded(seen: Seen) -> None:
    images = of_type(seen.records, "image")
    assert [record["state"] for record in of_type(seen.records, "images")] == ["on"]
    assert images
    assert (images[0]["width"], images[0]["height"]) == (512, 288)
    assert images[0]["bytes"] == len(seen.pictures[0].data)
    summary = seen.records[-1]["summary"]
    assert summary["images_sent"] == len(images)
    assert summary["images_saved"] > 0, "a picture that stands still was sent again and again"
    assert summary["image_tokens"] == 64 * len(images)
    assert [record["sha256"] for record in of_type(seen.recorded, "image")] == [
        record["sha256"] for record in images
    ]
    [usage] = of_type(seen.records, "usage")
    assert usage["prompt_by_modality"]["VIDEO"] == 64


LIMITED = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted:One.|Two.|Three.|Four.",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
    "LIVE_CLI_SERVE_CONNECTION_LIMIT_S": "5",
    "LIVE_CLI_SERVE_VIDEO_SESSION_LIMIT_S": "2",
}


def test_the_limit_of_sessions_with_video_is_lifted_by_compression(tmp_path: Path) -> None:
    file, quiet = tmp_path / "talk.wav", np.zeros(16_000 * 3, np.float32)
    soundfile.write(
        file, np.concatenate([speech_like(0.6), quiet, speech_like(0.6), quiet]), 16_000
    )
    camera = pictures(tmp_path / "camera", RED, *[BLUE] * 90)
    with (
        seeing_endpoint() as endpoint,
        serving(tmp_path, {**LIMITED, "LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}) as serve,
    ):
        done = live_cli(
            "talk", "--server", serve.address, "--json", "--input", file,
            "--output", tmp_path / "answer.wav", "--camera", camera,
            home=tmp_path,
        )  # fmt: skip
    records, said = json_lines(done.stdout), done.stderr.decode()
    kinds = [record["type"] for record in records]
    assert done.returncode == 0, said
    assert "two minutes" not in said
    heard = [record["text"] for record in of_type(records, "input_transcript")]
    assert heard[0] == "One."  # what follows is heard, or heard again, as the connections end
    assert of_type(records, "output_transcript")[0]["text"].startswith("It is")
    assert "reconnected" in kinds
    again = kinds[kinds.index("reconnected") :]
    assert "image" in again, "a new connection was shown nothing"


def test_without_compression_the_limit_is_told_and_ends_the_talk(tmp_path: Path) -> None:
    """The limit comes long after the first answer: a session without a handle begins anew."""
    file, quiet = tmp_path / "talk.wav", np.zeros(16_000 * 20, np.float32)
    soundfile.write(file, np.concatenate([speech_like(0.6), quiet]), 16_000)
    camera = pictures(tmp_path / "camera", RED, BLUE)
    limits = {
        "LIVE_CLI_SERVE_CONNECTION_LIMIT_S": "60",
        "LIVE_CLI_SERVE_VIDEO_SESSION_LIMIT_S": "10",
    }
    with (
        seeing_endpoint() as endpoint,
        serving(
            tmp_path, {**LIMITED, **limits, "LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}
        ) as serve,
    ):
        done = live_cli(
            "talk", "--server", serve.address, "--json", "--input", file,
            "--output", tmp_path / "answer.wav", "--camera", camera, "--no-compress",
            home=tmp_path,
        )  # fmt: skip
    said = done.stderr.decode()
    assert "this session ends after two minutes" in said
    assert done.returncode == 6
    assert "contextWindowCompression" in said


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--camera", "--screen"], 3, "--camera and --screen exclude each other"),
        (["--camera", "{folder}"], 3, "sees no pictures"),
        (["--camera", "{folder}", "--model", "gemini-3.5-live-translate-preview"], 3, "pictures"),
        (["--server", "127.0.0.1:9", "--camera", "nobody.jpg"], 7, "nobody.jpg"),
        (["--server", "127.0.0.1:9", "--camera", "No Such Camera"], 5, "amera"),
        (["--server", "127.0.0.1:9", "--screen"], 5, ""),
    ],
)
def test_what_cannot_be_shown_is_said_before_anything_is_sent(
    tmp_path: Path, options: list[str], code: int, says: str
) -> None:
    folder = str(pictures(tmp_path / "camera", RED))
    files = ("--input", "-", "--output", tmp_path / "answer.wav")
    args = [option.replace("{folder}", folder) for option in options]
    done = live_cli("talk", *files, *args, home=tmp_path)
    said = done.stderr.decode().splitlines()
    assert done.returncode == code, said
    assert says in said[-1]
    assert not any("cannot" in line and "127.0.0.1:9" in line for line in said)
