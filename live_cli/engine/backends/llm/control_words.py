"""Control words: what a chat template writes between the messages, kept out of the messages. Pure.

llama.cpp turns a rendered prompt into tokens as a whole, so that a control token's text is that
token wherever it stands: ``<|im_start|>system`` in what a user says would begin a message of the
system. A control word in text from outside is therefore broken by a character after its first,
which leaves it readable and makes it text.

Which words these are, the vocabulary and the template of the loaded model tell. The words between
which a template writes the parts of a message, and that are no token of their own (``[INST]``,
``<tool_response>``), are among them: for the model they mean the same.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from live_cli.engine.backends.llm.gguf_metadata import CONTROL, UNKNOWN, GgufMetadata
from live_cli.engine.stages import ChatMessage

_NAMED_LIKE_CONTROL = re.compile(r"<[|｜]\S+[|｜]>")
"""A token named so is a control token, whatever its type says: llama.cpp takes many for one."""
_IN_TEMPLATE = re.compile(r"""<[^<>\s'"{}%]+>|\[/?[A-Z][A-Z_]*\]""")
_BREAKERS = (" ", "\u2060", "\u200b", "\ufffd")
"""Tried in this order: a space, the word joiner, the space without width, the replacement mark."""


def control_words_of(metadata: GgufMetadata, template: str) -> set[str]:
    """Return the control words of a model that is prompted by ``template``."""
    words = set(_IN_TEMPLATE.findall(template))
    for token, kind in zip(metadata.tokens, metadata.token_types, strict=False):
        if kind in (UNKNOWN, CONTROL) or token.startswith(b"<"):
            word = token.decode(errors="replace")
            if kind in (UNKNOWN, CONTROL) or _NAMED_LIKE_CONTROL.fullmatch(word):
                words.add(word)
    return {word for word in words if word.strip()}


class ControlWords:
    """Breaks control words in text. No result holds one, however the words overlap or nest.

    The character that breaks a word is in none, so that what lies between two of them stood so in
    the text, where each word's first character is followed by one. The cost is linear in the text.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        held = set("".join(self._words))
        self._breaker = next(mark for mark in _BREAKERS if mark not in held)
        sizes: dict[str, set[int]] = defaultdict(set)
        for word in self._words:
            sizes[word[:2]].add(len(word))
        self._sizes = {start: tuple(sorted(each)) for start, each in sizes.items()}
        starts = "".join(sorted(re.escape(word[0]) for word in self._words))
        self._start = re.compile(f"[{starts}]") if starts else None

    def broken(self, text: str) -> str:
        """Return ``text`` with every control word broken; one of one character is replaced."""
        return self._start.sub(self._start_broken, text) if self._start else text

    def broken_in_json(self, value: Any) -> Any:
        """Return JSON ``value`` with its strings and names broken; the depth does not matter."""
        top = [value]
        unread: list[Any] = [top]
        while unread:
            holder = unread.pop()
            for at, held in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
                if isinstance(held, str):
                    holder[at] = self.broken(held)
                elif isinstance(held, dict):
                    holder[at] = {self.broken(name): each for name, each in held.items()}
                    unread.append(holder[at])
                elif isinstance(held, list):
                    holder[at] = list(held)
                    unread.append(holder[at])
        return top[0]

    def broken_in_calls(self, message: ChatMessage) -> ChatMessage:
        """Return ``message`` with the arguments of its calls broken, before they become text."""
        if not message.calls:
            return message
        calls = (
            replace(call, arguments=self.broken_in_json(call.arguments)) for call in message.calls
        )
        return replace(message, calls=tuple(calls))

    def _start_broken(self, found: re.Match[str]) -> str:
        text, at = found.string, found.start()
        if text[at] in self._words:
            return self._breaker
        sizes = self._sizes.get(text[at : at + 2], ())
        is_word = any(text[at : at + size] in self._words for size in sizes)
        return found[0] + self._breaker if is_word else found[0]
