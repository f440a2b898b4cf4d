"""The models that `serve` lists: the local one, and all Live models a program may ask for."""

from typing import TYPE_CHECKING

from live_cli.catalog import LOCAL, MODELS, Model
from live_cli.engine.backends.table import Argument, Stage, find_backend
from live_cli.net.server.rest import ListedModel

if TYPE_CHECKING:
    from live_cli.settings.schema import EngineSettings


def served_models(options: "EngineSettings") -> list[ListedModel]:
    """The local model first; it also answers for Gemini's, within the limits of their family."""
    return [own_model(options.chat), *(_answered(model) for model in MODELS if model is not LOCAL)]


def own_model(chat: str) -> ListedModel:
    """The model of this machine; ``chat``: the backend of its chat stage."""
    from live_cli.engine.backends.llm import gguf, openai

    backend, _ = find_backend(Stage.CHAT, chat)
    by_endpoint = backend is not None and backend.argument is Argument.ENDPOINT
    tokens = openai.CONTEXT_TOKENS if by_endpoint else gguf.CONTEXT_TOKENS
    title = LOCAL.title[0].upper() + LOCAL.title[1:]
    return ListedModel(LOCAL.id, title, title, tokens, tokens, thinks=LOCAL.thinking != "none")


def _answered(model: Model) -> ListedModel:
    return ListedModel(
        model.id,
        model.title,
        f"{model.title}, answered by the local engine",
        model.context_tokens,
        model.output_tokens,
        thinks=model.thinking != "none",
    )
