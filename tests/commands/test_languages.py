"""`live-cli languages`."""

import json

from live_cli.catalog import LANGUAGES
from live_cli.commands import languages


def test_seventy_languages_with_codes_and_the_local_ones_marked(capsys):
    languages.run(json=False)
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {code: name for code, name, _ in rows} == LANGUAGES
    assert len(rows) == 70
    assert [code for code, _, mark in rows if mark] == ["en"]
    assert [name for _, name, _ in rows] == sorted(LANGUAGES.values())


def test_json_says_true_and_false(capsys):
    languages.run(json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["code"] for row in rows if row["local"] is True} == {"en"}
    assert all(isinstance(row["local"], bool) for row in rows)
