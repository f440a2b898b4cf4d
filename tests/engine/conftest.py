"""Engines for the tests, on scripted stages and fake time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from live_cli.engine.engine import LiveEngine, LocalSession
from live_cli.engine.registry import Registry
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import ServerMessage, Setup
from tests.harness.chat_endpoint import ChatEndpoint, serving_endpoint
from tests.harness.scripted_session import FakeTime, ScriptedRegistry, SessionHarness

_DIALECT = Dialect()


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Callable[..., object]]:
    """``await connect(setup, registry=…)``: a session of an engine; all are closed after."""
    opened: list[tuple[LiveEngine, LocalSession]] = []

    async def _connect(
        setup: Setup,
        registry: Registry | None = None,
        engine: LiveEngine | None = None,
        dialect: Dialect = _DIALECT,
    ) -> SessionHarness:
        time = FakeTime()
        engine = engine or LiveEngine(
            registry=registry or ScriptedRegistry(), clock=time.clock, sleep=time.sleep
        )
        messages: list[ServerMessage] = []
        changed = asyncio.Event()

        async def emit(message: ServerMessage) -> None:
            messages.append(message)
            changed.set()

        session = await engine.open(setup, emit, dialect)
        opened.append((engine, session))
        return SessionHarness(session, time, messages, changed)

    yield _connect
    for engine, session in opened:
        await session.close()
        await engine.close()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatEndpoint]:
    """An OpenAI-compatible endpoint that needs no key."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving_endpoint() as running:
        yield running
