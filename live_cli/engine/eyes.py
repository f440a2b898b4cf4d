"""What one session is shown: camera frames and pictures in turns, or why it cannot look. Pure."""

from live_cli.engine.conversation import USER
from live_cli.engine.enclosed import is_speech
from live_cli.engine.options import SessionOptions
from live_cli.engine.sight import Frames, Picture, picture_of
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import Content, Part

BLIND = (
    "The chat model cannot see: set `chat` under [engine] to openai:URL#MODEL with one that can."
)


class Eyes:
    """``sees``: whether the chat model takes images. All calls raise UnsupportedError."""

    def __init__(self, options: SessionOptions, *, sees: bool) -> None:
        self._resolution = options.resolution
        self._sees = sees
        self.frames = Frames(options.coverage)

    def show(self, data: bytes, mime_type: str, now: float) -> None:
        """A frame of the camera's, arrived ``now`` (seconds); more than one a second is dropped."""
        self._require_sight()
        if self.frames.due(now):
            self.frames.keep(picture_of(data, mime_type, self._resolution, live=True))

    def pictures_in(self, content: Content) -> tuple[Picture, ...]:
        """The pictures among the parts of a turn."""
        found = (self._picture_in(part, content.role or USER) for part in content.parts or ())
        return tuple(picture for picture in found if picture is not None)

    def _picture_in(self, part: Part, role: str) -> Picture | None:
        if part.file_data is not None:
            raise UnsupportedError("fileData is not fetched here: send it as inlineData.")
        blob = part.inline_data
        if blob is None or is_speech(blob):
            return None
        if role != USER:
            raise UnsupportedError("Images belong into turns of the user.")
        picture = picture_of(blob.data, blob.mime_type or "", self._resolution)
        self._require_sight()  # last: to what is no picture, eyes would not help
        return picture

    def _require_sight(self) -> None:
        if not self._sees:
            raise UnsupportedError(BLIND)
