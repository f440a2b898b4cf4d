"""The errors of live-cli, each with the exit code of a command that it ends.

    LiveError                      1
    ├── SettingsError              3   settings or key
    │   └── OptionError            2   wrong usage
    ├── ConnectError               4   cannot connect
    ├── DeviceError                5   sound device, camera or screen
    ├── SessionError               6   the session failed
    │   ├── LocalProtocolError         our mistake: a message that is not legal now
    │   └── RemoteProtocolError        the peer's: garbage, or a message out of place
    ├── EngineError                6   a stage of the local engine failed
    │   └── UnsupportedError           asked for something the engine does not do
    ├── InputFileError             7   input file
    └── StoppedError             130   stopped by a signal

Every message is one line for the user: what happened, then what to do.
"""

from enum import Enum, auto
from typing import ClassVar


class LiveError(Exception):
    """The root of all errors that live-cli raises on purpose."""

    exit_code: ClassVar[int] = 1


class SettingsError(LiveError):
    """A setting, an option value or a key is missing or wrong."""

    exit_code = 3


class OptionError(SettingsError):
    """A value on the command line is wrong or missing: wrong usage, not a wrong setting."""

    exit_code = 2


class Retry(Enum):
    """What trying again can do about a connection that was not made."""

    NEVER = auto()
    """Nothing: the same answer would come again."""
    LATER = auto()
    """It may help, for a fault that may pass."""
    STARTING = auto()
    """Nothing listens there: perhaps not yet."""
    BUSY = auto()
    """The server says that it is busy or starts: in a moment it may not be."""


class ConnectError(LiveError):
    """No session could be opened. ``close_code``: the server's, where a server answered.

    ``retry_after_s``: for how long the server asks its callers to wait, where it does.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        close_code: int | None = None,
        *,
        retry: Retry = Retry.LATER,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.close_code = close_code
        self.retry = retry
        self.retry_after_s = retry_after_s


class DeviceError(LiveError):
    """A microphone, speaker, camera or screen is missing, busy or not allowed, or PortAudio is."""

    exit_code = 5


class SessionError(LiveError):
    """An open session failed."""

    exit_code = 6


class LocalProtocolError(SessionError):
    """A message is not allowed in the session's state: a bug of the sending side, which is ours."""


class RemoteProtocolError(SessionError):
    """The peer sent a message that cannot be read, or that is not allowed in the session's state.

    ``close_code`` and ``reason``: with what a server closes the WebSocket (reference: WebSocket
    close codes of the Live API). The reason is cut at 123 bytes where it is sent.
    """

    def __init__(self, reason: str, close_code: int = 1007) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason


class EngineError(LiveError):
    """A stage of the local engine is missing or failed."""

    exit_code = 6


class UnsupportedError(EngineError):
    """A setup asks for what the local engine does not do: refused by close code and reason."""

    def __init__(self, reason: str, close_code: int = 1007) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason


class InputFileError(LiveError):
    """A file that the user named cannot be read or written."""

    exit_code = 7


class StoppedError(LiveError):
    """A person or the system stopped the command by the signal ``number``; says how far it came.

    130 is the exit code of Ctrl-C; other signals end the process as they end any.
    """

    exit_code = 130

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number
