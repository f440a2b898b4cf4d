"""The standard streams, led nowhere; and which characters a stream can write."""

import os
from pathlib import Path

import pytest

from live_cli.streams import can_encode, lead_nowhere, open_nowhere


def test_what_goes_to_a_descriptor_that_leads_nowhere_is_gone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    descriptor = os.open(kept, os.O_CREAT | os.O_RDWR)
    os.write(descriptor, b"before")
    lead_nowhere(descriptor)
    os.write(descriptor, b"after")
    os.close(descriptor)
    with open_nowhere() as file:
        file.write(b"more")
    assert kept.read_bytes() == b"before"


def test_a_closed_descriptor_is_opened_again() -> None:
    descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
    lead_nowhere(descriptor)
    assert os.read(descriptor, 1) == b""
    os.close(descriptor)


@pytest.mark.parametrize(
    ("encoding", "characters", "can"),
    [("ascii", "█", False), ("utf-8", "█", True), (None, "█", True), ("no such", "a", False)],
)
def test_can_encode(encoding: str | None, characters: str, can: bool) -> None:
    assert can_encode(encoding, characters) is can
