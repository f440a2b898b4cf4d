"""The images of one session: realtime video and images inside turns, checked or refused. Pure."""

import hashlib
import logging
from weakref import WeakValueDictionary

from live_cli.engine.conversation.history.entries import USER
from live_cli.engine.conversation.inline_audio import is_audio
from live_cli.engine.conversation.stored_image import StoredImage, stored_image_of
from live_cli.engine.conversation.video_images import VideoImages
from live_cli.engine.setup.config import SessionConfig
from live_cli.engine.stages import ChatModel
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import Content, Part

_log = logging.getLogger("live_cli.serve.engine")

CANNOT_SEE = (
    "The chat model cannot see: set `chat` under [engine] to one that can, "
    "from `live-cli models` or as openai:URL#MODEL."
)


class ImageInput:
    """Checks every image that a client sends, and keeps those of its camera.

    ``sees``: whether the chat model takes images. If not, those of the camera are dropped, for many
    programs stream it whatever the model, and an image inside a turn raises UnsupportedError. An
    image that comes again is the same object, and its bytes are kept once.
    """

    def __init__(self, config: SessionConfig, chat: ChatModel) -> None:
        self._resolution = config.resolution
        self._chat = chat
        self._drops_told = False
        self._kept: WeakValueDictionary[tuple[bytes, bool], StoredImage] = WeakValueDictionary()
        self.video = VideoImages(config.coverage)

    @property
    def sees(self) -> bool:
        return self._chat.sees

    def show(self, data: bytes, mime_type: str, now: float) -> None:
        """Take in one camera image, arrived at ``now`` seconds; over one a second it is dropped.

        Without vision all are, and the first is told of in the log. Raises UnsupportedError for
        what is no JPEG, PNG or WebP image, where it would be kept.
        """
        if not self.sees:
            self._tell_drops()
        elif self.video.due(now):
            self.video.keep(self._stored(data, mime_type, live=True))

    def images_in(self, content: Content) -> tuple[StoredImage, ...]:
        """Return the images among the parts of a turn.

        Raises UnsupportedError for fileData, for an image in a turn of the model, for other types
        than JPEG, PNG and WebP, and without vision.
        """
        found = (self._image_in(part, content.role or USER) for part in content.parts or ())
        return tuple(image for image in found if image is not None)

    def _image_in(self, part: Part, role: str) -> StoredImage | None:
        if part.file_data is not None:
            raise UnsupportedError("fileData is not fetched here: send it as inlineData.")
        blob = part.inline_data
        if blob is None or is_audio(blob):
            return None
        if role != USER:
            raise UnsupportedError("Images belong into turns of the user.")
        if self.sees:
            return self._stored(blob.data, blob.mime_type or "", live=False)
        stored_image_of(blob.data, blob.mime_type or "", self._resolution)
        raise UnsupportedError(CANNOT_SEE)  # last: what is no image is refused as such anyway

    def _stored(self, data: bytes, mime_type: str, *, live: bool) -> StoredImage:
        tokens = self._chat.image_tokens
        image = stored_image_of(data, mime_type, self._resolution, live=live, model_tokens=tokens)
        digest = hashlib.sha256(data).digest()
        return self._kept.setdefault((digest, live), image)

    def _tell_drops(self) -> None:
        if not self._drops_told:
            self._drops_told = True
            _log.warning("dropped: the camera images of a session. %s", CANNOT_SEE)
