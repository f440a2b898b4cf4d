"""The entries of a history as messages of a chat, as chat templates want them. Pure."""

from collections.abc import Iterable

from live_cli.engine.conversation.history.entries import MODEL, TOOL, Entry
from live_cli.engine.stages import ChatMessage

_ROLES = {MODEL: "assistant", TOOL: "tool"}
_EMPTY_ANSWER = ChatMessage("assistant", "…")


def messages_of(entries: Iterable[Entry]) -> list[ChatMessage]:
    """Return what the chat model reads of ``entries``.

    Consecutive entries of one role are one message, for chat templates want turns to alternate;
    some also want a message of the assistant between a tool's and the user's.
    """
    messages: list[ChatMessage] = []
    joined: list[Entry] = []  # the entries of the next message
    for entry in entries:
        if joined and not _are_joined(joined[-1], entry):
            messages.append(_message_of(joined))
            if messages[-1].role == "tool" and _role_of(entry) == "user":
                messages.append(_EMPTY_ANSWER)
            joined = []
        joined.append(entry)
    if joined:
        messages.append(_message_of(joined))
    return messages


def _role_of(entry: Entry) -> str:
    return "user" if entry.is_user_side else _ROLES[entry.role]


def _are_joined(entry: Entry, following: Entry) -> bool:
    """Whether both are in one message; calls end a message, and each result is one of its own."""
    role = _role_of(entry)
    return role == _role_of(following) != "tool" and not entry.calls


def _message_of(entries: list[Entry]) -> ChatMessage:
    last = entries[-1]
    text = "\n".join(text for entry in entries if (text := entry.model_text))
    images = tuple(stored.image for entry in entries for stored in entry.images)
    return ChatMessage(_role_of(last), text, images, last.calls, last.call_id)
