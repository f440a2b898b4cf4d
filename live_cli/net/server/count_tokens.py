"""``POST models/{id}:countTokens``: the tokens of a text, before it is sent into a session.

The method is Google's, its answer ``{"totalTokens": n}``. Text alone
is counted, by the tokenizer of the chat model that reads it, with what its template adds.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live_cli.errors import EngineError, RemoteProtocolError
from live_cli.net.server.rest_answers import admit, error, read_body
from live_cli.net.server.sessions import Sessions
from live_cli.protocol.messages import Content
from live_cli.protocol.wire import decode_count_request

_MOST_BYTES = 1 << 20
"""Of a request: some 250,000 tokens, which take a second to count; what is larger fits nowhere."""


class TokenCounter(Protocol):
    """Counts what a chat model would read; engines match it structurally."""

    async def count_tokens(self, system: str, contents: Sequence[Content]) -> int | None:
        """Return the tokens of a prompt; None: this model does not tell.

        Raises EngineError where no model can be loaded.
        """


class CountTokensEndpoint:
    """Counts for whoever is let in, one request at a time: it takes the time of the processor."""

    def __init__(self, counter: TokenCounter, known: Sequence[str], sessions: Sessions) -> None:
        self._counter = counter
        self._known = known
        self._sessions = sessions
        self._one_at_a_time = asyncio.Lock()

    async def count(self, request: Request) -> Response:
        admitted = await admit(self._sessions, request)
        if isinstance(admitted, Response):
            return admitted
        name = request.path_params["id"]
        if name not in self._known:
            return error(404, "NOT_FOUND", f"models/{name} is not found here.")
        body = await read_body(request, _MOST_BYTES, self._sessions.limits.request_s)
        if isinstance(body, Response):
            return body
        try:
            asked = decode_count_request(body)
        except RemoteProtocolError as exc:
            return error(400, "INVALID_ARGUMENT", exc.reason)
        prompt = asked.generate_content_request or asked
        system = prompt.system_instruction.text if prompt.system_instruction else ""
        try:
            async with self._one_at_a_time:
                tokens = await self._counter.count_tokens(system, prompt.contents or [])
        except EngineError as exc:
            return error(503, "UNAVAILABLE", str(exc))
        if tokens is None:
            return error(501, "UNIMPLEMENTED", "The chat model behind this server counts nothing.")
        return JSONResponse(_counted(tokens))


def _counted(tokens: int) -> dict[str, Any]:
    details = [{"modality": "TEXT", "tokenCount": tokens}]
    return {"totalTokens": tokens, "promptTokensDetails": details}
