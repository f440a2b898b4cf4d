"""What the keys of a talk do: commands, a line being typed, and the key that gives the floor.

Push to talk is held where the terminal tells when a key comes up, from the moment that is known;
elsewhere the key opens and closes the microphone in turns. A window that loses the focus takes the
release with it, so that counts as one.
"""

from typing import Protocol

from live_cli.ui.terminal.key_decoder import FOCUS_OUT, RELEASE, RELEASES_TOLD, REPEAT
from live_cli.ui.terminal.line_editor import LineEditor
from live_cli.ui.view import View

TALK_KEY = " "


class Talking(Protocol):
    """What keys can do to a conversation; see `conversation.Conversation`."""

    @property
    def push_to_talk(self) -> bool: ...
    @property
    def held(self) -> bool: ...
    def stop(self) -> None: ...
    def toggle_mute(self) -> None: ...
    def start_activity(self) -> None: ...
    def end_activity(self) -> None: ...
    def interrupt_model(self) -> None: ...
    def send_line(self, text: str) -> None: ...


class Keymap:
    """Told each key by `press`, with the names of `key_decoder` and `line_editor`."""

    def __init__(self, talking: Talking, face: View) -> None:
        self._talking = talking
        self._face = face
        self._editor: LineEditor | None = None
        self._holds = False

    def press(self, key: str) -> None:
        """A key: part of a line being typed, or a command."""
        if key == "eof":  # the terminal is gone
            self._talking.stop()
        elif key == RELEASES_TOLD:
            self._holds = True
            self._face.status(hold_to_talk=True)
        elif key in (FOCUS_OUT, RELEASE + TALK_KEY):
            if self._holds and self._talking.held:
                self._talking.end_activity()
        elif key.startswith(RELEASE):
            pass
        elif self._editor is not None:
            self._type(key.removeprefix(REPEAT))
        else:
            self._command(key)

    def _command(self, key: str) -> None:
        if key == "q":
            self._talking.stop()
        elif key == "m":
            self._talking.toggle_mute()
        elif key == TALK_KEY and self._talking.push_to_talk:
            self._give_floor()
        elif key == "enter" and not self._talking.push_to_talk:
            self._talking.interrupt_model()
        elif key == "t":
            self._editor = LineEditor()
            self._face.status(typing=self._editor.line)

    def _give_floor(self) -> None:
        if not self._talking.held:
            self._talking.start_activity()
        elif not self._holds:
            self._talking.end_activity()

    def _type(self, key: str) -> None:
        editor = self._editor
        if editor is None:
            return
        text = editor.press(key)
        if text:
            self._talking.send_line(text)
        if text is not None or key == "escape":
            self._editor = None
        self._face.status(typing=self._editor.line if self._editor else None)
