"""`live-cli voices`."""

import json

import pytest

from live_cli.catalog import VOICES
from live_cli.cli.main import main


@pytest.mark.parametrize("as_json", [False, True])
def test_thirty_voices_with_their_character(capsys, as_json):
    with pytest.raises(SystemExit, match="0"):
        main(["voices", *(["--json"] if as_json else [])])
    lines = capsys.readouterr().out.splitlines()
    if as_json:
        rows = [(row["voice"], row["character"]) for row in map(json.loads, lines)]
    else:
        rows = [tuple(line.split("\t")) for line in lines]
    assert dict(rows) == VOICES
    assert len(rows) == 30
