"""`live-cli languages`: the seventy languages; what hears and speaks each on this machine."""

from live_cli.catalog import LANGUAGES
from live_cli.engine.backends.table import Backend, Stage, find_backend
from live_cli.engine.languages import (
    LocalLanguages,
    backends_for,
    slow_but_better,
    way_to_hear,
    way_to_speak,
)
from live_cli.settings.schema import EngineSettings
from live_cli.ui.table import TableRow, print_rows

_NOTHING = "-"


def run(engine: EngineSettings, *, json: bool) -> None:
    """Print the languages by name, by the backends that are set in ``engine`` or are there."""
    there = LocalLanguages(engine.transcriber, engine.synthesizer)
    by_name = sorted(LANGUAGES.items(), key=lambda entry: entry[1])
    print_rows([_row(code, name, there, json=json) for code, name in by_name], as_json=json)


def _row(code: str, name: str, there: LocalLanguages, *, json: bool) -> TableRow:
    heard, spoken = there.hearing(code), there.speaking(code)
    voice = find_backend(Stage.SYNTHESIZER, spoken)[0] if spoken else None
    quality = voice.quality.value if voice and voice.quality else None
    row = {
        "code": code,
        "language": name,
        "heard_by": heard and heard.partition(":")[0],
        "spoken_by": spoken and spoken.partition(":")[0],
        "quality": quality,
    }
    slow = slow_but_better(code, voice.quality if voice else None)
    steps = [
        way_to_hear(code) if heard is None else "",
        _better_voice(code, voice),
        f"natural, but slow: {slow}" if slow and not (voice and not voice.languages) else "",
    ]
    install = "; ".join(step for step in steps if step)
    if json:
        return row | {"install": install or None}
    return {key: value or _NOTHING for key, value in row.items()} | {"install": install}


def _better_voice(code: str, voice: Backend | None) -> str:
    """Return how to get the best quick voice of a language that has a worse one, or none."""
    best = next(backends_for(Stage.SYNTHESIZER, code), None)
    if best is None or (voice and (voice.name == best.name or voice.slow or not voice.languages)):
        return ""
    return way_to_speak(code)
