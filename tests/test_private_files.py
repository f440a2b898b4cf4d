"""Who may read a file with a key: its owner, and the group of a file of root's."""

import os
import sys

import pytest

from live_cli.private_files import is_open_to_others

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no POSIX modes")

ROOT_USER, PERSON = 0, 1000


@pytest.mark.parametrize(
    ("mode", "owner", "reader", "is_open"),
    [
        (0o600, PERSON, PERSON, False),
        (0o640, PERSON, PERSON, True),
        (0o604, PERSON, PERSON, True),
        (0o440, ROOT_USER, PERSON, False),  # a Secret of Kubernetes in a container of a user's
        (0o640, ROOT_USER, PERSON, False),
        (0o660, ROOT_USER, PERSON, True),
        (0o444, ROOT_USER, PERSON, True),
        (0o440, ROOT_USER, ROOT_USER, True),
        (0o440, PERSON, ROOT_USER, True),
    ],
)
def test_a_key_is_open_to_others_by_its_modes(
    mode: int, owner: int, reader: int, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: reader)
    found = os.stat_result((mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))
    assert is_open_to_others(found) is is_open
