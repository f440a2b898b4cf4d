"""The keys of a talk: commands, a line being typed, and the push-to-talk key.

Where the terminal reports when a key comes up, the push-to-talk key is held down to speak;
elsewhere each press opens or closes the microphone. A window that loses the focus never reports
the release, so losing the focus counts as one.
"""

from typing import TYPE_CHECKING

from live_cli.ui.terminal.key_decoder import FOCUS_OUT, GRAPHICS, RELEASE, RELEASES_TOLD, REPEAT
from live_cli.ui.terminal.line_editor import LineEditor
from live_cli.ui.view import View

if TYPE_CHECKING:
    from live_cli.commands.talk.conversation import Conversation
    from live_cli.commands.talk.image_sender import ImageSender

TALK_KEY = " "
_ANSWERS = ("y", "a", "n", "N")
"""Keys that answer whether a tool may run; nothing else is asked."""


class Keymap:
    """Turns keys into calls of a conversation; keys have the names that `KeyDecoder` gives."""

    def __init__(self, conversation: "Conversation", images: "ImageSender", view: View) -> None:
        self._conversation = conversation
        self._images = images
        self._view = view
        self._editor: LineEditor | None = None
        self._holds = False

    def press(self, key: str) -> None:
        """Take one key: part of a line being typed, or a command."""
        if key == "eof":  # the terminal is gone
            self._conversation.stop()
        elif key == RELEASES_TOLD:
            self._holds = True
            self._view.status(hold_to_talk=True)
        elif key.startswith(GRAPHICS):
            self._note_graphics(key.removeprefix(GRAPHICS))
        elif key in (FOCUS_OUT, RELEASE + TALK_KEY):
            if self._holds and self._conversation.microphone.held:
                self._conversation.microphone.end_activity()
        elif key.startswith(RELEASE):
            pass
        elif self._editor is not None:
            self._type(key.removeprefix(REPEAT))
        else:
            self._command(key)

    def _command(self, key: str) -> None:
        if self._conversation.asks and key in _ANSWERS:
            from live_cli.tools.consent import ConsentAnswer

            self._conversation.answer(ConsentAnswer(key))
        elif key == "q":
            self._conversation.stop()
        elif key == "m":
            self._conversation.microphone.toggle_mute()
        elif key == "v":
            self._images.toggle()
        elif key == TALK_KEY and self._conversation.microphone.push_to_talk:
            self._give_floor()
        elif key == "enter" and not self._conversation.microphone.push_to_talk:
            self._conversation.interrupt_model()
        elif key == "t":
            self._editor = LineEditor()
            self._view.status(typing=self._editor.line)

    def _note_graphics(self, kind: str) -> None:
        """Take what the terminal has answered; sixels, told last, go before kitty's protocol.

        Some terminals that know the protocol lack the characters that the preview needs of it.
        """
        if kind == "kitty":
            self._view.status(graphics="kitty")
        elif kind == "sixel":
            self._view.status(graphics="sixel")

    def _give_floor(self) -> None:
        if not self._conversation.microphone.held:
            self._conversation.microphone.start_activity()
        elif not self._holds:
            self._conversation.microphone.end_activity()

    def _type(self, key: str) -> None:
        editor = self._editor
        if editor is None:
            return
        text = editor.press(key)
        if text:
            self._conversation.send_line(text)
        if text is not None or editor.cancelled:
            self._editor = None
        self._view.status(typing=self._editor.line if self._editor else None)
