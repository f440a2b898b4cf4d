"""The REST endpoints: models, ephemeral tokens and metrics. Errors are Google's JSON objects.

As the sockets' paths, theirs may have any prefix: that of a reverse proxy, or a doubled slash.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.admission import OTHER_PROTOCOL, find_endpoint, is_interactions
from live_cli.net.server.access.tokens import TokensFullError, terms_of
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.count_tokens import CountTokensEndpoint, TokenCounter
from live_cli.net.server.rest_answers import admit, error, read_body
from live_cli.net.server.sessions import Sessions
from live_cli.net.server.store.session_store import STORE_AWAY, StoreAwayError
from live_cli.protocol.wire import decode_auth_token

if TYPE_CHECKING:
    from live_cli.net.server.stats.prometheus import PrometheusCounts

VERSIONS = ("v1", "v1beta", "v1alpha")
Answer = Callable[[Request], Awaitable[Response]]
_BODY_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as ``GET /v1beta/models`` lists it; limits in tokens, None where unknown."""

    id: str
    title: str
    description: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    thinks: bool = False


def rest_routes(
    models: Sequence[ListedModel], sessions: Sessions, counter: TokenCounter | None = None
) -> list[Route]:
    """Return the routes of ``models``, ``models/{id}`` and ``auth_tokens``, in each API version.

    ``counter``: counts the tokens of texts, at ``models/{id}:countTokens``.
    """
    listing, tokens = ModelList(models, sessions), TokenEndpoint(sessions)
    counting: list[tuple[str, str, Answer]] = []
    if counter is not None:
        endpoint = CountTokensEndpoint(counter, [model.id for model in models], sessions)
        counting.append(("POST", "models/{id}:countTokens", endpoint.count))
    return [
        route
        for version in VERSIONS
        for method, rest, answer in (
            ("GET", "models", listing.list),
            ("GET", "models/{id}", listing.get),
            ("POST", "auth_tokens", tokens.create),
            *counting,
        )
        for route in with_prefix(f"/{version}/{rest}", answer, method)
    ]


def with_prefix(path: str, answer: Answer, method: str = "GET") -> list[Route]:
    """Return the routes of ``path``, alone and behind any prefix."""
    return [Route(each, answer, methods=[method]) for each in (path, "/{prefix:path}" + path)]


def no_route() -> Route:
    """Return the route of every other path: a JSON error, whose message the SDKs show.

    That of a socket answers 426 (RFC 9110, 15.5.22): a proxy took the upgrade out of the request,
    or somebody looks with a browser.
    """

    async def answer(request: Request) -> Response:
        path = request.scope["path"]
        if is_interactions(path):
            return error(501, "UNIMPLEMENTED", OTHER_PROTOCOL.reason)
        if path.strip("/") and find_endpoint(path) is not None:
            refusal = error(
                426,
                "FAILED_PRECONDITION",
                "Only WebSockets connect here: the request has no `Upgrade: websocket`. "
                "A proxy in between has to pass it on.",
            )
            refusal.headers.update({"upgrade": "websocket", "connection": "upgrade"})
            return refusal
        return error(
            404, "NOT_FOUND", f"{path[:100]} is not here: this server speaks the Live API alone."
        )

    return Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


def metrics_routes(counts: "PrometheusCounts", sessions: Sessions) -> list[Route]:
    """Return the routes of ``/metrics``, behind the same key as the list of models."""

    async def answer(request: Request) -> Response:
        from live_cli.net.server.stats.prometheus import CONTENT_TYPE

        admitted = await admit(sessions, request)
        if isinstance(admitted, Response):
            return admitted
        return Response(counts.text(), headers={"content-type": CONTENT_TYPE})

    return with_prefix("/metrics", answer)


class ModelList:
    """``GET models`` and ``GET models/{id}``, in the form of Google's REST API."""

    def __init__(self, models: Sequence[ListedModel], sessions: Sessions) -> None:
        self._models = {model.id: _described(model) for model in models}
        self._sessions = sessions

    async def list(self, request: Request) -> Response:
        admitted = await admit(self._sessions, request)
        if isinstance(admitted, Response):
            return admitted
        return JSONResponse({"models": [*self._models.values()]})

    async def get(self, request: Request) -> Response:
        name = request.path_params["id"]
        admitted = await admit(self._sessions, request)
        if isinstance(admitted, Response):
            return admitted
        if name not in self._models:
            known = ", ".join(self._models)
            return error(404, "NOT_FOUND", f"models/{name} is not found here; known: {known}.")
        return JSONResponse(self._models[name])


class TokenEndpoint:
    """``POST auth_tokens``: creates an ephemeral token and answers with its name."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def create(self, request: Request) -> Response:
        maker = await admit(self._sessions, request)
        if isinstance(maker, Response):
            return maker
        body = await read_body(request, _BODY_BYTES, self._sessions.limits.request_s)
        if isinstance(body, Response):
            return body
        try:
            self._sessions.unknown_fields.check_token_request(body)
            terms = terms_of(decode_auth_token(body), datetime.now(UTC))
            name = await self._sessions.store.create_token(terms, maker)
        except RemoteProtocolError as exc:
            return error(400, "INVALID_ARGUMENT", exc.reason)
        except StoreAwayError:
            await self._sessions.refusals.note(request, STORE_AWAY)
            return error(503, "UNAVAILABLE", STORE_AWAY.reason)
        except TokensFullError:
            most = self._sessions.limits.tokens
            reason = f"This server keeps {most} tokens of a key; wait until some have expired."
            await self._sessions.refusals.note(request, CloseReason(1013, reason, "full"))
            return error(429, "RESOURCE_EXHAUSTED", reason)
        return JSONResponse({"name": name})


def _described(model: ListedModel) -> dict[str, Any]:
    limits = {"inputTokenLimit": model.input_tokens, "outputTokenLimit": model.output_tokens}
    return {
        "name": f"models/{model.id}",
        "version": "1",
        "displayName": model.title,
        "description": model.description,
        **{name: tokens for name, tokens in limits.items() if tokens is not None},
        "supportedGenerationMethods": ["bidiGenerateContent"],
        "thinking": model.thinks,
    }
