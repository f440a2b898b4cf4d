"""`live-cli languages`: what hears and speaks each language, and what is to be installed."""

import json

import pytest

from live_cli.catalog import LANGUAGES
from live_cli.commands import languages
from live_cli.settings.schema import EngineSettings


def rows_of(capsys, **names):
    languages.run(EngineSettings(**names), json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["code"]: row["language"] for row in rows} == LANGUAGES
    return {row["code"]: row for row in rows}


def test_where_nothing_else_is_installed_each_language_says_what_is_missing(capsys, nothing_else):
    rows = rows_of(capsys)
    assert [code for code, row in rows.items() if row["heard_by"]] == ["en"]
    assert rows["en"]["quality"] == "natural"
    assert rows["en"]["install"] is None
    assert "models pull whisper-base" in rows["de"]["install"]
    assert "live-cli[voices]" in rows["de"]["install"]
    assert "espeak-ng" in rows["pl"]["install"]
    assert rows["zu"]["install"] is None  # no transcriber and no voice has it


@pytest.mark.parametrize(
    ("code", "heard_by", "spoken_by", "quality", "install"),
    [
        ("en", "moonshine", "hibari", "natural", None),
        ("de", "whisper", "pico", "plain", None),
        ("pl", "whisper", "espeak", "robotic", None),
        ("fil", "whisper", None, None, None),
        ("or", None, "espeak", "robotic", None),
    ],
)
def test_the_best_that_is_there(capsys, monkeypatch, code, heard_by, spoken_by, quality, install):
    monkeypatch.setattr("live_cli.engine.languages.is_there", lambda backend: True)
    row = rows_of(capsys)[code]
    assert (row["heard_by"], row["spoken_by"], row["quality"]) == (heard_by, spoken_by, quality)
    assert row["install"] == install


def test_a_voice_that_is_worse_than_need_be_says_what_would_be_better(capsys, monkeypatch):
    monkeypatch.setattr(
        "live_cli.engine.languages.is_there", lambda backend: backend.name == "espeak"
    )
    row = rows_of(capsys)["de"]
    assert row["spoken_by"] == "espeak"
    assert "live-cli[voices]" in row["install"]


def test_what_is_set_counts_for_the_languages_that_it_has(capsys, monkeypatch):
    monkeypatch.setattr("live_cli.engine.languages.is_there", lambda backend: True)
    rows = rows_of(capsys, transcriber="whisper:/folder", synthesizer="espeak")
    assert {rows[code]["heard_by"] for code in ("en", "de")} == {"whisper"}
    assert {rows[code]["spoken_by"] for code in ("en", "de")} == {"espeak"}


def test_a_table_by_name(capsys, nothing_else):
    languages.run(EngineSettings(), json=False)
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [name for _, name, *_ in rows] == sorted(LANGUAGES.values())
    assert all(len(row) == 6 for row in rows)
