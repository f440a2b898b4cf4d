"""The REST side of the Live API, as far as it is here; errors are Google's JSON error object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from live_cli.net.doors import BAD_KEY
from live_cli.net.reception import Reception


@dataclass(frozen=True, slots=True)
class ListedModel:
    """What ``GET /v1beta/models`` says of a model; limits in tokens."""

    id: str
    title: str
    input_tokens: int
    output_tokens: int
    thinks: bool = False


class ModelList:
    """``GET /{version}/models`` and ``/{version}/models/{id}``, as Google's REST API words them."""

    def __init__(self, models: Sequence[ListedModel], reception: Reception) -> None:
        self._models = {model.id: _described(model) for model in models}
        self._reception = reception

    def routes(self) -> list[Route]:
        return [
            Route(f"/{version}/models{rest}", answer)
            for version in ("v1", "v1beta", "v1alpha")
            for rest, answer in (("", self._list), ("/{id}", self._get))
        ]

    async def _list(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse({"models": list(self._models.values())})

    async def _get(self, request: Request) -> Response:
        name = request.path_params["id"]
        if (refused := self._refused(request)) is not None:
            return refused
        if name not in self._models:
            known = ", ".join(self._models)
            return _error(404, "NOT_FOUND", f"models/{name} is not found here; known: {known}.")
        return JSONResponse(self._models[name])

    def _refused(self, request: Request) -> Response | None:
        refusal = self._reception.refuses(request)
        if refusal is None:
            return None
        if refusal is BAD_KEY:
            return _error(400, "INVALID_ARGUMENT", refusal.reason)
        return _error(403, "PERMISSION_DENIED", refusal.reason)


def _described(model: ListedModel) -> dict[str, Any]:
    return {
        "name": f"models/{model.id}",
        "version": "1",
        "displayName": model.title,
        "description": model.title,
        "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens,
        "supportedGenerationMethods": ["bidiGenerateContent"],
        "thinking": model.thinks,
    }


def _error(code: int, status: str, message: str) -> Response:
    error = {"code": code, "message": message, "status": status}
    return JSONResponse({"error": error}, status_code=code)
