"""Fields that are not known are found in every frame, also in one that looks like others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.protocol.unknown_fields import FieldCheck
from live_cli.protocol.wire import unknown_fields
from tests.harness.sdk_frames import FRAMES


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_the_sdks_are_judged_as_by_the_walk_also_the_second_time(name: str) -> None:
    check, frame = FieldCheck(), FRAMES[name]
    expected = unknown_fields(frame)
    for _ in range(2):
        assert check.unknown(frame) == check.unknown(frame.encode()) == expected


def test_a_shape_is_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[bytes | str] = []

    def walk(frame: bytes | str) -> list[str]:
        walked.append(frame)
        return unknown_fields(frame)

    monkeypatch.setattr("live_cli.protocol.unknown_fields.unknown_fields", walk)
    check = FieldCheck()
    for size in range(100):
        frame = json.dumps(
            {"realtime_input": {"audio": {"data": "A" * 4 * size, "mime_type": "x"}}}
        )
        assert check.unknown(frame) == check.unknown(frame.encode()) == []
    assert len(walked) == 2  # as text and as bytes


DATA = st.text(alphabet='AB+/=-_\\":{}, ', max_size=8)
NAMES = st.sampled_from(["data", "mimeType", "mime_type", "evil", "text", 'da"ta', "data:"])
BLOB = st.dictionaries(NAMES, DATA | st.dictionaries(NAMES, DATA, max_size=2), max_size=4)
INPUT = st.dictionaries(
    st.sampled_from(["audio", "video", "text", "evil", "data"]), BLOB, max_size=3
)


@given(st.lists(INPUT, min_size=2, max_size=6), st.booleans())
def test_no_frame_hides_behind_another(inputs: list[dict[str, Any]], compact: bool) -> None:
    """One check over many frames that differ in little says of each what the walk says."""
    check = FieldCheck()
    separators = (",", ":") if compact else None
    for given_input in inputs * 2:
        frame = json.dumps({"realtimeInput": given_input}, separators=separators)
        assert check.unknown(frame) == unknown_fields(frame)
        assert check.unknown(frame.encode()) == unknown_fields(frame)
