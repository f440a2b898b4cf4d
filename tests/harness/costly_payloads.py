"""Messages of a client that cost the most for their bytes, by what is costly about them."""

# ruff: noqa: UP031 - JSON is full of braces

import base64
from typing import Final

from live_cli.net.server.limits.payload import MOST_VALUES

SIZE: Final = 1_000_000
"""Of a costly message, for those that are worked on; the largest such one is as large."""
MANY: Final = MOST_VALUES // 8
"""Of things with up to eight commas and brackets."""
SOUND: Final = base64.b64encode(bytes(11_000_000)).decode()


def turns(part: str, count: int = MANY) -> str:
    return '{"clientContent":{"turns":[%s]}}' % ",".join(['{"parts":[%s]}' % part] * count)


def response(value: str) -> str:
    inner = '{"id":"a","name":"b","response":{"x":%s}}' % value
    return '{"toolResponse":{"functionResponses":[%s]}}' % inner


def tools(declaration: str, count: int = MANY) -> str:
    each = ",".join([declaration] * count)
    return '{"contextUpdate":{"tools":{"tools":[{"functionDeclarations":[%s]}]}}}' % each


def text(words: str) -> str:
    return '{"realtimeInput":{"text":"%s"}}' % words


TAKEN: Final[dict[str, str]] = {
    "turns": turns('{"text":"x"}'),
    "turns in snake case": turns('{"text":"x","inline_data":null}'),
    "empty parts": turns(",".join(["{}"] * (MOST_VALUES // 3)), 1),
    "unknown fields in each part": turns('{"nope":1}'),
    "unknown fields of one object": '{"clientContent":{%s}}'
    % ",".join(f'"k{number}":0' for number in range(MOST_VALUES - 10)),
    "one field many times": '{"clientContent":{%s}}'
    % ",".join(['"turnComplete":false'] * (MOST_VALUES - 10)),
    "objects in a result": response("[%s]" % ",".join(['{"a":1}'] * (MOST_VALUES // 3))),
    "numbers that hardly fit": response("[%s]" % ",".join(["1.2345678901234567e-300"] * 19_000)),
    "numbers of 4,000 digits": response("[%s]" % ",".join(["9" * 4000] * (SIZE // 4001))),
    "a number of a million digits": response("9" * SIZE),
    "a fraction of a million digits": response("0." + "9" * SIZE),
    "depth": response("[" * 100_000 + "]" * 100_000),
    "depth that is read": response('{"a":' * 500 + "1" + "}" * 500),
    "escapes": text("\\u0000" * (SIZE // 6)),
    "line ends": text("\\n" * (SIZE // 2)),
    "pairs of escapes": text("\\ud83d\\ude00" * (SIZE // 12)),
    "emoji": text("😀" * (SIZE // 4)),
    "underscores by escape": text("\\u005f" * (SIZE // 6)),
    "spaces": "{" + " " * SIZE + '"realtimeInput":{"text":"a"}}',
    "a long name": '{"realtimeInput":{"%s":1}}' % ("aB" * (SIZE // 2)),
    "a long name with underscores": '{"realtimeInput":{"%s":1}}' % ("a_" * (SIZE // 2)),
    "a long enum": '{"contextUpdate":{"tools":{"tools":[{"functionDeclarations":'
    '[{"name":"a","behavior":"%s"}]}]}}}' % ("ß" * (SIZE // 2)),
    "a long MIME type": '{"realtimeInput":{"audio":{"data":"AAAA","mimeType":"audio/pcm%s"}}}'
    % (";rate =" * (SIZE // 7)),
    "spaces in a MIME type": '{"realtimeInput":{"audio":{"data":"AAAA","mimeType":"audio/pcm;%s"}}}'
    % (" " * SIZE),
    "functions": tools('{"name":"a"}'),
    "base64 for URLs": '{"realtimeInput":{"audio":{"data":"%s"}}}' % ("-_" * 5_000_000),
}
REFUSED: Final[dict[str, str]] = {
    "text of 15 MB": text("x" * 15_000_000),
    "values of 15 MB": response("[%s]" % ",".join(["1"] * 7_000_000)),
    "media in name": '{"realtimeInput":{"text":"x","data":"%s"}}' % ("\\n" * 7_000_000),
    "brackets": "[" * 15_000_000,
    "quotes": '"' * 15_000_000,
    "backslashes": "\\" * 15_000_000,
    "names of media": '"data"' * 2_500_000,
    "no JSON": "}" * 15_000_000,
    "no text": "\\ud800" * 150_000,
}
