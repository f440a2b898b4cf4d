"""What one session is shown: camera frames and pictures in turns, or why it cannot look. Pure."""

from live_cli.engine.conversation.history import USER
from live_cli.engine.conversation.inline_audio import is_speech
from live_cli.engine.conversation.stored_image import StoredImage, stored_image_of
from live_cli.engine.conversation.video_images import VideoImages
from live_cli.engine.setup.config import SessionConfig
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import Content, Part

BLIND = (
    "The chat model cannot see: set `chat` under [engine] to openai:URL#MODEL with one that can."
)


class ImageInput:
    """``sees``: whether the chat model takes images. All calls raise UnsupportedError."""

    def __init__(self, options: SessionConfig, *, sees: bool) -> None:
        self._resolution = options.resolution
        self._sees = sees
        self.frames = VideoImages(options.coverage)

    def show(self, data: bytes, mime_type: str, now: float) -> None:
        """A frame of the camera's, arrived ``now`` (seconds); more than one a second is dropped."""
        self._require_sight()
        if self.frames.due(now):
            self.frames.keep(stored_image_of(data, mime_type, self._resolution, live=True))

    def pictures_in(self, content: Content) -> tuple[StoredImage, ...]:
        """The pictures among the parts of a turn."""
        found = (self._picture_in(part, content.role or USER) for part in content.parts or ())
        return tuple(picture for picture in found if picture is not None)

    def _picture_in(self, part: Part, role: str) -> StoredImage | None:
        if part.file_data is not None:
            raise UnsupportedError("fileData is not fetched here: send it as inlineData.")
        blob = part.inline_data
        if blob is None or is_speech(blob):
            return None
        if role != USER:
            raise UnsupportedError("Images belong into turns of the user.")
        picture = stored_image_of(blob.data, blob.mime_type or "", self._resolution)
        self._require_sight()  # last: to what is no picture, eyes would not help
        return picture

    def _require_sight(self) -> None:
        if not self._sees:
            raise UnsupportedError(BLIND)
