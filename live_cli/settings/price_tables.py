"""The tables ``[prices."MODEL"]`` of the settings file: what each model's tokens cost."""

import math
from collections.abc import Mapping

from live_cli.catalog import did_you_mean
from live_cli.prices import PRICE_NAMES, Prices
from live_cli.settings.rules import shown
from live_cli.settings.toml_file import ConfigFile, KeyPath

_MOST_DOLLARS = 1_000_000.0
"""Of a million tokens; who writes more has taken the price of one token for it."""


def read_prices(file: ConfigFile, prefix: KeyPath, tables: object) -> dict[str, Prices]:
    """Return the prices in ``tables``, which stand at ``prefix`` in the file, by the model's id.

    Raises SettingsError with the line of what is wrong.
    """
    if not isinstance(tables, Mapping):
        raise file.complaint(prefix, 'must be tables: [prices."MODEL"]')
    return {
        model.removeprefix("models/"): _prices(file, (*prefix, model), table)
        for model, table in tables.items()
    }


def _prices(file: ConfigFile, path: KeyPath, table: object) -> Prices:
    if not isinstance(table, Mapping):
        raise file.complaint(path, f'must be a table: [prices."{path[-1]}"]')
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
