"""Pictures that were sent and that the model did not look at, as far as a server's bill tells.

The wire has no word for it: a model that is blind may refuse a picture, or answer without it.
"""

from typing import Final

from live_cli.protocol.events import Event, TurnComplete, UsageReported

_SEEN_AS: Final = {"IMAGE", "VIDEO"}


class UnseenPictures:
    """Told every event of a session, it says at the end of a turn that no picture was counted."""

    def __init__(self) -> None:
        self._shown = 0
        self._counted: set[str | None] = set()

    def shown(self, count: int) -> None:
        """Note that the question just sent has ``count`` pictures."""
        self._shown = count
        self._counted.clear()

    def event(self, event: Event) -> str | None:
        """Return one line for the person where ``event`` ends a turn that saw no picture."""
        match event:
            case UsageReported(usage):
                details = usage.prompt_tokens_details or ()
                self._counted |= {each.modality for each in details if each.token_count}
            case TurnComplete(more_follows=False):
                counted, shown = self._counted, self._shown
                self._counted, self._shown = set(), 0
                if shown and counted and not counted & _SEEN_AS:
                    them = "the picture" if shown == 1 else "the pictures"
                    return (
                        f"The server counted no tokens for {them}: its model may be blind, and its "
                        "answer a guess. One that sees: --server gemini."
                    )
        return None
