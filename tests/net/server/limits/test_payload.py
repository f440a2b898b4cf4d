"""Which payloads are refused before they are parsed, by size beside media and by their values."""

import base64
import json

import pytest

from live_cli.net.server.limits.payload import (
    MOST_JSON_BYTES,
    MOST_VALUES,
    TOO_LONG,
    TOO_MANY_VALUES,
    payload_complaint,
)
from tests.harness.live_client import ending, set_up
from tests.harness.live_server import running_server

MEGABYTE = base64.b64encode(bytes(range(256)) * 3072).decode()


def history(turns: int, words: str = "Well, no. ") -> str:
    each = {"role": "user", "parts": [{"text": words}]}
    return json.dumps({"clientContent": {"turns": [each] * turns}})


@pytest.mark.parametrize("value", ["[]", "{}", "0", '""', "[[[]]]", '{"a":0}', "1e-300"])
async def test_what_would_take_long_to_parse_is_refused_unparsed(value: str) -> None:
    values = ",".join([value] * 100_000)
    async with running_server() as server, server.connect() as client:
        await set_up(client)
        await client.send(f'{{"realtimeInput":{{"text":"x","y":[{values}]}}}}')
        assert await ending(client) == (1007, TOO_MANY_VALUES)
        assert server.engine.sessions[0].events == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"realtimeInput": {"audio": {"data": MEGABYTE * 10, "mimeType": "audio/pcm"}}}),
        json.dumps({"realtimeInput": {"mediaChunks": [{"data": MEGABYTE}] * 15}}),
        json.dumps({"realtimeInput": {"video": {"data": MEGABYTE * 9}, "text": "Was weiß ich?"}}),
        '{ "data"\n:\t"%s", "text": "é"}' % (MEGABYTE * 3),
        json.dumps("Well, no. " * 100_000),
        json.dumps({"text": '{"a": [1, 2, "\\\\"]}, ' * 30_000}),
        history(3000),
        history(1, "One, two, three, " * 30_000),
    ],
    ids=["audio", "chunks", "picture", "spaced", "text", "code", "turns", "long turn"],
)
def test_media_long_texts_and_long_histories_are_taken(text: str) -> None:
    assert payload_complaint(text) is None
    assert payload_complaint(text.encode()) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (json.dumps({"text": "x" * MOST_JSON_BYTES}), TOO_LONG),
        (json.dumps({"data": "x" * MOST_JSON_BYTES, "text": "y" * MOST_JSON_BYTES}), TOO_LONG),
        (json.dumps({"data": "\n" * MOST_JSON_BYTES}), TOO_LONG),
        (json.dumps({"data": "é" * MOST_JSON_BYTES}, ensure_ascii=False), TOO_LONG),
        (json.dumps({"k" * MOST_JSON_BYTES: 1}), TOO_LONG),
        ("{" + " " * MOST_JSON_BYTES + "}", TOO_LONG),
        ('"data"' * 300_000, TOO_LONG),
        ('{"data": ' + "9" * MOST_JSON_BYTES + "}", TOO_LONG),
        (json.dumps([{"data": "AAAA"}] * 80_000), TOO_LONG),
        (json.dumps([{"data": "AAAA"}] * MOST_VALUES), TOO_MANY_VALUES),
        (json.dumps({str(n): n for n in range(MOST_VALUES + 2)}), TOO_MANY_VALUES),
        (json.dumps(["\\"] * (MOST_VALUES + 2)), TOO_MANY_VALUES),
        (json.dumps(['"'] * (MOST_VALUES + 2)), TOO_MANY_VALUES),
        ('["' + '","' * 60_000 + '"]', TOO_MANY_VALUES),
    ],
)
def test_what_costs_more_than_media_is_refused(text: str, complaint: str) -> None:
    assert payload_complaint(text) == complaint
    assert payload_complaint(text.encode()) == complaint
