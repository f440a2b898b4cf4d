"""Engines for the tests: on scripted stages and fake time, and the real one, loaded once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from live_cli.engine.engine import EngineSession, LiveEngine
from live_cli.engine.registry import Registry
from live_cli.protocol.messages import ServerMessage, Setup
from tests.engine.endpoint import Endpoint, serving
from tests.engine.line import FakeTime, Line, ScriptedRegistry


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Callable[..., object]]:
    """``await connect(setup, registry=…)``: a line to an engine; everything is closed after."""
    opened: list[tuple[LiveEngine, EngineSession]] = []

    async def _connect(
        setup: Setup, registry: Registry | None = None, engine: LiveEngine | None = None
    ) -> Line:
        time = FakeTime()
        engine = engine or LiveEngine(
            registry=registry or ScriptedRegistry(), clock=time.clock, sleep=time.sleep
        )
        messages: list[ServerMessage] = []
        changed = asyncio.Event()

        async def emit(message: ServerMessage) -> None:
            messages.append(message)
            changed.set()

        session = await engine.open(setup, emit)
        opened.append((engine, session))
        return Line(session, time, messages, changed)

    yield _connect
    for engine, session in opened:
        await session.close()
        await engine.close()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An OpenAI-compatible endpoint that needs no key."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def ears() -> object:
    """Moonshine, loaded once."""
    from live_cli.engine.backends.moonshine import MoonshineTranscriber

    return MoonshineTranscriber()


@pytest.fixture(scope="session")
def mouth() -> object:
    """hibari, loaded once."""
    from live_cli.engine.backends.hibari import HibariSynthesizer

    return HibariSynthesizer()


@pytest.fixture(scope="session")
def chat() -> object:
    """The bundled chat model, loaded once."""
    from live_cli.engine.backends.gguf import GgufChatModel
    from live_cli.engine.models import find_chat_model

    return GgufChatModel(find_chat_model().path)


@pytest.fixture
def real(ears: object, mouth: object, chat: object) -> Registry:
    """A registry of the real stages."""
    from live_cli.engine.backends.silero import SileroDetector

    return ScriptedRegistry(chat, ears, mouth, SileroDetector)
