"""Every payload that the official SDKs were seen to send, sent to a server: accepted, or refused
where the reference says so."""

from collections.abc import Awaitable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from live_cli.engine.backends.scripted import ScriptedChatModel
from tests.checklist.server import ALPHA, HALF_CASCADE, TEXT, Client, running, text
from tests.harness.scripted_session import ScriptedRegistry
from tests.harness.sdk_payloads import PAYLOADS

VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
MANUAL: dict[str, Any] = {"realtimeInputConfig": {"automaticActivityDetection": {"disabled": True}}}

REFUSED = {
    "S thinking level": (1007, "gemini-2.5-flash-native-audio-preview-12 takes a thinkingBudget"),
    "S both": (1007, "The requested combination of response modalities (TEXT, AUDIO)"),
    # of another family of models, of another door, or of a session that never was
    "S in transcription langs": (1007, "The local transcriber takes no vocabulary."),
    "S translation": (1007, "The local engine does not translate."),
    "S resumption transparent": (1007, "Transparent resumption is not supported"),
    "S resumption handle": (1008, "The session handle is not known"),
    "S resumption handle only": (1008, "The session handle is not known"),
    # the capture's three bytes are no JPEG
    "M cc inline": (1007, "The data is not an image"),
}
WRITTEN = (1007, "Cannot extract voices from a non-audio request.")
"""The captures ask native audio for TEXT where that is the case of the guide's samples."""


class Seeing(ScriptedChatModel):
    sees = True


SETUPS = [name for name in PAYLOADS if "/S " in name]
MESSAGES = [name for name in PAYLOADS if "/M " in name]


STRICT = pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])


@STRICT
async def test_setups(strict: bool) -> None:
    outcomes = {}
    async with running(ScriptedRegistry(Seeing()), strict=strict) as server:
        for name in SETUPS:
            async with server.dial(door(name)) as socket:
                client = Client(socket)
                await socket.send(PAYLOADS[name])
                outcomes[name] = await outcome_of(client.receive())
    assert {name: got for name, got in outcomes.items() if got != expected(name)} == {}


@STRICT
async def test_messages(strict: bool) -> None:
    """Each within a session that still answers afterwards."""
    outcomes = {}
    async with running(ScriptedRegistry(Seeing()), strict=strict) as server:
        for name in MESSAGES:
            by_hand = MANUAL if name.endswith(("rt as", "rt ae", "rt two fields")) else {}
            async with server.connect(HALF_CASCADE, door(name), **TEXT, **by_hand) as client:
                await client.socket.send(PAYLOADS[name])
                await client.send(realtimeInput={"text": "Still here?"})
                outcomes[name] = await outcome_of(still_here(client))
    assert {name: got for name, got in outcomes.items() if got != expected(name)} == {}


async def still_here(client: Client) -> None:
    while "Still here?" not in text(client.received):
        await client.receive()


def door(name: str) -> str:
    return VERTEX if "vertex" in name else ALPHA


def expected(name: str) -> tuple[int, str] | None:
    kind = name.partition("/")[2]
    if kind not in REFUSED and kind.startswith("S ") and '"TEXT"' in PAYLOADS[name]:
        return WRITTEN
    return REFUSED.get(kind)


async def outcome_of(wanted: Awaitable[object]) -> tuple[int, str] | None:
    """None when ``wanted`` comes, else the close code and as much of its reason as is expected."""
    try:
        await wanted
    except ConnectionClosed as closed:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        known = [words for _, words in [*REFUSED.values(), WRITTEN] if reason.startswith(words)]
        return code, known[0] if known else reason
    return None
