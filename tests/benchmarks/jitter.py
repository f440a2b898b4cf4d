"""The adaptive playback buffer against none and two fixed ones, on five ways that sound arrives.

`python -m tests.benchmarks.jitter` prints all figures; in the table of budgets stand its gaps
against those of fixed 120 ms, and its start on a steady connection against that of fixed 300 ms.
"""

from tests.benchmarks.row import Row
from tests.harness.simulated_arrivals import HARD, TURNS, compared

SMALL_TURNS = 4


def rows(small: bool = False) -> list[Row]:
    found = compared(seed=1, turns=SMALL_TURNS if small else TURNS)
    gaps = [
        Row(
            f"gaps in speech: {name}",
            found[name]["adaptive"].gaps,
            "/min",
            0.6,
            found[name]["fixed 120"].gaps,
            "fixed 120 ms",
        )
        for name in HARD
    ]
    clean = found["clean rtf 0.3"]
    start = Row(
        "start of speech: clean rtf 0.3",
        clean["adaptive"].start_ms,
        "ms",
        0.5,
        clean["fixed 300"].start_ms,
        "fixed 300 ms",
    )
    return [start, *gaps]


def main() -> None:
    print(f"{'pattern':18} {'buffer':10} {'start ms':>9} {'gaps/min':>9} {'dry ms/min':>11}")
    for name, figures in compared(seed=1).items():
        for buffer, found in figures.items():
            figures_of_it = f"{found.start_ms:9.0f} {found.gaps:9.2f} {found.dry_ms:11.0f}"
            print(f"{name:18} {buffer:10} {figures_of_it}")


if __name__ == "__main__":
    main()
