"""Whether a chat model sees pictures, known by its name: nothing is loaded, nobody is asked."""

from live_cli.engine.backends.table import Stage, find_backend

_ASKED_LATER = "openai"
"""Which of its models see an endpoint does not tell: it refuses the picture that none can."""


def may_see(chat: str) -> bool:
    """Return whether the chat model that the setting ``chat`` names takes pictures, or may."""
    backend, _ = find_backend(Stage.CHAT, chat)
    return backend is not None and backend.name == _ASKED_LATER
