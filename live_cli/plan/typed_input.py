"""What a person types and shows, as the messages that a model takes it in."""

from collections.abc import Sequence
from typing import Final

from live_cli.catalog import Model
from live_cli.pictures.picture import EncodedPicture
from live_cli.plan.plan import SessionPlan
from live_cli.protocol import compose
from live_cli.protocol.messages import Blob, ClientMessage, Content, Part
from live_cli.settings.schema import Settings

WORDLESS: Final = "What do you see?"
"""Goes with pictures that are shown alone where they ask for no answer by themselves."""


def first_words(settings: Settings, plan: SessionPlan) -> str | None:
    """Return what is sent before the user says anything; None where a session is gone on with."""
    resumption = plan.setup.session_resumption
    goes_on = resumption is not None and resumption.handle is not None
    return None if goes_on else settings.tools.say_first


def typed_input(model: Model, text: str) -> ClientMessage:
    """Return ``text`` as a whole turn, or as realtime input where ``model`` takes no other turns.

    Either way it asks for an answer (reference §4.3).
    """
    if model.client_content == "session":
        return compose.turns([Content(role="user", parts=[Part(text=text)])])
    return compose.text(text)


def question_messages(
    model: Model, text: str, pictures: Sequence[EncodedPicture] = ()
) -> list[ClientMessage]:
    """Return ``text``, which may be empty, and what is shown with it, in the order of sending.

    Pictures go into the turn, before its words; as realtime video, where ``model`` takes no other
    turns, in messages of their own, of which it takes one a second.
    """
    if not pictures:
        return [typed_input(model, text)]
    if model.client_content == "session":
        blobs = [Blob(data=each.data, mime_type=each.mime_type) for each in pictures]
        return [compose.shown(blobs, text)]
    images = [compose.video(each.data, each.mime_type) for each in pictures]
    return [*images, compose.text(text if text.strip() else WORDLESS)]
