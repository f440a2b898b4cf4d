"""What the entries of a history weigh in tokens, images and bytes, as a running total. Pure.

A history is weighed with every entry that comes and with every turn that is asked for or dropped;
counting it anew each time would cost the square of its length. The tokens that the chat model reads
are estimated at four characters a token and a few for each entry around its text.
"""

import json
from dataclasses import dataclass

from live_cli.engine.conversation.history.entries import Entry
from live_cli.engine.conversation.history.tokens import TokenCount, audio_tokens, text_tokens
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.stages import ToolUse

MESSAGE_TOKENS = 5


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of entries; ``-`` takes off what ``+`` added.

    ``text``, ``audio``, ``image``, ``video``: billed tokens. ``prompt``: tokens that the chat model
    reads, estimated. ``images``, ``image_bytes``: how many images, and their size.
    """

    text: int = 0
    audio: int = 0
    image: int = 0
    video: int = 0
    prompt: int = 0
    images: int = 0
    image_bytes: int = 0

    @property
    def billed(self) -> TokenCount:
        return TokenCount(self.text, self.audio, self.image, self.video)

    def __add__(self, other: "Weight") -> "Weight":
        return self._plus(other, 1)

    def __sub__(self, other: "Weight") -> "Weight":
        return self._plus(other, -1)

    def _plus(self, other: "Weight", sign: int) -> "Weight":
        return Weight(
            self.text + sign * other.text,
            self.audio + sign * other.audio,
            self.image + sign * other.image,
            self.video + sign * other.video,
            self.prompt + sign * other.prompt,
            self.images + sign * other.images,
            self.image_bytes + sign * other.image_bytes,
        )


def weight_of(entry: Entry) -> Weight:
    """Return the weight of ``entry``; spoken words are billed as audio, and read as text."""
    calls = sum(map(_call_tokens, entry.calls))
    weight = Weight(
        text=calls + (0 if entry.audio_s else text_tokens(entry.text)),
        audio=audio_tokens(entry.audio_s),
        prompt=calls + text_tokens(entry.model_text) + MESSAGE_TOKENS,
    )
    return sum(map(image_weight, entry.images), weight)


def image_weight(image: StoredImage) -> Weight:
    """Return the weight of ``image``, which is billed by its resolution."""
    return Weight(
        image=0 if image.live else image.tokens,
        video=image.tokens if image.live else 0,
        prompt=image.model_tokens,
        images=1,
        image_bytes=image.bytes,
    )


def _call_tokens(call: ToolUse) -> int:
    return text_tokens(call.name + json.dumps(call.arguments))
