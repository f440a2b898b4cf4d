"""How the server ends a connection: a close code and a reason, or a cut when nobody reads them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.server.limits.limits import closing_reason


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a session ends: the close code and reason, and who said so."""

    code: int
    reason: str = ""
    by_client: bool = False
    stuck: bool = False
    """The client does not read: it gets the close frame if it can, and no patience."""


async def close_socket(socket: WebSocket, ending: Ending) -> None:
    """Send a close frame; a client that does not read is cut off."""
    if ending.by_client:
        return
    reason = closing_reason(ending.reason)
    if not ending.stuck:
        try:
            async with asyncio.timeout(1.0):
                await socket.close(ending.code, reason)
                return
        except (WebSocketDisconnect, RuntimeError):
            return  # gone already
        except TimeoutError:
            pass
    cut: Callable[[int, str], None] = socket.scope["state"]["cut"]
    cut(ending.code, reason)
