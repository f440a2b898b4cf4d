"""`--history` in the forms of others, and in our own: what becomes of each turn."""

import codecs
import json
from pathlib import Path
from typing import Any

import pytest

from live_cli.errors import InputFileError
from live_cli.plan.history_file import read_history
from live_cli.plan.history_forms import EarlierTurns

HI, HELLO = ("user", "Hi."), ("model", "Hello.")
OPENAI: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi."},
    {"role": "assistant", "content": "Hello."},
]


def told(turns: EarlierTurns) -> list[tuple[str | None, str]]:
    return [
        (turn.role, "|".join(part.text or "" for part in turn.parts or ())) for turn in turns.turns
    ]


def read(folder: Path, content: str | bytes) -> EarlierTurns:
    file = folder / "history"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_history(file)


def lines(*values: object) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "text": "Hi."}, {"role": "model", "text": "Hello."}],
        [{"role": "user", "parts": [{"text": "Hi."}]}, {"role": "model", "parts": ["Hello."]}],
        [{"role": "USER", "parts": {"text": "Hi."}}, {"role": "model", "parts": "Hello."}],
        OPENAI,
        {"model": "gpt-5", "messages": OPENAI},
        {"input": OPENAI},
        {"contents": [{"role": "user", "parts": [{"text": "Hi."}]}, OPENAI[1]]},
        {"turns": OPENAI, "turnComplete": False},
        [
            {"role": "user", "content": [{"type": "text", "text": "Hi."}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]},
        ],
        [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]},
        ],
        {"conversations": [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": "Hello."}]},
        [*OPENAI, {"role": "assistant", "content": ""}],
    ],
)
def test_a_conversation_in_one_value(tmp_path: Path, value: object) -> None:
    assert told(read(tmp_path, json.dumps(value))) == [HI, HELLO]
    assert told(read(tmp_path, json.dumps(value, indent=2))) == [HI, HELLO]


@pytest.mark.parametrize(
    "content",
    [
        lines(*OPENAI),
        lines(*OPENAI).replace("\n", "\r\n"),
        lines(*OPENAI).replace("\n", "\n\n"),
        lines(*OPENAI).rstrip("\n"),
        lines({"messages": OPENAI}, {"messages": []}),
        lines(OPENAI[:1], OPENAI[1:]),
        "you: Hi.\nmodel: Hello.\n",
    ],
)
def test_a_conversation_in_lines(tmp_path: Path, content: str) -> None:
    assert told(read(tmp_path, content)) == [HI, HELLO]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_byte_order_mark_and_other_widths(tmp_path: Path, encoding: str) -> None:
    text = json.dumps([{"role": "user", "content": "Gr\u00fc\u00df Gott \U0001f44b"}])
    raw = text.replace("\\u00fc", "\u00fc").encode(encoding)
    assert told(read(tmp_path, raw)) == [("user", "Gr\u00fc\u00df Gott \U0001f44b")]
    assert codecs.lookup(encoding)


@pytest.mark.parametrize(
    ("value", "system"),
    [
        ([{"role": "system", "content": "Be brief."}, *OPENAI], "Be brief."),
        ([{"role": "developer", "content": [{"type": "text", "text": "A"}]}, *OPENAI], "A"),
        ({"systemInstruction": {"parts": [{"text": "B"}]}, "contents": OPENAI}, "B"),
        ({"system": "C", "messages": OPENAI}, "C"),
        (OPENAI, None),
    ],
)
def test_instructions_are_no_turns(tmp_path: Path, value: object, system: str | None) -> None:
    read_turns = read(tmp_path, json.dumps(value))
    assert told(read_turns) == [HI, HELLO]
    assert read_turns.system == system


def test_what_is_no_text_is_counted(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "Look."}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {}}]},
        {"role": "tool", "tool_call_id": "1", "content": "42"},
        {"type": "function_call_output", "call_id": "1", "output": "42"},
        {"role": "model", "parts": [{"text": "hm", "thought": True}, {"functionCall": {}}]},
        {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AA"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}, "Seen."]},
    ]
    found = read(tmp_path, json.dumps(turns))
    assert told(found) == [("user", "Look."), ("model", "Seen.")]
    assert found.left_out == {
        "images, sounds or files": 2,
        "calls and results of functions": 4,
        "thoughts": 2,
    }
    assert "images, sounds or files (2)" in found.told_left_out


def record(kind: str, **facts: object) -> dict[str, object]:
    return {"type": kind, "t": 0.5, **facts}


def test_records_of_a_written_chat(tmp_path: Path) -> None:
    records = [
        record("session_open", session_id="s"),
        record("sent", text="Hi."),
        record("text", turn=1, text="Hel"),
        record("text", turn=1, text="lo."),
        record("usage", total=7),
        record("turn_complete", turn=1, interrupted=False),
        record("sent", text="And?"),
        record("text", turn=2, text="This br"),
        record("reconnecting", code=1006, turn_lost=True),
        record("reconnected", restored=True),
        record("text", turn=3, text="This is whole."),
        record("turn_complete", turn=3, interrupted=False),
        record("session_close", code=1000, turn_lost=False),
    ]
    expected = [HI, HELLO, ("user", "And?"), ("model", "This is whole.")]
    assert told(read(tmp_path, lines(*records))) == expected
    killed = lines(*records) + '{"type": "usage", "t": 1.'
    assert told(read(tmp_path, killed)) == expected


