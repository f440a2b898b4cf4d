"""Snapshots as bytes: everything comes back, but for images that the store has dropped."""

import msgspec
import pytest

from live_cli.engine.conversation.history.entries import MODEL, TOOL, USER, Entry, Snapshot
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.conversation.stored_snapshots import decode_snapshot, encode_snapshot
from live_cli.engine.stages import Image, ToolUse
from live_cli.errors import UnsupportedError

SHOWN = StoredImage(Image(b"\xff\xd8\xffpixels", "image/jpeg", "low"), 66, True, 99)
SNAPSHOT = Snapshot(
    (
        Entry(USER, "What is this?", 1.5, (SHOWN, SHOWN), aside="said gladly"),
        Entry(MODEL, "Let me look.", calls=(ToolUse("a", "look", {"at": [1, {"x": None}]}),)),
        Entry(TOOL, '{"found": 1}', call_id="a"),
        Entry(USER, "No, Tom: come here.", overheard=True),
        Entry(USER, "", images=(SHOWN,)),
    )
)


def test_a_snapshot_comes_back_as_it_was() -> None:
    data, images = encode_snapshot(SNAPSHOT)
    assert [*images.values()] == [SHOWN.image.data]
    assert SHOWN.image.data not in data
    assert decode_snapshot(data, images) == SNAPSHOT
    assert decode_snapshot(data, {}) == SNAPSHOT.without_images()


@pytest.mark.parametrize("data", [msgspec.msgpack.encode({"version": 2, "entries": []}), b"\xc1"])
def test_bytes_of_another_version_begin_the_session_anew(data: bytes) -> None:
    with pytest.raises(UnsupportedError, match="another version") as refused:
        decode_snapshot(data, {})
    assert refused.value.close_code == 1008
