"""What a server's model takes and how many tokens a text has, asked over REST beside the session.

The methods are Google's, ``GET models/{id}`` and ``POST models/{id}:countTokens``; `serve` has them
too. A server that has none of them, or does not answer, tells nothing.
"""

import asyncio
import json
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlsplit

from live_cli.errors import ConnectError
from live_cli.net.address import Address
from live_cli.net.tls import loopback_context, own_files
from live_cli.proxies import http_opener

_LIMIT_S: Final = 20.0
"""For one answer: a count of a megabyte takes a second, or several on a busy machine."""
_MOST_ANSWER_BYTES: Final = 1 << 20
MOST_COUNTED_BYTES: Final = 1_000_000
"""Of a text: `serve` counts no more, and Google's largest context is as large in tokens."""


async def input_token_limit(address: Address, model: str) -> int | None:
    """Return the most tokens that ``model`` takes, None where the server does not tell."""
    answer = await asyncio.to_thread(_ask, address, f"models/{quote(model)}", None)
    limit = answer.get("inputTokenLimit")
    return limit if isinstance(limit, int) and limit > 0 else None


async def count_tokens(address: Address, model: str, system: str, text: str) -> int | None:
    """Return the tokens of ``text`` after the instruction ``system``, None where it is not told."""
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    if system:
        instruction = {"parts": [{"text": system}]}
        request = {"model": f"models/{model}", **body, "systemInstruction": instruction}
        body = {"generateContentRequest": request}
    answer = await asyncio.to_thread(_ask, address, f"models/{quote(model)}:countTokens", body)
    tokens = answer.get("totalTokens")
    return tokens if isinstance(tokens, int) and tokens > 0 else None


def _ask(address: Address, method: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Return the JSON object that answers a request; empty where none does."""
    try:
        base = address.rest_base
        data = None if body is None else json.dumps(body).encode()
        headers = {**address.headers, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{base}/{method}", data, headers)  # noqa: S310 - http(s)
        with http_opener(*_handlers(address)).open(request, timeout=_LIMIT_S) as answer:
            found = json.loads(answer.read(_MOST_ANSWER_BYTES))
    except urllib.error.HTTPError as exc:
        exc.close()  # it holds the connection
        return {}
    except (OSError, HTTPException, ValueError, RecursionError, ConnectError):
        return {}
    return found if isinstance(found, dict) else {}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would carry the key to another server."""

    def redirect_request(self, *_: object) -> None:
        return None


def _handlers(address: Address) -> list[urllib.request.BaseHandler]:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if address.is_loopback and urlsplit(address.rest_base).scheme == "https":
        context: ssl.SSLContext = loopback_context(own_files())
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return handlers
