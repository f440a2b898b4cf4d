"""Styled text as the escape sequences that a terminal understands."""

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.text import Text

from live_cli.ui.live.region import ScreenRow


class Styles:
    """Turns rich text into rows. Under NO_COLOR bold, dim and reverse stay.

    ``links``: the terminal has links (OSC 8); without, their text stands alone.
    """

    def __init__(self, console: Console, *, links: bool = False) -> None:
        self._console = console
        self._links = links
        self._colored = not console.no_color

    def row(self, text: Text) -> ScreenRow:
        """Return ``text`` as one row, whatever its width."""
        parts = []
        for segment in text.render(self._console):
            style = segment.style
            parts.append(self._styled(segment.text, style) if style else segment.text)
        return ScreenRow("".join(parts), text.cell_len)

    def _styled(self, text: str, style: Style) -> str:
        shown = style if self._colored else style.without_color
        if shown.link and not self._links:
            shown = shown.update_link(None)
        return shown.render(text, color_system=ColorSystem.STANDARD)
