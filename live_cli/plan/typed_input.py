"""A typed text as the message that a model takes it in."""

from live_cli.catalog import Model
from live_cli.plan.plan import SessionPlan
from live_cli.protocol import compose
from live_cli.protocol.messages import ClientMessage, Content, Part
from live_cli.settings.schema import Settings


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
