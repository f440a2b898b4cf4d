"""Answers in letters that the voice does not speak: said, and never an empty file of sound."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from live_cli.commands.unspoken import UnspokenAnswers
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    OutputTranscript,
    Reconnecting,
    SessionClosed,
    TurnComplete,
)
from tests.harness.chat_endpoint import ChatEndpoint, chunk, serving_endpoint
from tests.harness.command import json_lines, live_cli, of_type

SOUND = AudioChunk(1, bytes(960), 24_000)
OTHERS = {
    "Cyrillic": "Привет, как дела?",
    "Greek": "Γειά σου Κόσμε.",
    "Chinese": "你好，世界。",
    "Arabic": "مرحبا بالعالم.",
    "Devanagari": "नमस्ते दुनिया।",
    "Hebrew": "שלום עולם.",
    "Korean": "안녕하세요.",
    "Thai": "สวัสดีชาวโลก",
}


def told(watch: UnspokenAnswers, *events: Event) -> list[str]:
    return [line for event in events if (line := watch.event(event))]


@pytest.mark.parametrize("latin_only", [True, False])
@pytest.mark.parametrize("script", OTHERS)
def test_an_answer_without_sound_is_told_by_its_script(script: str, latin_only: bool) -> None:
    watch = UnspokenAnswers(latin_only=latin_only)
    said = told(watch, OutputTranscript(1, OTHERS[script]), TurnComplete(1))
    assert len(said) == 1
    assert script in said[0]


def test_an_answer_without_sound_for_another_reason_is_told_too() -> None:
    watch = UnspokenAnswers(latin_only=False)
    said = told(watch, OutputTranscript(1, "Hello."), TurnComplete(1))
    assert "without sound" in said[0]


def test_words_between_others_are_told_where_the_voice_is_known() -> None:
    text = OutputTranscript(1, "In Russian that is Привет.")
    assert told(UnspokenAnswers(latin_only=False), text, SOUND, TurnComplete(1)) == []
    watch = UnspokenAnswers(latin_only=True)
    assert "Cyrillic" in told(watch, text, SOUND, TurnComplete(1))[0]


@pytest.mark.parametrize(
    "events",
    [
        (OutputTranscript(1, "Straße, Łódź and 2 π r."), SOUND, TurnComplete(1)),
        (OutputTranscript(1, "🙂 …"), TurnComplete(1)),
        (TurnComplete(1),),
        (OutputTranscript(1, "Hel"), TurnComplete(1, interrupted=True)),
        (OutputTranscript(1, "Hel"), Reconnecting(SessionClosed(1006, "")), TurnComplete(1)),
    ],
    ids=["all spoken", "no words", "nothing", "interrupted", "broken off"],
)
def test_nothing_is_told_where_nothing_is_missing(events: tuple[Event, ...]) -> None:
    assert told(UnspokenAnswers(latin_only=True), *events) == []


def test_the_same_is_told_once() -> None:
    turn = (OutputTranscript(1, "Привет"), TurnComplete(1))
    assert len(told(UnspokenAnswers(latin_only=True), *turn, *turn, *turn)) == 1


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    with serving_endpoint() as endpoint:
        yield endpoint


def answering(endpoint: ChatEndpoint, *answers: str) -> str:
    left = list(answers)
    endpoint.answer = lambda body: [chunk(left.pop(0)), "[DONE]"]
    return f"openai:{endpoint.spec}"


@pytest.mark.parametrize("name", ["answer.wav", "answer.flac", "answer.ogg"])
def test_no_empty_file_is_left_and_it_is_said_why(
    tmp_path: Path, endpoint: ChatEndpoint, name: str
) -> None:
    env = {"LIVE_CLI_ENGINE_CHAT": answering(endpoint, OTHERS["Cyrillic"])}
    done = live_cli("text", "Greet me.", "--output", tmp_path / name, home=tmp_path, env=env)
    assert done.returncode == 6
    assert OTHERS["Cyrillic"] in done.stdout.decode()
    assert b"Cyrillic letters, which the voice does not speak" in done.stderr
    assert name.encode() in done.stderr
    assert not (tmp_path / name).exists()


def test_what_can_be_spoken_is_and_the_rest_is_said(tmp_path: Path, endpoint: ChatEndpoint) -> None:
    spec = answering(endpoint, OTHERS["Chinese"], "The word for it is Привет in Russian.")
    output = tmp_path / "answer.wav"
    done = live_cli(
        "text", "--json", "--output", output,
        home=tmp_path, stdin="one\ntwo\n", env={"LIVE_CLI_ENGINE_CHAT": spec},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stderr.decode().splitlines()
    assert [script in line for script, line in zip(("Chinese", "Cyrillic"), said, strict=True)] == [
        True,
        True,
    ]
    assert {record["turn"] for record in of_type(json_lines(done.stdout), "audio")} == {2}
    assert 1.0 < soundfile.info(output).duration < 4.0  # nothing is spelled
