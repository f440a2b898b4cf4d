"""The endpoints of OpenAI's API: transcriptions, speech, chat completions, models.

One model answers at each, whichever a request names: programs have the names of others built in.
"""

import json
import struct
import time
import uuid
from collections.abc import AsyncGenerator, Collection
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from live_cli.errors import EngineError
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.openai_api.gate import (
    HttpRefusalError,
    StageGate,
    StreamedResponse,
    bounded_body,
    error,
    while_there,
)
from live_cli.net.server.openai_api.stage_api import StageApi
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

TRANSCRIBER, CHAT, SYNTHESIZER = "transcriber", "chat", "synthesizer"
_MOST_FIELDS: Final = 32
_FIELD_BYTES: Final = 64 * 1024
_TEXT_BYTES: Final = 64 * 1024
_MOST_CHARACTERS: Final = 4096
"""Of a text to speak: OpenAI's own limit."""
_TRUE: Final = ("true", "1")
_CREATED: Final = 0


class StageEndpoints:
    """The handlers of all endpoints; ``offered``: the names of the stages that are there."""

    def __init__(self, stages: StageApi, offered: Collection[str], gate: StageGate) -> None:
        self._stages = stages
        self._offered = tuple(offered)
        self._gate = gate

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``: the stages by name."""
        caller = await self._gate.admit(request)
        if isinstance(caller, Response):
            return caller
        return JSONResponse({"object": "list", "data": [_model(name) for name in self._offered]})

    async def model(self, request: Request) -> Response:
        """``GET /v1/models/NAME``."""
        caller = await self._gate.admit(request)
        if isinstance(caller, Response):
            return caller
        name = request.path_params["name"]
        if name not in self._offered:
            return error(404, f"No such model here: {', '.join(self._offered)}.")
        return JSONResponse(_model(name))

    async def transcriptions(self, request: Request) -> Response:
        """``POST /v1/audio/transcriptions``: a sound file as text."""
        return await self._gate.serve(request, self._transcribed)

    async def speech(self, request: Request) -> Response:
        """``POST /v1/audio/speech``: a text as sound, sent as it is made."""
        return await self._gate.serve(request, self._spoken)

    async def chat(self, request: Request) -> Response:
        """``POST /v1/chat/completions``: an answer, whole or as a stream."""
        return await self._gate.serve(request, self._chatted)

    async def _transcribed(self, request: Request, caller: Principal) -> Response:
        self._check_offered(TRANSCRIBER)
        form = await _form(request, self._gate.limits.received_payload_bytes)
        try:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HttpRefusalError(400, "file: a sound file is needed.")
            kind = str(form.get("response_format") or "json")
            if kind not in ("json", "text", "verbose_json"):
                raise HttpRefusalError(400, "response_format: json, text or verbose_json.")
            if str(form.get("stream") or "").lower() in _TRUE:
                raise HttpRefusalError(400, "stream: a transcript comes whole here.")
            granularities = [
                *form.getlist("timestamp_granularities[]"),
                *form.getlist("timestamp_granularities"),
            ]
            sound = await file.read()
        finally:
            await form.close()
        language = str(form.get("language") or "") or None
        words = kind == "verbose_json" and "word" in granularities
        call = self._stages.transcribe(sound, words=words, language=language)
        heard = await while_there(request, call)
        if kind == "text":
            return PlainTextResponse(heard["text"] + "\n")
        return JSONResponse(heard if kind == "verbose_json" else {"text": heard["text"]})

    async def _spoken(self, request: Request, caller: Principal) -> Response:
        self._check_offered(SYNTHESIZER)
        body = await _json(request, _TEXT_BYTES)
        text, kind = body.get("input"), body.get("response_format") or "wav"
        if not isinstance(text, str) or not text.strip() or len(text) > _MOST_CHARACTERS:
            raise HttpRefusalError(400, f"input: text of 1 to {_MOST_CHARACTERS} characters.")
        if kind not in ("pcm", "wav"):
            raise HttpRefusalError(400, "response_format: pcm or wav; nothing else is made here.")
        if body.get("stream_format") not in (None, "audio"):
            raise HttpRefusalError(400, "stream_format: audio is what is sent here.")
        speed = body.get("speed") or 1.0
        if not isinstance(speed, int | float) or isinstance(speed, bool):
            raise HttpRefusalError(400, "speed: a number.")
        pieces = self._stages.speak(
            text,
            voice=_voice(body.get("voice")),
            speed=float(speed),
            language=str(body.get("language") or ""),
        )
        first = await while_there(request, anext(pieces, b""))  # an error now has its status
        head = _ENDLESS_WAV if kind == "wav" else b""
        media_type = "audio/wav" if kind == "wav" else f"audio/pcm; rate={OUTPUT_SAMPLE_RATE}"
        return StreamedResponse(_after(head + first, pieces), media_type)

    async def _chatted(self, request: Request, caller: Principal) -> Response:
        self._check_offered(CHAT)
        body = await _json(request, self._gate.limits.received_payload_bytes)
        parts = self._stages.chat(body, caller.id)
        first = await while_there(request, anext(parts))
        if body.get("stream"):
            options = body.get("stream_options")
            counted = isinstance(options, dict) and bool(options.get("include_usage"))
            return StreamedResponse(_events(first, parts, counted), "text/event-stream")
        return JSONResponse(await while_there(request, _whole(first, parts)))

    def _check_offered(self, stage: str) -> None:
        if stage not in self._offered:
            raise HttpRefusalError(404, f"This server has no {stage}: {', '.join(self._offered)}.")


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "live-cli"}


def _voice(found: Any) -> str:
    """Return the name of a voice, which newer clients send as an object's ``id``."""
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) else ""


