"""The size of what `text` sends: refused by the model's own count before it is sent.

A server ends the session over a message that the model's context cannot take, and a person learns
of it in its words, if at all. Where the server tells what the model takes and counts (`serve`, the
command's own child, Gemini), the message is refused here, and the session goes on.
"""

from live_cli.catalog import MODELS, Model
from live_cli.errors import InputFileError
from live_cli.net.address import Address
from live_cli.net.client.token_count import MOST_COUNTED_BYTES, count_tokens, input_token_limit
from live_cli.plan.plan import SessionPlan

_ALWAYS_FITS_BYTES = 1024
"""No model takes less, and a token has a byte at least."""
_TEMPLATE_TOKENS = 256
"""What templates and instructions of our own add to a text at most."""
_BYTES_A_TOKEN = 4
"""In prose, for the estimate of what is too long to be counted."""


class InputSize:
    """Holds messages of one session against what its model takes."""

    def __init__(self, address: Address, plan: SessionPlan) -> None:
        self._address = address
        self._model = plan.model
        instruction = plan.setup.system_instruction
        self._system = instruction.text if instruction is not None else ""
        self._limit = plan.model.context_tokens
        self._asked = self._limit is not None

    async def refuse_too_long(self, text: str) -> None:
        """Raise InputFileError, with the count, where the model cannot take ``text``."""
        size = len(text.encode()) + len(self._system.encode())
        if size <= _ALWAYS_FITS_BYTES:
            return
        if not self._asked:
            self._asked = True
            self._limit = await input_token_limit(self._address, self._model.id)
        limit = self._limit
        if limit is None or size + _TEMPLATE_TOKENS <= limit:
            return
        if size > MOST_COUNTED_BYTES:
            tokens, about = size // _BYTES_A_TOKEN, "about "
            if tokens <= limit:
                return  # the server will tell
        else:
            counted = await count_tokens(self._address, self._model.id, self._system, text)
            if counted is None or counted <= limit:
                return
            tokens, about = counted, ""
        raise InputFileError(_too_long(f"{about}{tokens:,}", limit, self._model))


def _too_long(tokens: str, limit: int, model: Model) -> str:
    larger = max(MODELS, key=lambda each: each.context_tokens or 0)
    ways = "shorten it, or send it in parts"
    if (larger.context_tokens or 0) > limit and model.server != larger.server:
        ways += f"; {larger.title} takes {larger.context_tokens:,} (--server gemini)"
    return f"The message has {tokens} tokens, this model takes {limit:,}: {ways}."
