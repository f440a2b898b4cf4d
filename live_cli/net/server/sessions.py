"""The server's sessions: admits WebSockets, limits their number, and ends them all."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Collection
from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.audio_pace import AUDIO_PACE_HEADER, FASTER_THAN_REAL_TIME
from live_cli.net.server.access.admission import Endpoint, Handshake, admit
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.refusals import Refusals
from live_cli.net.server.access.tokens import Token
from live_cli.net.server.close import close_socket
from live_cli.net.server.close_reason import SHUTTING_DOWN, CloseReason
from live_cli.net.server.connection import ServerConnection, ServerContext
from live_cli.net.server.engine_api import Engine
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.unknown_field_policy import UnknownFieldPolicy
from live_cli.net.server.stats.counts import ServerCounts
from live_cli.net.server.store.session_store import STORE_AWAY, SessionStore, StoreAwayError

_HEADERS = ((AUDIO_PACE_HEADER.encode(), FASTER_THAN_REAL_TIME.encode()),)
_RELEASE_S = 1.0
"""How long sessions may take beyond the grace time to release their resources."""


class Sessions:
    """Admits clients, and holds the sessions that are open.

    ``keys``: any of these is accepted; with none, no key is asked for. ``origins``: web pages of
    these are admitted beside this machine's own. ``strict``: unknown fields end a session.
    ``on_idle``: called when the last session has ended.
    """

    def __init__(
        self,
        engine: Engine,
        keys: Collection[str],
        origins: Collection[str],
        limits: Limits,
        log: logging.Logger,
        *,
        store: SessionStore,
        strict: bool,
        counts: ServerCounts,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self.limits = limits
        self.store = store
        self.refusals = Refusals(counts, log, limits.wrong_keys_per_min)
        self._keys = tuple(keys)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._log = log
        self.unknown_fields = UnknownFieldPolicy(log, strict=strict)
        self._context = ServerContext(engine, limits, log, store, self.unknown_fields, counts)
        self._on_idle = on_idle
        self._numbers = itertools.count(1)
        self._open: dict[ServerConnection, asyncio.Event] = {}
        self._closing = False

    async def serve_websocket(self, websocket: WebSocket) -> None:
        """Accept a WebSocket; serve its session until the end, or close it with the refusal.

        Refused clients are accepted too: they take an HTTP status badly (reference 1.5). But while
        the server drains, the handshake is answered with 503: a balancer takes it to another
        replica then, before its health check knows, and the client notices nothing.
        """
        admitted = await self._admit(websocket)
        if self._closing and self.limits.drain_s and not isinstance(admitted, CloseReason):
            await self.refusals.note(websocket, SHUTTING_DOWN)
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await websocket.send_denial_response(PlainTextResponse("closing\n", 503))
            return
        if isinstance(admitted, CloseReason) and not await self.refusals.note(websocket, admitted):
            return
        if not isinstance(admitted, CloseReason):
            self._let_in(websocket, admitted[0].principal)
        try:
            await websocket.accept(headers=_HEADERS)
        except (WebSocketDisconnect, RuntimeError):
            return  # the client left before the handshake was answered
        if isinstance(admitted, CloseReason):
            await self._turn_away(websocket, admitted)
            return
        if (full := self._refuse_for_room(admitted[0].principal)) is not None:
            await self.refusals.note(websocket, full)
            await self._turn_away(websocket, full)
            return
        await self._serve(websocket, *admitted)

    async def _serve(self, websocket: WebSocket, endpoint: Endpoint, token: Token | None) -> None:
        """Serve an admitted client's session, where its key has a place for one."""
        connection = ServerConnection(
            websocket, endpoint, token, self._context, next(self._numbers)
        )
        released = self._open[connection] = asyncio.Event()
        most, principal, place = self.limits.sessions_per_key, endpoint.principal.id, None
        try:
            if most:
                place = await self.store.take_place(principal, most)
            if most and place is None:
                reason = f"All {most} sessions that this key may have are in use. Try later."
                full = CloseReason(1013, reason, "full")
                await self.refusals.note(websocket, full)
                await self._turn_away(websocket, full)
            else:
                await connection.run()
        finally:
            del self._open[connection]
            released.set()
            if not self._open:
                self._on_idle()
            if place is not None:
                await self.store.give_back(place)

    def _let_in(self, websocket: WebSocket, principal: Principal) -> None:
        """Give an admitted client its place, and its setup message the size that it may have."""
        state, limits = websocket.scope["state"], self.limits
        is_known = principal.kind != "nobody"
        state["admit"](limits.setup_bytes if is_known else limits.stranger_bytes)
        state["place"].admit()

    async def _turn_away(self, websocket: WebSocket, why: CloseReason) -> None:
        await self._read_setup(websocket)
        await close_socket(websocket, why)

    async def _read_setup(self, websocket: WebSocket) -> None:
        """Wait briefly for the setup message of a client that is going to be refused.

        The Python SDK does not expect a close while it sends the setup: its user would get an
        exception of the WebSocket library in place of the SDK's APIError with the reason.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.limits.refused_s):
                await websocket.receive()

    @property
    def is_closing(self) -> bool:
        """Return whether new sessions are refused because the server stops."""
        return self._closing

    async def end_sessions(self) -> None:
        """Send goAway to every session, and close with 1001 those that stay.

        Clients have the drain time to go on elsewhere, then turns the grace time to finish.
        """
        self._closing = True
        await self._drain()
        self.refusals.close()
        ending = [
            asyncio.create_task(self._end_session(connection, released))
            for connection, released in self._open.items()
        ]
        if ending:
            _, late = await asyncio.wait(ending, timeout=self.limits.grace_s + _RELEASE_S)
            for task in late:
                task.cancel()

    async def _drain(self) -> None:
        """Tell all sessions at once to leave, and wait until they have, or the time is over."""
        drain_s = self.limits.drain_s
        if not (drain_s and self._open):
            return
        telling = [asyncio.create_task(each.tell_to_leave(drain_s)) for each in self._open]
        leaving = [asyncio.create_task(released.wait()) for released in self._open.values()]
        _, late = await asyncio.wait([*telling, *leaving], timeout=drain_s)
        for task in late:
            task.cancel()

    async def _end_session(self, connection: ServerConnection, released: asyncio.Event) -> None:
        await connection.shut_down(self.limits.grace_s)
        await released.wait()

    def admit_request(self, request: HTTPConnection) -> Principal | CloseReason:
        """Return who sends an HTTP request, or why it is refused: by its key, Origin or Host."""
        admitted = admit(_handshake(request, "/"), self._keys, self._origins)
        return admitted if isinstance(admitted, CloseReason) else admitted.principal

    async def _admit(self, websocket: WebSocket) -> tuple[Endpoint, Token | None] | CloseReason:
        handshake = _handshake(websocket, websocket.scope["path"])
        endpoint = admit(handshake, self._keys, self._origins)
        if isinstance(endpoint, CloseReason):
            return endpoint
        token = None
        if endpoint.token is not None:
            try:
                found = await self.store.find_token(endpoint.token)
            except StoreAwayError:
                found = STORE_AWAY
            if isinstance(found, CloseReason):
                return found
            token = found
            endpoint = replace(endpoint, principal=token.principal)
        return endpoint, token

    def _refuse_for_room(self, principal: Principal) -> CloseReason | None:
        """Return why no session of ``principal`` may begin now.

        The last place is kept from tokens: who holds one must not lock out who made it.
        """
        if self._closing:
            return SHUTTING_DOWN
        most = self.limits.sessions
        by_token = principal.kind == "token" and most > 1
        if len(self._open) >= most - by_token:
            whose = "that tokens may have" if by_token else "of this server"
            reason = f"All {most - by_token} sessions {whose} are in use. Try later."
            return CloseReason(1013, reason, "full")
        return None


def _handshake(connection: HTTPConnection, path: str) -> Handshake:
    return Handshake(path, connection.scope["query_string"].decode("latin-1"), connection.headers)
