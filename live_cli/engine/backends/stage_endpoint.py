"""A stage behind OpenAI-compatible endpoints: one request at whichever address takes it.

Shared by the transcriber, the synthesizer and the chat model that are named ``openai:…``. Keys
come from the environment and are sent in the Authorization header alone; redirects are not
followed, or a key could be taken elsewhere.
"""

import http.client
import json
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from live_cli.engine.backends.endpoint_addresses import (
    AddressRotation,
    EndpointAddress,
    addresses_of,
)
from live_cli.engine.backends.http_exchange import HttpExchange, HttpHead, endpoint_opener
from live_cli.errors import EngineError
from live_cli.proxies import proxy_of_http

SHARED_KEY: Final = "OPENAI_API_KEY"
_BUSY = (429, 503)
_BROKEN = (500, 502, 504)
"""500 too: a server whose model has crashed says it, and another address may have one that runs."""
_SAID_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """A request to ``path`` below an address; ``body`` None asks with a GET."""

    path: str
    body: bytes | None
    content_type: str = "application/json"
    accept: str = "*/*"


RequestFor = Callable[[EndpointAddress], EndpointRequest]


class EndpointRefusedError(EngineError):
    """An endpoint took the connection and refused the request with ``status``."""

    def __init__(self, address: EndpointAddress, status: int, said: str, message: str) -> None:
        super().__init__(message)
        self.address = address
        self.status = status
        self.said = said


class StageEndpoint:
    """The addresses in ``spec``, for the stage that errors call ``stage``.

    ``key``: the variable of the environment for this stage's key; without it OPENAI_API_KEY is.
    ``most_bytes``: of one answer. ``silence_s``: the longest that an address may send nothing.
    Calls may run side by side.
    """

    def __init__(
        self,
        stage: str,
        spec: str,
        *,
        key: str = SHARED_KEY,
        silence_s: float,
        most_bytes: int,
        needs_name: bool = True,
    ) -> None:
        self.addresses = addresses_of(spec, key=key, needs_name=needs_name)
        self._stage = stage
        self._key = key
        self._silence_s = silence_s
        self._most_bytes = most_bytes
        self._rotation = AddressRotation(self.addresses)
        self._opener = endpoint_opener()

    def fetch(self, request_for: RequestFor, *, anew: bool = False) -> Generator[HttpHead | bytes]:
        """Yield the head of an answer, then its body in pieces; b"" while nothing comes.

        Another address is tried until one has begun to answer; ``anew``: also where one breaks off,
        so that another head, and the body from its beginning, may follow. Closing the iterator
        closes the connection. Raises EndpointRefusedError; EngineError where none answers, or one
        breaks off.
        """
        failures: list[str] = []
        refusal: EngineError | None = None
        for address in self._rotation.in_order(time.monotonic()):
            begun = False
            try:
                for arrived in self._arrivals(address, request_for(address)):
                    begun = begun or bool(arrived)
                    yield arrived
                self._rotation.worked(address)
                return
            except EndpointRefusedError as exc:
                if exc.status in _BUSY:
                    self._rotation.busy(address, time.monotonic())
                elif exc.status in _BROKEN:
                    self._rotation.failed(address, time.monotonic())
                else:
                    self._rotation.worked(address)
                    raise
                refusal = exc
            except (OSError, ValueError, http.client.HTTPException) as exc:
                self._rotation.failed(address, time.monotonic())
                if not begun:
                    failures.append(self._unreached(address, exc))
                    continue
                refusal = EngineError(
                    f"the {self._stage} at {address.host} broke off its answer "
                    f"({_why(exc)}): try again"
                )
                if not anew:
                    raise refusal from exc
        if refusal is not None:
            raise refusal
        raise EngineError(
            f"cannot reach the {self._stage} at {', nor at '.join(failures)}: is it running?"
        )

    def whole(self, request_for: RequestFor) -> bytes:
        """Return the body of an answer, from the first address that gives all of it.

        Raises as `fetch` does.
        """
        pieces: list[bytes] = []
        with closing(self.fetch(request_for, anew=True)) as arrivals:
            for arrived in arrivals:
                if isinstance(arrived, bytes):
                    pieces.append(arrived)
                else:
                    pieces.clear()
        return b"".join(pieces)

    def _arrivals(
        self, address: EndpointAddress, request: EndpointRequest
    ) -> Iterator[HttpHead | bytes]:
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if key := self._shown_key():
            headers["Authorization"] = f"Bearer {key}"
        exchange = HttpExchange(
            self._opener, address.base + request.path, request.body, headers, self._silence_s
        )
        size = 0
        with closing(exchange):
            for arrived in exchange.arrivals():
                if isinstance(arrived, HttpHead) and arrived.status >= http.client.MULTIPLE_CHOICES:
                    raise self._refusal(address, arrived)
                size += len(arrived) if isinstance(arrived, bytes) else 0
                if size > self._most_bytes:
                    raise EngineError(
                        f"the {self._stage} at {address.host} answered more than "
                        f"{self._most_bytes} bytes: is this its /v1 address?"
                    )
                yield arrived

    def _shown_key(self) -> str:
        """Return the key. Raises EngineError for what is none, which an error would show."""
        name = self._key if self._key in os.environ else SHARED_KEY
        key = os.environ.get(name, "").strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise EngineError(f"{name} does not hold a key: it must be one word of plain letters")
        return key

    def _unreached(self, address: EndpointAddress, exc: Exception) -> str:
        proxy = proxy_of_http(address.base)
        way = f" through the proxy {proxy}" if proxy else ""
        return f"{address.host}{way} ({_why(exc)})"

    def _refusal(self, address: EndpointAddress, head: HttpHead) -> EndpointRefusedError:
        code, said = head.status, _said(head.refusal)
        host = f"the {self._stage} at {address.host}"
        if code in (401, 403):
            message = f"{host} refused the key (HTTP {code}): set {self._key}"
        elif code == http.client.NOT_FOUND:
            name = f" has no model {address.name!r} there" if address.name else " is not there"
            message = f"{host}{name} (HTTP 404{f': {said}' if said else ''})"
        elif code < http.client.BAD_REQUEST:
            message = f"{host} leads elsewhere (HTTP {code}): set the address that it leads to"
        elif code in _BUSY:
            message = f"{host} is busy (HTTP {code}{f': {said}' if said else ''}): try again later"
        else:
            message = f"{host} answered HTTP {code}{f': {said}' if said else ''}"
        return EndpointRefusedError(address, code, said, message)


def json_object(body: bytes, stage: str) -> dict[str, Any]:
    """Return the JSON object that is ``body``. Raises EngineError."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EngineError(f"the {stage}'s answer is not JSON: is this its /v1 address?")
    return found


def _why(exc: Exception) -> str:
    return str(getattr(exc, "reason", None) or exc) or type(exc).__name__


def _said(body: bytes) -> str:
    """Return an endpoint's error message, as one line of at most 200 characters."""
    text = body.decode(errors="replace")
    try:
        found = json.loads(text)
        error = found.get("error", found.get("detail", found.get("message")))
        text = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, AttributeError):
        pass
    return " ".join(text.split())[:_SAID_CHARS]
