"""A Live API server that answers lines of text, and drops connections within its answers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Drop = Callable[[ServerConnection], Awaitable[None]]


def closing(code: int, reason: str = "") -> Drop:
    async def drop(socket: ServerConnection) -> None:
        await socket.close(code, reason)

    return drop


async def reset(socket: ServerConnection) -> None:
    socket.transport.abort()


async def hang_up(socket: ServerConnection) -> None:
    """End TCP in order, without a close frame."""
    socket.transport.close()


async def tear(socket: ServerConnection) -> None:
    """End within a frame."""
    socket.transport.write(b'\x81\x7e\x01\x00{"serverCont')
    socket.transport.close()


async def freeze(socket: ServerConnection) -> None:
    """Keep the socket open, and send nothing more."""
    await socket.wait_closed()


async def leave(socket: ServerConnection) -> None:
    """Announce the end, then end in order."""
    await socket.send(json.dumps({"goAway": {"timeLeft": "0.2s"}}))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await socket.wait_closed()
    await socket.close(1000)


DROPS: dict[str, Drop] = {
    "reset": reset,
    "hang-up": hang_up,
    "torn frame": tear,
    "frozen": freeze,
    "goAway": leave,
    "1000": closing(1000),
    "1001": closing(1001, "going away"),
    "1011 unavailable": closing(1011, "The service is currently unavailable."),
    "1012": closing(1012, "restarting"),
    "1013": closing(1013, "Try again later."),
}


def answer_to(question: str) -> str:
    return f"Answer to {question}: one two."


def _steps(question: str, handle: str) -> list[dict[str, Any]]:
    """The payloads of an answer, in the service's order."""
    texts = (f"Answer to {question}: ", "one ", "two.")
    return [
        *({"serverContent": {"modelTurn": {"parts": [{"text": text}]}}} for text in texts),
        {"serverContent": {"generationComplete": True}},
        {"serverContent": {"turnComplete": True}},
        {"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}},
    ]


STEPS = len(_steps("", ""))
BEFORE_THE_QUESTION = -1


@dataclass
class DroppingServer:
    """Answers; the answer to ``broken`` breaks off before its payload number ``step``.

    That happens on as many connections as ``drops`` has entries, each in its way.
    ``BEFORE_THE_QUESTION``: the first connection ends before it is read. ``gone``: no connection
    is made any more after the last drop. ``pictures``: how many have come.
    """

    broken: str
    step: int
    drops: list[Drop]
    gone: bool = False
    handles: list[str | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pictures: int = 0
    port: int = 0
    _listener: Server | None = None
    _given: int = 0

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def handle(self, socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            setup = json.loads(await socket.recv())["setup"]
            resumption = setup.get("sessionResumption") or {}
            self.handles.append(resumption.get("handle"))
            await socket.send(json.dumps({"setupComplete": {}}))
            if self.step == BEFORE_THE_QUESTION and self.drops:
                await self._drop(socket)
                return
            async for payload in socket:
                message = json.loads(payload)
                self.pictures += _pictures(message)
                for question in _questions(message):
                    self.asked.append(question)
                    if not await self._answer(socket, question):
                        return

    async def _answer(self, socket: ServerConnection, question: str) -> bool:
        """Answer; False: the connection was dropped."""
        self._given += 1
        steps: list[dict[str, Any] | None] = [*_steps(question, f"h{self._given}"), None]
        for number, step in enumerate(steps):
            if question == self.broken and number == self.step and self.drops:
                await self._drop(socket)
                return False
            if step is not None:
                await socket.send(json.dumps(step))
        return True

    async def _drop(self, socket: ServerConnection) -> None:
        drop = self.drops.pop(0)
        if self.gone and not self.drops and self._listener is not None:
            self._listener.close(close_connections=False)
        await drop(socket)


def _questions(message: dict[str, Any]) -> list[str]:
    if "realtimeInput" in message:
        given = message["realtimeInput"]
        return [given["text"]] if "text" in given else []
    return [part["text"] for part in _parts(message) if "text" in part]


def _pictures(message: dict[str, Any]) -> int:
    if "realtimeInput" in message:
        return int("video" in message["realtimeInput"])
    return sum("inlineData" in part for part in _parts(message))


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    turns = message["clientContent"].get("turns") or []
    return [part for turn in turns for part in turn["parts"]]


@asynccontextmanager
async def dropping(
    broken: str, step: int, *drops: Drop, gone: bool = False
) -> AsyncIterator[DroppingServer]:
    server = DroppingServer(broken, step, list(drops), gone)
    async with serve(server.handle, "127.0.0.1", 0) as listener:
        server._listener = listener
        server.port = listener.sockets[0].getsockname()[1]
        yield server
