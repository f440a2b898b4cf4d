"""The share of all endpoints: let a caller in, give it a place, read its body, answer an error.

Errors are OpenAI's JSON objects, whose messages its SDKs show.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from live_cli.errors import EngineError, UnsupportedError
from live_cli.net.server.access.admission import Handshake, admit
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.refusals import Refusals
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.stats.counts import ServerCounts

_log = logging.getLogger("live_cli.stages")

ANSWER_S: Final = 900.0
"""The longest that a request may take, its upload included."""
_UPLOAD_S: Final = 60.0
_SECONDS_UNTIL_RETRY: Final = "1"
_STATUS: Final = {"key": 401, "origin": 403, "host": 403}

_Result = TypeVar("_Result")
RequestAnswer = Callable[[Request, Principal], Awaitable[Response]]


class HttpRefusalError(Exception):
    """A request is answered with an error; ``status`` and ``message`` are the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class CallerGoneError(Exception):
    """Whoever asked does not wait for the answer any more."""


def error(status: int, message: str) -> Response:
    """Return an error as OpenAI's API writes it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    code = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}.get(status)
    said = {"message": message, "type": kind, "param": None, "code": code}
    headers = {"retry-after": _SECONDS_UNTIL_RETRY} if status in (429, 503) else None
    return JSONResponse({"error": said}, status_code=status, headers=headers)


class StageGate:
    """Lets requests in: by key, Origin or Host, and as many at a time as ``limits.sessions``."""

    def __init__(
        self,
        keys: Collection[str],
        origins: Collection[str],
        limits: Limits,
        counts: ServerCounts,
    ) -> None:
        self.limits = limits
        self._keys = tuple(keys)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._counts = counts
        self._refusals = Refusals(counts, _log, limits.wrong_keys_per_min)
        self._under_way: set[int] = set()
        self._numbers = itertools.count()
        self._none_under_way = asyncio.Event()
        self._none_under_way.set()
        self.is_closing = False

    async def admit(self, request: Request) -> Principal | Response:
        """Return who sends ``request``, or the error response where it is refused."""
        query = request.scope["query_string"].decode("latin-1")
        admitted = admit(Handshake("/", query, request.headers), self._keys, self._origins)
        if not isinstance(admitted, CloseReason):
            request.scope["state"]["place"].admit()
            return admitted.principal
        if not await self._refusals.note(request, admitted):
            return Response(status_code=429)  # goes nowhere: the connection is cut
        return error(_STATUS.get(admitted.kind, 403), admitted.reason)

    async def serve(self, request: Request, answer: RequestAnswer) -> Response:
        """Return what ``answer`` returns for an admitted request, or why there is none.

        The request has its place until its response has been sent, or its caller is gone.
        """
        caller = await self.admit(request)
        if isinstance(caller, Response):
            return caller
        if self.is_closing or len(self._under_way) >= self.limits.sessions:
            self._counts.refuse("full")
            return error(503, "All places of this server are in use: try again, or another one.")
        number = next(self._numbers)
        self._under_way.add(number)
        self._none_under_way.clear()
        self._counts.open()
        request.scope["state"]["give_time"](ANSWER_S)
        response: Response | None = None
        try:
            response = await self._answered(request, caller, answer)
        finally:
            if not isinstance(response, StreamedResponse):
                self._leave(number)
        if isinstance(response, StreamedResponse):
            response.on_end = lambda: self._leave(number)
        return response

    async def _answered(
        self, request: Request, caller: Principal, answer: RequestAnswer
    ) -> Response:
        try:
            return await answer(request, caller)
        except HttpRefusalError as exc:
            return error(exc.status, exc.message)
        except UnsupportedError as exc:
            return error(400, exc.reason)
        except EngineError as exc:
            _log.error("a stage failed: %s", exc)
            return error(500, f"The stage failed: {exc}")
        except CallerGoneError:
            self._counts.interrupt()
            return Response(status_code=499)  # goes nowhere

    def _leave(self, number: int) -> None:
        if number in self._under_way:
            self._under_way.remove(number)
            self._counts.close(1000)
            if not self._under_way:
                self._none_under_way.set()

    async def end_requests(self) -> None:
        """Take no more requests; those under way may go on within the grace time."""
        self.is_closing = True
        self._refusals.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.limits.grace_s):
                await self._none_under_way.wait()


class StreamedResponse(Response):
    """A response whose body is ``pieces``, sent as they come; they are closed with its end.

    That is also when the caller leaves. ``on_end`` is called then.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__(media_type=media_type)
        self.on_end: Callable[[], None] = lambda: None
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, as ASGI calls it; where a stage fails in it, the connection is cut."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.ensure_future(self._send_pieces(send))
            await _first(sending, _gone(receive))
        except CallerGoneError:
            pass
        except EngineError as exc:
            _log.error("a stage failed in the middle of an answer: %s", exc)
            scope["state"]["abort"]()
        finally:
            await self._pieces.aclose()
            self.on_end()

    async def _send_pieces(self, send: Send) -> None:
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # for the loop to see a caller who left, before more is sent
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def while_there(request: Request, work: Awaitable[_Result]) -> _Result:
    """Return what ``work`` returns; it is cancelled where the caller of ``request`` leaves.

    The body has been read before. Raises CallerGoneError.
    """
    return await _first(asyncio.ensure_future(work), _gone(request.receive))


async def _first(work: "asyncio.Future[_Result]", gone: Awaitable[None]) -> _Result:
    leaving = asyncio.ensure_future(gone)
    try:
        await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise CallerGoneError
    finally:
        leaving.cancel()
        work.cancel()
        await asyncio.gather(work, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def bounded_body(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of a body. Raises HttpRefusalError where it is too large, or late."""
    size = 0
    try:
        async with asyncio.timeout(_UPLOAD_S):
            async for piece in request.stream():
                size += len(piece)
                if size > most_bytes:
                    raise HttpRefusalError(413, f"A request takes {most_bytes} bytes at most.")
                yield piece
    except TimeoutError:
        raise HttpRefusalError(408, "The body of the request did not come.") from None
