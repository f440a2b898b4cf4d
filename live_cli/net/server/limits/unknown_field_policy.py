"""What happens to fields that we do not know: refused when strict, else told once a server."""

import logging
import re

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.messages import AuthToken
from live_cli.protocol.unknown_fields import FieldCheck
from live_cli.protocol.wire import unknown_field_reason, unknown_fields

_MOST_TOLD = 256
_SHOWN_CHARS = 120


class UnknownFieldPolicy:
    """Shared by the sessions of a server."""

    def __init__(self, log: logging.Logger, *, strict: bool) -> None:
        self._log = log
        self._strict = strict
        self._check = FieldCheck()
        self._told: set[str] = set()

    def check_frame(self, frame: bytes | str) -> None:
        """Raises RemoteProtocolError when strict, in the service's words."""
        for path in self._check.unknown(frame):
            self._meet(path)

    def check_token(self, body: bytes) -> None:
        """The same for what a token is asked for with; nothing at all is all defaults."""
        for path in unknown_fields(body, AuthToken) if body.strip() else ():
            self._meet(path)

    def _meet(self, path: str) -> None:
        if self._strict:
            raise RemoteProtocolError(unknown_field_reason(path))
        kind = re.sub(r"\[\d+\]", "[]", path)[:_SHOWN_CHARS]
        if kind not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(kind)
            self._log.warning("ignored: field %r, which is not known here", kind)
