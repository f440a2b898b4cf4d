"""The application of the stages inside an ASGI server of somebody else, such as Ray Serve's.

`uvicorn_server` gives each request the place of its connection, its deadline and a way to cut it.
In another server connections and deadlines are that server's affair.
"""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from live_cli.loopback import reaches_this_machine
from live_cli.net.server.openai_api.gate import error


class HostedApp:
    """``app``, which `build_stages_app` made, for any ASGI server.

    ``this_machine_only``: callers at other addresses are refused, for where no key is asked for.
    """

    def __init__(self, app: ASGIApp, *, this_machine_only: bool) -> None:
        self._app = app
        self._this_machine_only = this_machine_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI calls it.

        A response that is cut ends without its last piece, of which the server makes an end of the
        connection.
        """
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if self._this_machine_only and not _is_from_here(scope):
            refusal = error(403, "Without a key only this machine may ask: set LIVE_CLI_KEY.")
            return await refusal(scope, receive, send)
        state = {**scope.get("state", {}), **_STATE}
        return await self._app({**scope, "state": state}, receive, send)


class _NoPlace:
    """The place of a connection that another server counts."""

    def admit(self) -> None:
        """Nothing: whose turn it is to leave is not decided here."""


def _nothing(*_: Any) -> None:
    pass


_STATE = {"place": _NoPlace(), "give_time": _nothing, "abort": _nothing}


def _is_from_here(scope: Scope) -> bool:
    client = scope.get("client")
    return client is not None and reaches_this_machine(str(client[0]))
