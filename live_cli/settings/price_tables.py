"""The tables ``[prices."MODEL"]`` of the settings file: what each model's tokens cost."""

import math
from collections.abc import Mapping
from typing import Any

from live_cli.catalog import did_you_mean
from live_cli.prices import PRICE_NAMES, Prices
from live_cli.settings.rules import shown
from live_cli.settings.toml_file import ConfigFile, KeyPath

_MOST_DOLLARS = 1_000_000.0
"""Of a million tokens; who writes more has taken the price of one token for it."""


def read_prices(file: ConfigFile, path: KeyPath, table: Mapping[str, Any]) -> Prices:
    """Return the prices in ``table``, at ``path`` in the file; raises SettingsError."""
    for name, value in table.items():
        if name not in PRICE_NAMES:
            near = did_you_mean(name, PRICE_NAMES) or f": choose {', '.join(PRICE_NAMES)}"
            raise file.complaint((*path, name), f"is not a price{near}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and 0 <= value <= _MOST_DOLLARS):
            raise file.complaint(
                (*path, name), f"must be dollars per million tokens, not {shown(value)}"
            )
    return Prices(**{name: float(value) for name, value in table.items()})
