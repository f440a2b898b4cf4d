"""Earlier turns out of the forms in which programs write conversations. Pure.

    form                                written by
    {"role", "text"}                    people
    {"role", "parts": [{"text"}]}       the Live API and Gemini; role user or model
    {"role", "content"}                 OpenAI and those like it; content a text, or a list of parts
                                        ({"type": "text" | "input_text" | "output_text", "text"})
    {"from", "value"}                   ShareGPT; human or gpt

A turn may stand alone or in a list, and that under "messages", "contents", "turns" or the like.
What a chat model cannot be told as a turn (images, calls of functions and their results, thoughts)
is left out and counted; messages of "system" or "developer" are the system instruction.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from live_cli.protocol.messages import Content, Part

_ROLES: Final = {
    "user": "user", "human": "user", "you": "user",
    "model": "model", "assistant": "model", "ai": "model", "gpt": "model", "bot": "model",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool",
}  # fmt: skip
_LISTS: Final = (
    "messages", "contents", "turns", "history", "conversation", "conversations", "input", "items",
)  # fmt: skip
_TEXTS: Final = ("text", "content", "parts", "value")
_TEXT_PARTS: Final = (None, "text", "input_text", "output_text", "refusal")
_WITHOUT_TURNS: Final = ("function_call", "function_call_output", "reasoning", "item_reference")
"""Items of OpenAI's Responses that have no role."""


class NoTurnError(ValueError):
    """Something is no turn: says why, the end of a sentence that names where."""


@dataclass
class EarlierTurns:
    """Turns for a session's history. ``left_out``: how many of what kind are not among them."""

    turns: list[Content] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def system(self) -> str | None:
        """The system instruction that came with the turns."""
        return "\n\n".join(self.instructions) or None

    @property
    def told_left_out(self) -> str:
        """What is not among the turns, in words."""
        counts = (f"{kind} ({count})" for kind, count in self.left_out.items())
        return f"{', '.join(counts)} left out, since a history is text"

    def add(self, role: str, text: str) -> None:
        """Append a turn, unless it is blank."""
        if text.strip():
            self.turns.append(Content(role=role, parts=[Part(text=text)]))

    def take(self, value: Any) -> None:
        """Append what ``value``, a turn, holds. Raises NoTurnError."""
        if not isinstance(value, dict):
            raise NoTurnError("is no object with a role and a text")
        if value.get("type") in _WITHOUT_TURNS:
            self.left_out["calls and results of functions"] += 1
            return
        role = _role_of(value)
        if role == "tool":
            self.left_out["calls and results of functions"] += 1
            return
        texts = self._texts(value)
        if role == "system":
            self.instructions += [text for text in texts if text.strip()]
        elif any(map(str.strip, texts)):
            self.turns.append(Content(role=role, parts=[Part(text=text) for text in texts if text]))

    def _texts(self, value: dict[str, Any]) -> list[str]:
        if value.get("tool_calls") or value.get("function_call"):
            self.left_out["calls and results of functions"] += 1
        names = [name for name in _TEXTS if name in value]
        if not names:
            raise NoTurnError("needs a text")
        given = value[names[0]]
        if given is None or isinstance(given, str):
            return [given or ""]
        parts = given if isinstance(given, list) else [given]
        texts = [self._text_of(part) for part in parts]
        if not texts:
            raise NoTurnError("needs a text")
        return [text for text in texts if text is not None]

    def _text_of(self, part: Any) -> str | None:
        """Return the text of one part; None where it has another kind of content."""
        if isinstance(part, str):
            return part
        if not isinstance(part, dict):
            raise NoTurnError("needs a text")
        text = part.get("text", part.get("refusal"))
        if isinstance(text, str) and part.get("type") in _TEXT_PARTS and not part.get("thought"):
            return text
        if not part or ("text" in part and not isinstance(text, str)):
            raise NoTurnError("needs a text")
        self.left_out[_kind_of(part)] += 1
        return None


def turn_list(value: Any) -> list[Any] | None:
    """Return the turns in a JSON value as a list; None where it is neither a turn nor a list."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    if "role" in value or "from" in value:
        return [value]
    lists = (value[name] for name in _LISTS if isinstance(value.get(name), list))
    return next(lists, None)


def instruction_beside(value: Any) -> str | None:
    """Return the instruction that stands beside a list of turns, as in a request to Gemini."""
    if not isinstance(value, dict):
        return None
    for name in ("systemInstruction", "system_instruction", "system", "instructions"):
        given = value.get(name)
        if isinstance(given, str):
            return given
        if isinstance(given, dict) and isinstance(given.get("parts"), list):
            parts = (part.get("text") for part in given["parts"] if isinstance(part, dict))
            return "\n".join(text for text in parts if isinstance(text, str)) or None
    return None


def _role_of(value: dict[str, Any]) -> str:
    given = value.get("role", value.get("from"))
    role = _ROLES.get(given.strip().lower()) if isinstance(given, str) else None
    if role is None:
        said = f", not {given[:40]!r}" if isinstance(given, str) else ""
        raise NoTurnError(f"needs a role, user or model (or assistant){said}")
    return role


def _kind_of(part: dict[str, Any]) -> str:
    if part.get("thought") or part.get("type") in ("thinking", "reasoning"):
        return "thoughts"
    names = " ".join([str(part.get("type", "")), *part]).lower()
    if any(word in names for word in ("call", "tool", "function")):
        return "calls and results of functions"
    return "images, sounds or files"
