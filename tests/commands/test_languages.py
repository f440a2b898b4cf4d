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


def test_a_natural_voice_that_may_be_slow_is_named_and_taken_where_it_is_set(capsys, monkeypatch):
    """Of Kokoro each language takes a voice, and what reads it."""
    kokoro = lambda backend: backend.name in ("kokoro", "pico", "espeak")  # noqa: E731
    monkeypatch.setattr("live_cli.engine.languages.is_there", kokoro)
    monkeypatch.setattr("live_cli.engine.languages._kokoro_voices", lambda folder: ("ef_dora",))
    monkeypatch.setattr("live_cli.engine.languages._espeak_is_there", lambda: True)
    rows = rows_of(capsys)
    assert (rows["es"]["spoken_by"], rows["it"]["spoken_by"]) == ("pico", "pico")
    assert rows["es"]["install"].endswith('natural, but slow: synthesizer = "kokoro"')
    assert rows["it"]["install"].endswith('models pull kokoro and synthesizer = "kokoro"')
    assert "kokoro" not in "".join(rows[code]["install"] or "" for code in ("en", "de", "pl"))

    rows = rows_of(capsys, synthesizer="kokoro")
    found = {code: (rows[code]["spoken_by"], rows[code]["quality"]) for code in ("es", "it", "en")}
    assert found == {"es": ("kokoro", "natural"), "it": ("pico", "plain"), "en": ("pico", "plain")}
    assert "pip install 'live-cli[voices]'" not in (rows["es"]["install"] or "")

    monkeypatch.setattr(
        "live_cli.engine.languages.is_there", lambda backend: backend.name == "kokoro"
    )
    assert rows_of(capsys)["es"]["spoken_by"] == "kokoro"  # slow is better than silent


def test_a_table_by_name(capsys, nothing_else):
    languages.run(EngineSettings(), json=False)
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [name for _, name, *_ in rows] == sorted(LANGUAGES.values())
    assert all(len(row) == 6 for row in rows)