async def _form(request: Request, most_bytes: int) -> FormData:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HttpRefusalError(415, "A transcription takes multipart/form-data.")
    parser = MultiPartParser(
        request.headers,
        bounded_body(request, most_bytes),
        max_files=1,
        max_fields=_MOST_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, ValueError) as exc:
        said = exc.message if isinstance(exc, MultiPartException) else "it has no boundary"
        raise HttpRefusalError(400, f"The form cannot be read: {said}") from None


async def _json(request: Request, most_bytes: int) -> dict[str, Any]:
    data = b"".join([piece async for piece in bounded_body(request, most_bytes)])
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HttpRefusalError(400, "The body has to be a JSON object.")
    return body


_ENDLESS_WAV: Final = struct.pack(
    "<4sI4s4sIHHIIHH4sI",
    *(b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1),
    *(OUTPUT_SAMPLE_RATE, 2 * OUTPUT_SAMPLE_RATE, 2, 16, b"data", 0xFFFFFFFF),
)
"""The header of a WAV whose length is not known yet, as OpenAI sends it."""


async def _after(first: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for piece in pieces:
            yield piece
    finally:
        await pieces.aclose()


async def _events(
    first: dict[str, Any], parts: AsyncGenerator[dict[str, Any], None], counted: bool
) -> AsyncGenerator[bytes, None]:
    """Yield a reply as server-sent events. ``counted``: with a last one for the usage."""
    envelope = _envelope("chat.completion.chunk")

    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        return f"data: {json.dumps(envelope | {'choices': choices} | more)}\n\n".encode()

    try:
        yield event([_choice({"role": "assistant", "content": ""}, None)])
        part: dict[str, Any] | None = first
        while part is not None:
            finish = part.get("finish_reason")
            yield event([_choice(part.get("delta", {}), finish)])
            if finish and counted:
                yield event([], usage=part["usage"])
            part = await anext(parts, None)
    except EngineError as exc:
        said = {"message": str(exc), "type": "server_error"}
        yield f"data: {json.dumps({'error': said})}\n\n".encode()
    finally:
        await parts.aclose()
    yield b"data: [DONE]\n\n"


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


async def _whole(
    first: dict[str, Any], parts: AsyncGenerator[dict[str, Any], None]
) -> dict[str, Any]:
    texts: dict[str, str] = {}
    calls: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    try:
        part: dict[str, Any] | None = first
        while part is not None:
            for name, value in part.get("delta", {}).items():
                if name == "tool_calls":
                    calls += [{k: v for k, v in call.items() if k != "index"} for call in value]
                else:
                    texts[name] = texts.get(name, "") + value
            last, part = part, await anext(parts, None)
    finally:
        await parts.aclose()
    message: dict[str, Any] = {"role": "assistant", "content": None, **texts}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": last.get("finish_reason")}
    return {**_envelope("chat.completion"), "choices": [choice], "usage": last.get("usage")}


def _envelope(kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": CHAT,
    }
