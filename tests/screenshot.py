"""The picture of a talk in README.md: python -m tests.screenshot [FILE].

The real command on a terminal, with its own engine: speech is recognised and answered in a voice.
Only the words of the chat model are written down here, so that the picture is the same each time.
Takes half a minute.
"""

import io
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from live_cli.commands.talk.conversation import READING_S
from tests.harness.command import live_cli
from tests.harness.terminal_command import on_terminal
from tests.harness.terminal_screen import TerminalScreen

PICTURE = Path(__file__).parents[1] / "docs" / "talk.svg"
COLUMNS, ROWS = 84, 17
QUESTIONS = ("Is the lamp in the kitchen still on?", "Then please turn it off.")
REPLIES = (
    'call:lamp {"room": "kitchen"}',
    "Yes, the lamp in the kitchen has been burning since noon.",
    'call:switch {"room": "kitchen", "on": false}',
)
HOUSE = '''
def lamp(room: str) -> str:
    """Tell whether the lamp of a room is on."""
    return "on since noon"

def switch(room: str, on: bool) -> str:
    """Turn the lamp of a room on or off."""
    return "off"
'''
FONTS = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


def main(target: Path) -> None:
    """Write the picture of a talk in which a call is done and another is asked about."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "house.py").write_text(HOUSE)
        with on_terminal(
            home, "talk", "--server", "local", "--voice", "Kore", "--input", spoken(home),
            "--output", home / "answer.wav", "--tools", home / "house.py",
            columns=COLUMNS, rows=ROWS, env=scripted(*REPLIES),
        ) as talk:  # fmt: skip
            talk.until("lamp (house.py) wants to run", "Run it?")
            time.sleep(READING_S)
            talk.press("y")
            talk.until("switch (house.py) wants to run", "Run it?", QUESTIONS[1], "since noon.")
            picture = svg(talk.screen)
            time.sleep(READING_S)
            talk.press("n")
            talk.press("q")
            talk.ended()
    target.write_text(picture, encoding="utf-8")
    print(f"{target}: {len(picture):,} characters")


def spoken(home: Path) -> Path:
    """The questions in one file, with time between them for the first answer."""
    pieces = []
    for number, question in enumerate(QUESTIONS):
        path = home / f"{number}.wav"
        done = live_cli(
            "text", "--server", "local", "--voice", "Puck", "--output", path, "Go on.",
            home=home, env=scripted(question),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        samples, rate = soundfile.read(path, dtype="float32")
        pieces += [np.zeros(rate, np.float32), samples, np.zeros(rate * 9, np.float32)]
    path = home / "questions.wav"
    soundfile.write(path, np.concatenate(pieces), rate)
    return path


def scripted(*replies: str) -> dict[str, str]:
    return {"LIVE_CLI_ENGINE_CHAT": f"scripted:{'|'.join(replies)}", "FORCE_HYPERLINK": "0"}


def svg(screen: TerminalScreen) -> str:
    """The visible part of the screen, in fonts that are there."""
    rows = screen.ansi[screen.top :]
    while rows and not Text.from_ansi(rows[0]).plain.strip():
        rows.pop(0)
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    for row in rows:
        console.print(Text.from_ansi(row), no_wrap=True, crop=False)
    form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("font-family: Fira Code, monospace;", f"font-family: {FONTS};")
    return console.export_svg(title="live-cli talk", code_format=form, unique_id="talk")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
