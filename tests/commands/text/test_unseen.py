"""What a bill tells of pictures that a model did not look at."""

import pytest

from live_cli.commands.text.unseen import UnseenPictures
from live_cli.protocol.events import TurnComplete, UsageReported
from live_cli.protocol.messages import ModalityTokenCount, UsageMetadata


def told(shown: int, *bills: dict[str, int] | None) -> list[str | None]:
    """What is said at the end of each turn of a bill; the pictures come with the first."""
    unseen, said = UnseenPictures(), []
    unseen.shown(shown)
    for turn, bill in enumerate(bills, start=1):
        if bill is not None:
            details = [ModalityTokenCount(modality=name, token_count=n) for name, n in bill.items()]
            unseen.event(UsageReported(UsageMetadata(prompt_tokens_details=details)))
        said.append(unseen.event(TurnComplete(turn)))
    return said


@pytest.mark.parametrize(
    ("shown", "bills", "warns"),
    [
        (1, [{"TEXT": 9}], [True]),
        (2, [{"TEXT": 9, "IMAGE": 0}], [True]),
        (1, [{"TEXT": 9}, {"TEXT": 12}], [True, False]),
        (1, [{"TEXT": 9, "IMAGE": 258}], [False]),
        (1, [{"VIDEO": 258}], [False]),
        (0, [{"TEXT": 9}], [False]),
        (1, [None], [False]),
        (1, [{}], [False]),
    ],
)
def test_only_a_bill_without_pictures_tells(
    shown: int, bills: list[dict[str, int] | None], warns: list[bool]
) -> None:
    said = told(shown, *bills)
    assert [each is not None for each in said] == warns
    assert all("\n" not in each and "--server gemini" in each for each in said if each)
