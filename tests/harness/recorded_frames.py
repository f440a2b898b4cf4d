"""Shapes and orders of frames that Google's own service really sent and took.

``tests/data/google_frames.json`` holds nineteen sessions, derived from the recordings of
googleapis/js-genai (test/system/recordings, Apache-2.0): by session its frames in their order, each
with its sender and its shape. A recording ends where its test had seen enough.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.harness.places import DATA

Frame = dict[str, Any]

_VERBATIM = {"model", "role", "mimeType", "language", "responseModalities", "name"}
_USER_DATA = {"args", "response", "parameters"}
_FILLED: Frame = {
    "<text>": "Hello.",
    "<count>": 7,
    "<id>": "f162d11d-434a-4212-8a31-f1a4843cad11",
    "<object>": {},
}


def shape_of(value: Any, key: str = "") -> Any:
    """A frame without what changes from one to the next: texts, media, ids, counts, user data."""
    if key in _USER_DATA:
        return "<object>"
    if isinstance(value, dict):
        return {name: shape_of(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape_of(item, key) for item in value]
    if key in _VERBATIM or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"data": "<base64>", "id": "<id>", "sessionId": "<id>"}.get(key, "<text>")
    return "<count>"


def filled(shape: Any, base64: str = "AQACAA==") -> Any:
    """A frame of ``shape``, with ``base64`` for its media."""
    if isinstance(shape, dict):
        return {name: filled(inner, base64) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [filled(item, base64) for item in shape]
    if shape == "<base64>":
        return base64
    return _FILLED.get(shape, shape) if isinstance(shape, str) else shape


@dataclass(frozen=True)
class RecordedSession:
    """``frames``: sender, ``client`` or ``server``, and shape."""

    name: str
    frames: tuple[tuple[str, Frame], ...]

    @property
    def is_vertex(self) -> bool:
        return self.name.startswith("vertex")

    def of(self, sender: str) -> list[Frame]:
        return [shape for side, shape in self.frames if side == sender]


def _sessions() -> tuple[RecordedSession, ...]:
    recorded = json.loads((DATA / "google_frames.json").read_text(encoding="utf-8"))
    return tuple(
        RecordedSession(name, tuple((sender, shape) for sender, shape in frames))
        for name, frames in recorded["sessions"].items()
    )


RECORDED = _sessions()
