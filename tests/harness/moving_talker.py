"""A talker that types to several servers, goes over from one to another, and notes what comes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    Reconnected,
    Reconnecting,
    ResumptionUpdated,
    SessionClosed,
    TextChunk,
    ToolCallRequested,
    TurnComplete,
)
from live_cli.protocol.messages import FunctionResponse, SessionResumptionConfig, Setup

WITHIN_S = 60.0


@dataclass
class MovingTalker:
    """``ports``: of servers that are tried in turn. ``on_answer``: told when an answer begins."""

    ports: Sequence[int]
    setup: Setup
    on_answer: Callable[[str], object] = lambda line: None
    connected: int = 0  # to which of the ports
    moves: list[bool] = field(default_factory=list)  # whether each restored the session
    ended: list[SessionClosed] = field(default_factory=list)
    handle: str = ""

    async def _connect(self, setup: Setup, first_turn: int) -> LiveClient:
        port = self.ports[self.connected % len(self.ports)]
        self.connected += 1
        address = Address(f"ws://127.0.0.1:{port}", None, "v1beta", "the replica")
        return await LiveClient.connect(address, setup, first_turn=first_turn)

    async def say(self, lines: Sequence[str]) -> None:
        """Type each line and wait until its turn is over and in a handle."""
        setup = replace(self.setup, session_resumption=SessionResumptionConfig())
        first = await self._connect(setup, 1)
        client = ResumingClient(first, setup, self._connect, goes_on=True)
        try:
            for line in lines:
                await client.send(compose.text(line))
                async with asyncio.timeout(WITHIN_S):
                    await self._until_kept(client, line)
                if self.ended:
                    return
        finally:
            await client.connection.close()

    async def _until_kept(self, client: ResumingClient, line: str) -> None:
        answered = over = asks_again = False
        async for event in client:
            match event:
                case AudioChunk() | TextChunk() if not answered:
                    answered = True
                    self.on_answer(line)
                case TurnComplete(interrupted=False):
                    over = answered
                case ResumptionUpdated(handle) if handle is not None:
                    self.handle = handle
                    if over:
                        return
                case Reconnecting(lost):
                    asks_again = lost.turn_lost
                case Reconnected(restored):
                    self.moves.append(restored)
                    answered = over = False
                    if asks_again:  # a broken answer's question is in no handle
                        await client.send(compose.text(line))
                case _:
                    await self._note(client, event)

    async def _note(self, client: ResumingClient, event: Event) -> None:
        if isinstance(event, ToolCallRequested):
            results = [
                FunctionResponse(id=call.id, name=call.name, response={"found": call.name})
                for call in event.calls
            ]
            await client.send(compose.tool_response(results))
        elif isinstance(event, SessionClosed):
            self.ended.append(event)
