"""Abilities of a chat model by its name and files: nothing is loaded, nobody asked."""

from live_cli.engine.backends.table import Stage, find_backend
from live_cli.errors import EngineError

_ASKED_LATER = "openai"
"""Which of its models see an endpoint does not tell: it refuses the picture that none can."""
_BY_PROJECTOR = "gguf"


def may_see(chat: str) -> bool:
    """Return whether the chat model that the setting ``chat`` names takes pictures, or may."""
    backend, model = find_backend(Stage.CHAT, chat)
    if backend is None or backend.name != _BY_PROJECTOR:
        return backend is not None and backend.name == _ASKED_LATER
    from live_cli.engine.chat_models.lookup import PULLABLE, find_chat_model

    if (to_pull := PULLABLE.get(model)) is not None:
        return to_pull.projector is not None
    try:
        return find_chat_model(model).projector is not None
    except EngineError:
        return True  # what is not there is refused by its own error


def writes_english_only(chat: str) -> bool:
    """Return whether the setting ``chat`` means the bundled model, which knows English alone."""
    backend, model = find_backend(Stage.CHAT, chat)
    if backend is None or backend.name != _BY_PROJECTOR:
        return False
    from live_cli.engine.chat_models.lookup import BUNDLED, find_chat_model

    try:
        return find_chat_model(model).name == BUNDLED
    except EngineError:
        return False
