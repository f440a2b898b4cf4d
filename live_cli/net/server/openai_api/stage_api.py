"""The interface between the endpoints and an engine, which matches it structurally."""

from collections.abc import AsyncGenerator
from typing import Any, Protocol


class StageApi(Protocol):
    """Stages that callers elsewhere use. All calls raise UnsupportedError and EngineError."""

    async def transcribe(
        self, sound: bytes, *, words: bool, language: str | None
    ) -> dict[str, Any]:
        """Return what is said in a sound file, as ``verbose_json`` has it."""

    def speak(
        self, text: str, *, voice: str, speed: float, language: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield ``text`` as PCM16 at 24 kHz, a piece as soon as it is ready."""

    def chat(self, body: dict[str, Any], caller: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a reply as ``delta`` objects, then one with ``finish_reason`` and ``usage``.

        ``caller``: whose prompts are cached together.
        """
