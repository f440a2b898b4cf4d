"""Unknown fields in a client's JSON: refused in strict mode, else logged once each."""

import logging
import re

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.messages import AuthToken
from live_cli.protocol.unknown_fields import UnknownFieldFinder
from live_cli.protocol.wire import find_unknown_fields, unknown_field_reason

_MOST_LOGGED = 256
_SHOWN_CHARS = 120
_READ_CHARS = 1000
"""Of a name as long as a payload, which the client chose."""


class UnknownFieldPolicy:
    """Refuses or logs unknown fields, for all sessions of one server.

    ``strict``: the first unknown field is an error. Otherwise each field is logged once, 256 of
    them at most, with list indices left out.
    """

    def __init__(self, log: logging.Logger, *, strict: bool) -> None:
        self._log = log
        self._strict = strict
        self._finder = UnknownFieldFinder()
        self._logged: set[str] = set()

    def check_payload(self, payload: bytes | str) -> None:
        """Check a Live API message. Raises RemoteProtocolError when strict, in Google's words."""
        for path in self._finder.find(payload):
            self._report(path)

    def check_token_request(self, body: bytes) -> None:
        """Check the body of ``POST auth_tokens``, which may be empty. Raises as `check_payload`."""
        for path in find_unknown_fields(body, AuthToken) if body.strip() else ():
            self._report(path)

    def _report(self, path: str) -> None:
        if self._strict:
            raise RemoteProtocolError(unknown_field_reason(path))
        field = re.sub(r"\[\d{1,9}\]", "[]", path[:_READ_CHARS])[:_SHOWN_CHARS]
        if field not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(field)
            self._log.warning("ignored: field %r, which is not known here", field)
