"""Styled text to what a terminal is told, by what that terminal can do."""

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.text import Text

from live_cli.ui.live.region import ScreenRow


class Styles:
    """Turns rich text into rows. NO_COLOR leaves bold, dim and reverse."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._colored = not console.no_color

    def row(self, text: Text) -> ScreenRow:
        """One row; the text is taken as fitting."""
        parts = []
        for segment in text.render(self._console):
            style = segment.style
            parts.append(self._styled(segment.text, style) if style else segment.text)
        return ScreenRow("".join(parts), text.cell_len)

    def _styled(self, text: str, style: Style) -> str:
        shown = style if self._colored else style.without_color
        return shown.render(text, color_system=ColorSystem.STANDARD)
