"""The scripted chat model is fit to serve for hours: what it keeps for tests is bounded."""

from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.stages import ChatMessage, ChatRequest


def test_the_last_requests_are_kept_and_no_others() -> None:
    model = ScriptedChatModel()
    for number in range(1000):
        model.generate(ChatRequest((ChatMessage("user", str(number)),)), lambda delta: False)
    assert len(model.requests) < 200
    assert model.requests[-1].messages[0].text == "999"
