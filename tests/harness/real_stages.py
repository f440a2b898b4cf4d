"""The real stages, loaded once for all rooms: a pytest plugin."""

import pytest

from live_cli.engine.registry import Registry
from tests.harness.scripted_session import ScriptedRegistry


@pytest.fixture(scope="session")
def transcriber() -> object:
    """Moonshine, loaded once."""
    from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber

    return MoonshineTranscriber()


@pytest.fixture(scope="session")
def synthesizer() -> object:
    """hibari, loaded once."""
    from live_cli.engine.backends.tts.hibari import HibariSynthesizer

    return HibariSynthesizer()


@pytest.fixture(scope="session")
def chat() -> object:
    """The bundled chat model, loaded once."""
    from live_cli.engine.backends.llm.gguf import GgufChatModel
    from live_cli.engine.chat_models.lookup import find_chat_model

    return GgufChatModel(find_chat_model().path)


@pytest.fixture
def real(transcriber: object, synthesizer: object, chat: object) -> Registry:
    """A registry of the real stages."""
    from live_cli.engine.backends.vad.silero import SileroDetector

    return ScriptedRegistry(chat, transcriber, synthesizer, SileroDetector)
