"""Links by OSC 8 sequences, for terminals that make them, by what they say of themselves."""

from collections.abc import Mapping
from typing import Final

_PROGRAMS: Final = frozenset(
    ("iTerm.app", "WezTerm", "vscode", "ghostty", "WarpTerminal", "Hyper", "Tabby", "rio", "tmux")
)
"""Values of TERM_PROGRAM. tmux takes the sequence whether or not its own terminal has links."""
_TYPES: Final = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "tmux")
_VARIABLES: Final = ("WT_SESSION", "KONSOLE_VERSION", "KITTY_WINDOW_ID", "DOMTERM")
_VTE_WITH_LINKS: Final = 5_002
"""Version 0.50.2; 0.50.0 crashes on them."""


def has_links(variables: Mapping[str, str]) -> bool:
    """Return whether a terminal of this environment has links. FORCE_HYPERLINK=1 or 0 decides."""
    if (forced := variables.get("FORCE_HYPERLINK")) is not None:
        return forced not in ("", "0", "false", "no")
    vte = variables.get("VTE_VERSION", "")
    return (
        variables.get("TERM_PROGRAM") in _PROGRAMS
        or variables.get("TERM", "").startswith(_TYPES)
        or any(name in variables for name in _VARIABLES)
        or (vte.isascii() and vte.isdigit() and int(vte) >= _VTE_WITH_LINKS)
    )
