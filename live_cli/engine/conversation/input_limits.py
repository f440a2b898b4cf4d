"""What of a client's input is refused by its size, before anything is made of it. Pure."""

from collections.abc import Sequence

from live_cli.engine.conversation.history.tokens import check_fits
from live_cli.engine.json_values import size_of
from live_cli.engine.setup.toolbox import Toolbox
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import Content, FunctionResponse

MOST_TURNS = 4096
"""Turns, and parts of turns, in one message: more than a context of 16,000 tokens can hold, for
each costs a few tokens beside its text."""
MOST_RESPONSES = 1024
"""Function responses in one message: sixteen for each call that can be open."""


class InputLimits:
    """The limits of one session, by the size of its chat model's context.

    The checks raise UnsupportedError (1007).
    """

    def __init__(self, context_tokens: int) -> None:
        self._context_tokens = context_tokens

    def check_text(self, characters: int, what: str = "The text") -> None:
        check_fits(what, characters, self._context_tokens)

    def check_instruction(self, characters: int) -> None:
        self.check_text(characters, "The system instruction")

    def check_tools(self, toolbox: Toolbox) -> None:
        declared = toolbox.declarations
        words = sum(len(tool.name) + len(tool.description) for tool in declared)
        schemas = size_of(tool.parameters for tool in declared).characters
        self.check_text(words + schemas, "The declaration of the functions")

    def check_turns(self, turns: Sequence[Content]) -> None:
        parts = sum(len(turn.parts or ()) for turn in turns)
        for count, what in ((len(turns), "turns"), (parts, "parts of turns")):
            if count > MOST_TURNS:
                raise UnsupportedError(
                    f"A message takes {MOST_TURNS} {what} at most, not {count}: send several."
                )
        for turn in turns:
            self.check_text(characters_of(turn), "A turn")

    def check_responses(self, responses: Sequence[FunctionResponse]) -> None:
        if len(responses) > MOST_RESPONSES:
            raise UnsupportedError(
                f"A message takes {MOST_RESPONSES} function responses at most, "
                f"not {len(responses)}: send several."
            )


def characters_of(content: Content) -> int:
    """Return how long the text parts of ``content`` are, without joining them."""
    return sum(len(part.text or "") for part in content.parts or ())
