"""What all REST endpoints do: let a request in, read its body, answer an error."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live_cli.net.server.access.admission import BAD_KEY
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.sessions import Sessions


def error(code: int, status: str, message: str) -> Response:
    """Return an error as Google's REST API writes it."""
    said = {"code": code, "message": message, "status": status}
    return JSONResponse({"error": said}, status_code=code)


async def admit(sessions: Sessions, request: Request) -> Principal | Response:
    """Return who sends ``request``, or the error response where it is refused."""
    admitted = sessions.admit_request(request)
    if isinstance(admitted, Principal):
        return admitted
    if not await sessions.refusals.note(request, admitted):
        return Response(status_code=429)  # goes nowhere: the connection is cut
    if admitted is BAD_KEY:
        return error(400, "INVALID_ARGUMENT", admitted.reason)
    return error(403, "PERMISSION_DENIED", admitted.reason)


async def read_body(request: Request, most_bytes: int, within_s: float) -> bytes | Response:
    """Return the whole body, or the error response where it is too large or does not come."""
    body = b""
    try:
        async with asyncio.timeout(within_s):
            async for piece in request.stream():
                body += piece
                if len(body) > most_bytes:
                    said = f"This request takes {most_bytes} bytes at most."
                    return error(400, "INVALID_ARGUMENT", said)
    except TimeoutError:
        return error(408, "DEADLINE_EXCEEDED", "The body of the request did not come.")
    return body
