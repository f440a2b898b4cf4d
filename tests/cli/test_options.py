"""The options of the settings: which verb has them, how they are spelled, what they set."""

import os

import pytest
import typer

from live_cli.cli.app import app
from live_cli.cli.options import with_settings
from live_cli.settings.schema import SETTINGS, Settings


def test_an_option_s_verbs_are_commands():
    offered = {verb for each in SETTINGS.values() if each.option for verb in each.option.verbs}
    assert offered <= set(typer.main.get_command(app).commands)


@pytest.mark.parametrize(
    ("verb", "args", "group", "name", "value"),
    [
        ("talk", ["--silence-ms", "300"], "vad", "silence_ms", 300),
        ("talk", ["--affective"], "session", "affective", True),
        ("talk", ["--no-interruption"], "vad", "interruption", False),
        ("talk", ["--no-resume"], "session", "resume", False),
        ("talk", [], "session", "resume", True),
        ("talk", ["--half-duplex"], "talk", "half_duplex", True),
        ("talk", [], "talk", "half_duplex", False),
        ("talk", ["--denoise", "on"], "talk", "denoise", "on"),
        ("serve", ["--allow-origin", "https://a", "--allow-origin", "https://b"],
         "serve", "allow_origins", ("https://a", "https://b")),
        ("serve", [], "serve", "allow_origins", ()),
    ],
)  # fmt: skip
def test_an_option_sets_its_setting(monkeypatch, verb, args, group, name, value):
    monkeypatch.setattr(os, "environ", {"LIVE_CLI_CONFIG": os.devnull})
    found: list[Settings] = []
    one = typer.Typer()
    one.command()(with_settings(verb)(found.append))
    typer.main.get_command(one).main(args, standalone_mode=False)()
    assert getattr(getattr(found[0], group), name) == value
