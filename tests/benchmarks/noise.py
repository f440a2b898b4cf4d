"""Words that `transcribe` gets wrong in noise, with its denoising and without.

Two readings under four noises at 5 and 10 dB; those that the figures were tuned on are others.
"""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import soundfile

from live_cli.audio.pcm import Samples
from live_cli.audio.resampler import Resampler
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.benchmarks.row import Row
from tests.harness.command import live_cli
from tests.harness.noises import NOISES, with_noise
from tests.harness.speech import BECKETT, TWO_CITIES, moonshine_asset, word_errors, words

READINGS = {"beckett": BECKETT, "two_cities": TWO_CITIES}
BUDGETS = {5: 0.6, 10: 0.75}
CLEAN_POINTS = 0.2
SEED = 7


def rows(*, small: bool = False) -> list[Row]:
    readings = ["beckett"] if small else list(READINGS)
    noises = ["pink"] if small else list(NOISES)
    ratios = (5,) if small else tuple(BUDGETS)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        conditions = ["clean"]
        for reading in readings:
            speech = _speech(reading)
            soundfile.write(home / f"clean-{reading}.wav", speech, INPUT_SAMPLE_RATE)
            for name, snr_db in ((name, ratio) for name in noises for ratio in ratios):
                sound = NOISES[name](speech.size / INPUT_SAMPLE_RATE, SEED)
                noisy = with_noise(speech, sound, snr_db)
                soundfile.write(home / f"{name}-{snr_db}-{reading}.wav", noisy, INPUT_SAMPLE_RATE)
        conditions += [f"{name}-{ratio}" for ratio in ratios for name in noises]
        wrong = {mode: _wrong(home, mode, conditions, readings) for mode in ("off", "auto")}
    clean = abs(wrong["auto"]["clean"] - wrong["off"]["clean"])
    return [Row("clean, change", clean, "points of WER", CLEAN_POINTS), *_noisy(wrong)]


def _noisy(wrong: dict[str, dict[str, float]]) -> Iterator[Row]:
    for condition, peer in wrong["off"].items():
        name, _, snr_db = condition.partition("-")
        if snr_db:
            yield Row(
                f"{name} at {snr_db} dB: words wrong",
                wrong["auto"][condition],
                "%",
                BUDGETS[int(snr_db)],
                max(peer, 0.1),
                "denoise = off",
            )


def _wrong(home: Path, mode: str, conditions: list[str], readings: list[str]) -> dict[str, float]:
    """Return the word error rate of each condition, over all readings, in percent."""
    files = sorted(home.glob("*.wav"))
    env = {"LIVE_CLI_ENGINE_DENOISE": mode, "LIVE_CLI_SERVER": "local"}
    out = home / mode
    done = live_cli("transcribe", *files, "--output", f"{out}/", home=home, env=env, limit_s=1800)
    assert done.returncode == 0, done.stderr.decode()
    counted = sum(len(words(READINGS[reading])) for reading in readings)

    def errors(condition: str) -> int:
        heard = ((out / f"{condition}-{each}.txt").read_text("utf-8") for each in readings)
        return sum(
            word_errors(READINGS[each], text) for each, text in zip(readings, heard, strict=True)
        )

    return {condition: 100 * errors(condition) / counted for condition in conditions}


@cache
def _speech(reading: str) -> Samples:
    samples, rate = soundfile.read(moonshine_asset(f"{reading}.wav"), dtype="float32")
    return Resampler(rate, INPUT_SAMPLE_RATE).process(samples)
