"""Closes a server's WebSocket by a close frame, or aborts it when the client does not read."""

import asyncio
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.server.close_reason import CloseReason, closing_reason


async def close_socket(socket: WebSocket, why: CloseReason) -> None:
    """Send the close frame; abort the connection when it is not taken within a second."""
    if why.by_client:
        return
    reason = closing_reason(why.reason)
    if not why.stuck:
        try:
            async with asyncio.timeout(1.0):
                await socket.close(why.code, reason)
                return
        except (WebSocketDisconnect, RuntimeError):
            return  # closed already
        except TimeoutError:
            pass
    close_and_abort: Callable[[int, str], None] = socket.scope["state"]["close_and_abort"]
    close_and_abort(why.code, reason)
