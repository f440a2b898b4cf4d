"""Fields that are not known are found in every payload, also in one that looks like others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.protocol.unknown_fields import UnknownFieldFinder
from live_cli.protocol.wire import find_unknown_fields
from tests.harness.sdk_payloads import PAYLOADS


@pytest.mark.parametrize("name", PAYLOADS)
def test_payloads_of_the_sdks_are_judged_as_by_the_walk_also_the_second_time(name: str) -> None:
    finder, payload = UnknownFieldFinder(), PAYLOADS[name]
    expected = find_unknown_fields(payload)
    for _ in range(2):
        assert finder.find(payload) == finder.find(payload.encode()) == expected


def test_a_shape_is_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[bytes | str] = []

    def walk(payload: bytes | str) -> list[str]:
        walked.append(payload)
        return find_unknown_fields(payload)

    monkeypatch.setattr("live_cli.protocol.unknown_fields.find_unknown_fields", walk)
    finder = UnknownFieldFinder()
    for size in range(100):
        payload = json.dumps(
            {"realtime_input": {"audio": {"data": "A" * 4 * size, "mime_type": "x"}}}
        )
        assert finder.find(payload) == finder.find(payload.encode()) == []
    assert len(walked) == 2  # as text and as bytes


DATA = st.text(alphabet='AB+/=-_\\":{}, ', max_size=8)
NAMES = st.sampled_from(["data", "mimeType", "mime_type", "evil", "text", 'da"ta', "data:"])
BLOB = st.dictionaries(NAMES, DATA | st.dictionaries(NAMES, DATA, max_size=2), max_size=4)
INPUT = st.dictionaries(
    st.sampled_from(["audio", "video", "text", "evil", "data"]), BLOB, max_size=3
)


@given(st.lists(INPUT, min_size=2, max_size=6), st.booleans())
def test_no_payload_hides_behind_another(inputs: list[dict[str, Any]], compact: bool) -> None:
    """One finder over many payloads that differ in little says of each what the walk says."""
    finder = UnknownFieldFinder()
    separators = (",", ":") if compact else None
    for given_input in inputs * 2:
        payload = json.dumps({"realtimeInput": given_input}, separators=separators)
        assert finder.find(payload) == find_unknown_fields(payload)
        assert finder.find(payload.encode()) == find_unknown_fields(payload)