def test_records_of_a_talk(tmp_path: Path) -> None:
    records = [
        record("input_transcript", text="H", interim=True, finished=False),
        record("input_transcript", text="Hi", interim=False, finished=False),
        record("input_transcript", text=".", interim=False, finished=False),
        record("output_transcript", turn=1, text="Hello."),
        record("audio", turn=1, ms=100, total_ms=100.0),
        record("turn_complete", turn=1, interrupted=False),
        record("input_transcript", text="Count.", interim=False, finished=True),
        record("output_transcript", turn=2, text="One two three four five."),
        record("audio", turn=2, ms=2000, total_ms=2000.0),
        record("interrupted", turn=2, heard_ms=1000.0),
        record("input_transcript", text="Stop.", interim=False, finished=True),
        record("turn_complete", turn=2, interrupted=True, heard_ms=1000.0),
        record("output_transcript", turn=3, text="Nobody heard this."),
        record("audio", turn=3, ms=500, total_ms=500.0),
        record("interrupted", turn=3, heard_ms=None),
        record("turn_complete", turn=3, interrupted=True, heard_ms=None),
    ]
    assert told(read(tmp_path, lines(*records))) == [
        HI, HELLO, ("user", "Count."), ("model", "One two"), ("user", "Stop."),
    ]  # fmt: skip


def test_a_question_whose_transcript_is_late_stands_before_its_answer(tmp_path: Path) -> None:
    records = [
        record("output_transcript", turn=1, text="Hel"),
        record("input_transcript", text="Hi.", interim=False, finished=False),
        record("output_transcript", turn=1, text="lo."),
        record("turn_complete", turn=1, interrupted=False),
    ]
    assert told(read(tmp_path, lines(*records))) == [HI, HELLO]


def test_words_of_a_recording(tmp_path: Path) -> None:
    content = (
        "you: Hi.\nmodel: Hello.\nyou: Count.\nmodel: One two [interrupted] three four.\n"
        "you: And?\nmodel: [not heard]\n"
    )
    assert told(read(tmp_path, content)) == [
        HI, HELLO, ("user", "Count."), ("model", "One two"), ("user", "And?"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("{", "is not JSON"),
        ("Dear diary,\nnothing happened.", "is not JSON"),
        ("{}", "holds no turns"),
        ("7", "holds no turns"),
        ('{"messages": "no"}', "holds no turns"),
        ("[1]", "turn 1 is no object"),
        ('[{"role": "user", "text": "a"}, {"role": "king", "text": "b"}]', "turn 2 needs a role"),
        ('[{"text": "a"}]', "turn 1 needs a role"),
        ('[{"role": "user"}]', "turn 1 needs a text"),
        ('[{"role": "user", "content": 7}]', "turn 1 needs a text"),
        ('[{"role": "user", "parts": []}]', "turn 1 needs a text"),
        ('[{"role": "user", "parts": [{"text": 7}]}]', "turn 1 needs a text"),
        (lines(OPENAI[0]) + '\n{"role": "x", "content": "b"}', "line 3 needs a role"),
        (lines(OPENAI[0]) + "{", "line 2 is not JSON"),
        (lines(OPENAI[0]) + "no JSON\n" + lines(OPENAI[1]), "line 2 is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(InputFileError, match=complaint) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"is not text: .* UTF-8"):
        read(tmp_path, b'[{"role": "user", "text": "\xff\xfe\xfa"}]')


def test_calls_and_images_in_a_record_are_counted_as_left_out(tmp_path: Path) -> None:
    records = [
        {"type": "sent", "t": 0.1, "text": "Is it on?"},
        {"type": "tool_call", "t": 0.2, "calls": [{"id": "1", "name": "lamp", "args": {}}]},
        {"type": "tool_result", "t": 0.4, "id": "1", "name": "lamp", "state": "done", "result": {}},
        {"type": "images", "t": 0.4, "state": "on", "sent": 0},
        {"type": "image", "t": 0.4, "bytes": 9, "sha256": "0"},
        {"type": "code", "t": 0.5, "turn": 1, "code": "f()"},
        {"type": "text", "t": 0.5, "turn": 1, "text": "Yes."},
        {"type": "grounding", "t": 0.6, "turn": 1, "grounding": {}},
        {"type": "turn_complete", "t": 0.7, "turn": 1, "interrupted": False},
    ]
    path = tmp_path / "talk.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = read_history(path)
    assert [turn.parts[0].text for turn in found.turns if turn.parts] == ["Is it on?", "Yes."]
    assert found.left_out == {"calls and results of functions": 1, "images, sounds or files": 1}
