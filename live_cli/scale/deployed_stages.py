"""The stages as the endpoints ask for them, each of which is a deployment of Ray Serve.

Fits the Protocol `StageApi` of net. Ray gives a request to a replica once: where that replica dies
with it, the request is asked for again, of whichever replica Ray names next, as long as nothing of
its answer has been passed on.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, Final

from ray.exceptions import RayActorError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from live_cli.engine.backends.table import Stage
from live_cli.errors import EngineError, LiveError
from live_cli.net.server.openai_api.gate import HttpRefusalError

_ATTEMPTS: Final = 3
"""Of one request: what kills a second and a third replica is the request."""


class DeployedStages:
    """The stages behind ``handles``, by the names of the stages."""

    def __init__(self, handles: Mapping[str, Any]) -> None:
        self._handles = dict(handles)

    async def transcribe(
        self, sound: bytes, *, words: bool, language: str | None
    ) -> dict[str, Any]:
        """Return what is said in a sound file, as ``verbose_json`` has it.

        Raises UnsupportedError, EngineError, HttpRefusalError where all replicas are busy.
        """
        transcriber = self._handles[Stage.TRANSCRIBER.value].transcribe

        def ask() -> Any:
            return transcriber.remote(sound, words=words, language=language)

        heard: dict[str, Any] = await _whole(ask)
        return heard

    async def speak(
        self, text: str, *, voice: str, speed: float, language: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield ``text`` as PCM16 at 24 kHz. Raises as `transcribe` does."""
        synthesizer = self._handles[Stage.SYNTHESIZER.value].options(stream=True).speak

        def ask() -> Any:
            return synthesizer.remote(text, voice=voice, speed=speed, language=language)

        async with aclosing(_pieces(ask)) as pieces:
            async for piece in pieces:
                yield piece

    async def chat(self, body: dict[str, Any], caller: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a reply's deltas, then what ends it. Raises as `transcribe` does."""
        chat = self._handles[Stage.CHAT.value].options(stream=True).chat
        async with aclosing(_pieces(lambda: chat.remote(body, caller))) as parts:
            async for part in parts:
                yield part


async def _whole(ask: Callable[[], Any]) -> Any:
    left = _ATTEMPTS
    while True:
        answer = ask()
        try:
            with _errors_as_ours():
                return await answer
        except RayActorError as exc:
            left -= 1
            if not left:
                raise _died(exc) from exc
        except asyncio.CancelledError:
            answer.cancel()
            raise


async def _pieces(ask: Callable[[], Any]) -> AsyncGenerator[Any, None]:
    """Yield the pieces of an answer; closing this generator cancels the request."""
    left = _ATTEMPTS
    while True:
        answer, begun = ask(), False
        try:
            with _errors_as_ours():
                async for piece in answer:
                    begun = True
                    yield piece
            return
        except RayActorError as exc:
            left -= 1
            if begun or not left:
                raise _died(exc) from exc
        finally:
            answer.cancel()  # changes nothing where it has ended


def _died(exc: Exception) -> EngineError:
    return EngineError(f"its replica died ({type(exc).__name__}).")


@contextmanager
def _errors_as_ours() -> Iterator[None]:
    """Raise the error that a replica raised in place of Ray's, which carries its traceback."""
    try:
        yield
    except RayTaskError as exc:
        if isinstance(exc.cause, LiveError):
            raise exc.cause from None
        raise
    except (BackPressureError, DeploymentUnavailableError) as exc:
        said = "All replicas of this stage are in use: try again, or another address."
        raise HttpRefusalError(503, said) from exc
