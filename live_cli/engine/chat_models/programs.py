"""Chat models that other programs on this machine serve: asked once, shortly, and only on demand.

Each of these programs speaks OpenAI's protocol at a port of its own on the loopback. Nothing is
sent to it but the question which models it has, without any key; no proxy is on the way.
"""

import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from live_cli.engine.backends.table import CHAT_PROGRAMS
from live_cli.loopback import LOOPBACK_ADDRESS

_TITLES = {
    "ollama": "Ollama",
    "lmstudio": "LM Studio",
    "vllm": "vLLM",
}
_LIMIT_S = 0.7
_MOST_BYTES = 1 << 20
_MOST_MODELS, _LONGEST_NAME = 200, 200


@dataclass(frozen=True, slots=True)
class ChatProgram:
    """A program that answers, and its models by their ids; ``name``: as a setting writes it."""

    name: str
    models: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name of the program as its makers write it."""
        return _TITLES.get(self.name, self.name)


def find_programs(ports: dict[str, int] = CHAT_PROGRAMS) -> list[ChatProgram]:
    """Return the programs that answer at their port with a list of models."""
    with ThreadPoolExecutor(len(ports)) as threads:
        answers = threads.map(_models_at, ports.values())
        found = zip(ports, answers, strict=True)
        return [ChatProgram(name, tuple(models)) for name, models in found if models is not None]


def _models_at(port: int) -> Sequence[str] | None:
    """Return the ids of the models at ``port``; None where nothing there lists any."""
    connection = http.client.HTTPConnection(LOOPBACK_ADDRESS, port, timeout=_LIMIT_S)
    try:
        connection.request("GET", "/v1/models", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        listed = json.loads(answer.read(_MOST_BYTES)) if answer.status == http.HTTPStatus.OK else {}
        ids = [each["id"] for each in listed["data"][:_MOST_MODELS]]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return None  # another program's port
    finally:
        connection.close()
    return [name for name in ids if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME]
