"""What happens to a client that is refused: it is counted, logged, and slowed by its address."""

import asyncio
import contextlib
import logging
import time

from starlette.requests import HTTPConnection

from live_cli.net.server.access.refusal_log import EVERY_S, RefusalLog
from live_cli.net.server.access.wrong_keys import WrongKeyRate, network_of
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.stats.counts import ServerCounts

_OF_CREDENTIALS = frozenset({"key", "token"})
"""The kinds of refusal that are about what was shown, or not shown, to be let in."""


class Refusals:
    """The refusals of one server, of WebSockets and of HTTP requests.

    ``wrong_keys_per_min``: how many an address may try before their answers are slowed.
    """

    def __init__(
        self, counts: ServerCounts, log: logging.Logger, wrong_keys_per_min: float
    ) -> None:
        self._counts = counts
        self._log = log
        self._rate = WrongKeyRate(wrong_keys_per_min)
        self._lines = RefusalLog()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = asyncio.Event()

    async def note(self, client: HTTPConnection, why: CloseReason) -> bool:
        """Count and log that ``client`` is refused, and wait until it may be told.

        Returns False where it is not told: its connection was cut, as too many wait already.
        """
        address = network_of(client.client.host) if client.client else "a local socket"
        now = time.monotonic()
        self._counts.refuse(why.kind)
        if (line := self._lines.note(address, why, now)) is not None:
            self._log.info("%s", line)
            self._tell_in_a_minute()
        if why.kind not in _OF_CREDENTIALS:
            return True
        delay_s = self._rate.delay_s(address, now)
        if delay_s is None:
            client.scope["state"]["abort"]()
            return False
        if delay_s:
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay_s):
                        await self._closing.wait()
            finally:
                self._rate.answered(address)
        return True

    def close(self) -> None:
        """Let nobody wait any more, and log what was counted last: the server is stopping."""
        self._closing.set()
        if self._timer is not None:
            self._timer.cancel()
        for line in self._lines.due(time.monotonic(), closing=True):
            self._log.info("%s", line)

    def _tell_in_a_minute(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        for line in self._lines.due(time.monotonic()):
            self._log.info("%s", line)
        if not self._lines.is_empty:
            self._tell_in_a_minute()
