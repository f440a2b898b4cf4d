"""The errors of live-cli, each with the exit code the command line ends with.

    LiveError                      1
    ├── SettingsError              3   settings or key
    │   └── OptionError            2   wrong usage
    ├── ConnectError               4   cannot connect
    ├── DeviceError                5   audio device
    ├── SessionError               6   the session failed
    │   ├── LocalProtocolError         our mistake: a message that is not legal now
    │   └── RemoteProtocolError        theirs: garbage, or a message out of place
    ├── EngineError                6   a stage of the local engine failed
    │   └── UnsupportedError           asked for something the engine does not do
    └── InputFileError             7   input file

Every message is one line for the person who meets it: what happened, then what to do.
"""

from typing import ClassVar


class LiveError(Exception):
    """Root of everything live-cli raises on purpose."""

    exit_code: ClassVar[int] = 1


class SettingsError(LiveError):
    """A setting, an option value or a key is missing or wrong."""

    exit_code = 3


class OptionError(SettingsError):
    """A value on the command line is wrong or missing: wrong usage, not a wrong setting."""

    exit_code = 2


class ConnectError(LiveError):
    """No session could be opened. ``close_code``: the server's, where one answered."""

    exit_code = 4

    def __init__(self, message: str, close_code: int | None = None) -> None:
        super().__init__(message)
        self.close_code = close_code


class DeviceError(LiveError):
    """No microphone or speaker, or PortAudio is missing, or the device is busy."""

    exit_code = 5


class SessionError(LiveError):
    """An open session failed."""

    exit_code = 6


class LocalProtocolError(SessionError):
    """We tried to send what the protocol does not allow now: a bug of ours."""


class RemoteProtocolError(SessionError):
    """The peer sent what cannot be read, or what has no place now.

    ``close_code`` and ``reason`` are what a server answers with (reference: WebSocket close
    codes of the Live API; the reason is cut at 123 bytes by whoever sends it).
    """

    def __init__(self, reason: str, close_code: int = 1007) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason


class EngineError(LiveError):
    """A stage of the local engine is missing or failed."""

    exit_code = 6


class UnsupportedError(EngineError):
    """A setup asks for something the local engine does not do: refused by close code and reason."""

    def __init__(self, reason: str, close_code: int = 1007) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason


class InputFileError(LiveError):
    """A file the user named cannot be read or written."""

    exit_code = 7
