"""A conversation in German and in Spanish: the question understood, the answer heard again.

The questions are spoken by Pico (tests/data), as the answers are; Whisper base hears both.
"""

from pathlib import Path

import pytest

from tests.harness.chat_endpoint import chunk, serving_endpoint
from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.places import DATA
from tests.harness.speech import character_error_rate

CASES = {
    "de": ("Wie viele Beine hat ein Hund?", "Ein Hund hat vier Beine. Er läuft gern im Park."),
    "es": ("¿Dónde está la biblioteca?", "La biblioteca está en la plaza. Abre por la mañana."),
}
PATIENT = {"LIVE_CLI_STALL_S": "60", "LIVE_CLI_STALL_RECONNECT_S": "0"}


def talked(tmp_path: Path, chat: str, asked: str, spoken: str) -> list[dict[str, object]]:
    """Talk about the question in ``spoken``, in the language ``asked`` for; return the records."""
    done = live_cli(
        *("talk", "--server", "local", "--language", asked, "--chat", chat, "--json"),
        *("--input", DATA / f"question_{spoken}.flac", "--output", tmp_path / "answer.wav"),
        home=tmp_path,
        env=PATIENT,
    )
    assert done.returncode == 0, done.stderr
    return json_lines(done.stdout)


def text_of(records: list[dict[str, object]], kind: str) -> str:
    return "".join(str(record["text"]) for record in of_type(records, kind))


def heard_again(tmp_path: Path, language: str) -> str:
    done = live_cli(
        *("transcribe", "--server", "local", "--language", language, tmp_path / "answer.wav"),
        home=tmp_path,
        env=PATIENT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("language", CASES)
def test_a_question_is_understood_and_its_answer_spoken(tmp_path: Path, language: str) -> None:
    question, answer = CASES[language]
    records = talked(tmp_path, f"scripted:{answer}", language, language)
    assert character_error_rate(question, text_of(records, "input_transcript")) <= 0.10
    assert text_of(records, "output_transcript").split() == answer.split()
    assert character_error_rate(answer, heard_again(tmp_path, language)) <= 0.10


def test_an_endpoint_is_asked_in_the_language_that_was_heard(tmp_path: Path) -> None:
    """With ``auto`` it is Whisper that tells the language, and the voice follows."""
    question, answer = CASES["es"]
    with serving_endpoint() as endpoint:
        endpoint.answer = lambda body: [chunk(answer), "[DONE]"]
        talked(tmp_path, f"openai:{endpoint.spec}", "auto", "es")
        [*_, (_, _, asked)] = endpoint.asked
    system, *_, said = [message["content"] for message in asked["messages"]]
    assert "in the language that the user speaks" in system
    assert character_error_rate(question, said) <= 0.10
    assert character_error_rate(answer, heard_again(tmp_path, "es")) <= 0.10
