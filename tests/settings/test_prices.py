"""Prices in the settings file: by model, direction and modality; profiles lay theirs over."""

import re

import pytest

from live_cli.errors import SettingsError
from live_cli.prices import PRICE_NAMES, Prices
from live_cli.settings.load import load
from tests.harness.places import ROOT

FILE = """
voice = "Kore"
[prices."gemini-3.8-live"]
input_text = 0.75
input_audio = 3
[prices."models/other"]
output_audio = 1.5
[profiles.work.prices."gemini-3.8-live"]
input_text = 0.5
"""


@pytest.fixture
def loaded(tmp_path):
    def load_text(text, profile=None):
        (tmp_path / "c.toml").write_text(text)
        return load(config=tmp_path / "c.toml", profile=profile, environ={})

    return load_text


def test_prices_are_read_by_model(loaded):
    settings = loaded(FILE)
    assert settings.prices == {
        "gemini-3.8-live": Prices(input_text=0.75, input_audio=3.0),
        "other": Prices(output_audio=1.5),
    }
    assert settings.session.voice == "Kore"
    assert loaded("voice = 'Kore'").prices == {}


def test_a_profile_s_prices_of_a_model_take_the_place_of_the_file_s(loaded):
    prices = loaded(FILE, profile="work").prices
    assert prices["gemini-3.8-live"] == Prices(input_text=0.5)
    assert prices["other"] == Prices(output_audio=1.5)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("prices = 3\n", 1, "must be tables: [prices.NAME]"),
        ("[prices]\n'm.1' = 3\n", 2, 'must be a table: [prices."m.1"]'),
        ("[prices.m]\ninput_audoi = 3\n", 2, "did you mean 'input_audio'?"),
        ("[prices.m]\n\nxyz = 3\n", 3, "is not a price: choose input_text,"),
        ("[prices.m]\ninput_text = '3'\n", 2, "dollars per million tokens, not '3'"),
        ("[prices.m]\ninput_text = true\n", 2, "not true"),
        ("[prices.m]\ninput_text = -1\n", 2, "not -1"),
        ("[prices.m]\ninput_text = nan\n", 2, "not nan"),
        ("[prices.m]\ninput_text = inf\n", 2, "not inf"),
        ("[prices.m]\ninput_text = 1e9\n", 2, "not 1000000000.0"),
        ("[profiles.p.prices.m]\nxyz = 3\n", 2, "profiles.p.prices.m.xyz is not a price"),
    ],
)
def test_a_wrong_price_is_told_with_its_line(loaded, text, line, says):
    with pytest.raises(SettingsError) as refused:
        loaded(text)
    assert f"line {line}: " in str(refused.value)
    assert says in str(refused.value)


def test_the_example_s_prices_are_off_until_they_are_wanted_and_then_right(loaded):
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    assert loaded(text).prices == {}
    assert all(name in text for name in PRICE_NAMES)
    assert "October 2026" in text
    wanted = loaded(re.sub(r"^#     ?", "", text, flags=re.MULTILINE)).prices
    assert wanted == {"gemini-3.8-live": Prices(0.75, 3.0, None, None, 4.5, 12.0)}
