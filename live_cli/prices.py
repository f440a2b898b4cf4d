"""What a model's tokens cost, in dollars per million, by direction and modality."""

from dataclasses import dataclass, fields
from typing import Literal

Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of one model in dollars per million tokens; None: not known.

    Thoughts are billed as output text, function results as input text.
    """

    input_text: float | None = None
    input_audio: float | None = None
    input_image: float | None = None
    input_video: float | None = None
    output_text: float | None = None
    output_audio: float | None = None

    def of(self, direction: Direction, modality: str | None) -> float | None:
        """Return the price of a token of ``modality``, as the wire spells it (``AUDIO``).

        None for the modality is one that nobody told: the dearest of its direction, so that an
        estimate is not too low.
        """
        if modality is not None:
            return getattr(self, f"{direction}_{modality.lower()}", None)
        known = (getattr(self, name) for name in PRICE_NAMES if name.startswith(direction))
        return max((price for price in known if price is not None), default=None)


PRICE_NAMES = tuple(field.name for field in fields(Prices))
"""The names of the prices, which are also their keys in the settings file."""
