"""The connection to a Redis or Valkey server: what it cannot answer, and when it is asked again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from live_cli.net.server.store.session_store import StoreAwayError

ANSWER_S: Final = 1.0
"""How long the server may take to answer; one nearby takes a tenth of a millisecond."""
RETRY_S: Final = 0.5
"""How long a server that did not answer is left alone."""
PREFIX: Final = "live-cli:"


class RedisLink:
    """Scripts and commands on one server, none of which is sent twice.

    ``client`` is the library's. ``on_failure`` is called for each call that is not answered.
    """

    def __init__(
        self, url: str, password: str | None, log: logging.Logger, on_failure: Callable[[], None]
    ) -> None:
        given: dict[str, Any] = {} if password is None else {"password": password}
        # What is sent again might take a use of a token twice.
        self.client = redis.asyncio.from_url(
            url,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
            **given,
        )
        self._log = log
        self._on_failure = on_failure
        self._scripts: dict[str, Any] = {}
        self._ask_again_at = 0.0
        self.is_away = False

    async def run(self, script: str, *args: str | bytes | float) -> Any:
        """Run a Lua script with `PREFIX` and ``args``. Raises StoreAwayError."""
        with self.answering():
            registered = self._scripts.get(script)
            if registered is None:
                registered = self._scripts[script] = self.client.register_script(script)
            return await registered(args=[PREFIX, *args])

    async def ask(self, *command: str | bytes) -> Any:
        """Return the answer to a command. Raises StoreAwayError."""
        with self.answering():
            return await self.client.execute_command(*command)  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Within it, an error of the server or of the connection is a StoreAwayError."""
        if self.is_away and time.monotonic() < self._ask_again_at:
            self._on_failure()
            raise StoreAwayError
        try:
            yield
        except (RedisError, OSError, TimeoutError) as exc:
            self._note_failure(exc)
            raise StoreAwayError from exc
        if self.is_away:
            self.is_away = False
            self._log.warning("the store answers again")

    async def pause(self) -> None:
        """Wait until a server that is away may be asked again."""
        await asyncio.sleep(RETRY_S)

    def _note_failure(self, exc: Exception) -> None:
        self._on_failure()
        self._ask_again_at = time.monotonic() + RETRY_S
        if not self.is_away:
            self.is_away = True
            # The library's own words may hold an address; its classes tell enough.
            self._log.warning(
                "the store does not answer (%s): sessions go on and cannot be resumed, "
                "ephemeral tokens are refused",
                type(exc).__name__,
            )

    async def close(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self.client.aclose()
