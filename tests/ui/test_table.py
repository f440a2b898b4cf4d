"""Rows: a table on a terminal, tabs on a pipe, JSON when asked for."""

import json

import pytest

from live_cli.ui.table import print_rows

ROWS = [
    {"name": "a\x1b[31m[bold]", "size": 12, "default": True, "note": None},
    {"name": "b\tc", "size": 3, "default": False, "note": "über"},
]


def test_a_pipe_gets_tabs_and_no_control_characters(capsys):
    print_rows(ROWS)
    assert capsys.readouterr().out == "a␛[31m[bold]\t12\tyes\t\nb␉c\t3\t\tüber\n"


def test_json_is_one_object_a_line(capsys):
    print_rows(ROWS, as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS


@pytest.mark.parametrize("rows", [ROWS, []])
def test_a_terminal_gets_a_table_with_heads(rows, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    print_rows(rows)
    out = capsys.readouterr().out
    if not rows:
        assert out == ""
        return
    head, *lines = out.splitlines()
    assert head.split() == ["name", "size", "default", "note"]
    assert "a␛[31m[bold]" in lines[0]
    assert lines[0].index("12") == lines[1].index(" 3")
