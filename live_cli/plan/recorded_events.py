"""Earlier turns out of what live-cli writes: the records of ``--json`` and ``--record``. Pure.

A record is an object with ``type`` and ``t`` (`ui.json_lines` lists them). The question is what was
sent or heard; the answer is its text, or its transcript where it was spoken. Of an answer that was
interrupted the part counts that was heard, by its share of the sound; one that broke off and was
asked for again does not count. The question's transcript may come after the answer has begun.

The ``.txt`` of a recording has a line for each: ``you: …`` and ``model: …``, with ``[interrupted]``
or ``[not heard]`` where an answer was cut.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from live_cli.plan.history_forms import EarlierTurns

_LINE = re.compile(r"(you|model): ?(.*)", re.DOTALL)
_CUTS = ("[interrupted]", "[not heard]")


def is_record(value: Any) -> bool:
    """Return whether ``value`` is a record of live-cli."""
    return isinstance(value, dict) and isinstance(value.get("type"), str) and "t" in value


@dataclass
class _Answer:
    text: str = ""
    sound_ms: float = 0.0
    spoken: bool = False
    heard_ms: float | None = None
    interrupted: bool = False

    def heard(self) -> str:
        if not self.interrupted or not self.spoken or not self.sound_ms:
            return self.text
        share = min(1.0, (self.heard_ms or 0.0) / self.sound_ms)
        end = int(len(self.text) * share)
        if end < len(self.text):
            end = max(self.text.rfind(" ", 0, end + 1), 0)
        return self.text[:end]


@dataclass
class _Records:
    turns: EarlierTurns
    question: str = ""
    answers: dict[int, _Answer] = field(default_factory=dict)

    def take(self, record: dict[str, Any]) -> None:
        text = str(record.get("text") or "")
        match record["type"]:
            case "sent":
                self._end_question()
                self.turns.add("user", text)
            case "input_transcript" if not record.get("interim"):
                if any(answer.interrupted for answer in self.answers.values()):
                    self._end_answers()
                self.question += text
                if record.get("finished"):
                    self._end_question()
            case "text" | "output_transcript":
                self._answer(record).text += text
                self._answer(record).spoken |= record["type"] == "output_transcript"
            case "tool_result":
                self.turns.left_out["calls and results of functions"] += 1
            case "image":
                self.turns.left_out["images, sounds or files"] += 1
            case "audio":
                self._answer(record).sound_ms = float(record.get("total_ms") or 0.0)
            case "interrupted":
                self._interrupt(record)
            case "turn_complete":
                if record.get("interrupted"):
                    self._interrupt(record)
                self._end_answers()
            case "reconnecting" | "session_close" if record.get("turn_lost"):
                self.answers.clear()
            case _:
                pass

    def end(self) -> None:
        self._end_question()
        self._end_answers()

    def _answer(self, record: dict[str, Any]) -> _Answer:
        number = record.get("turn")
        return self.answers.setdefault(number if isinstance(number, int) else 0, _Answer())

    def _interrupt(self, record: dict[str, Any]) -> None:
        if (answer := self.answers.get(record.get("turn", 0))) is not None:
            answer.interrupted = True
            heard_ms = record.get("heard_ms")
            answer.heard_ms = heard_ms if isinstance(heard_ms, int | float) else answer.heard_ms

    def _end_question(self) -> None:
        question, self.question = self.question, ""
        self.turns.add("user", question.strip())

    def _end_answers(self) -> None:
        if self.answers:
            self._end_question()
        for answer in self.answers.values():
            self.turns.add("model", answer.heard().strip())
        self.answers.clear()


def take_records(turns: EarlierTurns, records: Iterable[dict[str, Any]]) -> None:
    """Append to ``turns`` what ``records`` tell of a conversation."""
    taken = _Records(turns)
    for record in records:
        taken.take(record)
    taken.end()


def is_conversation(text: str) -> bool:
    """Return whether ``text`` has lines as a recording's ``.txt`` has them."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _LINE.fullmatch(first) is not None


def take_conversation(turns: EarlierTurns, text: str) -> None:
    """Append to ``turns`` the lines of ``text``; a line without a speaker goes on with the last."""
    for speaker, said in _spoken(text):
        if speaker == "model":
            for cut in _CUTS:
                said = said.partition(cut)[0].rstrip()
        turns.add("user" if speaker == "you" else "model", said.strip())


def _spoken(text: str) -> Iterator[tuple[str, str]]:
    speaker, said = "", ""
    for line in text.splitlines():
        if (found := _LINE.fullmatch(line)) is None:
            said += f"\n{line}"
            continue
        yield speaker, said
        speaker, said = found[1], found[2]
    yield speaker, said
