"""How fast wrong keys and tokens are answered, for each address. Pure.

Theory of operation
===================

A key is long enough not to be guessed; what guessing costs is the server's time, and who does it
should show in the log. So wrong keys alone are slowed, never a right one: behind a router, or on
one machine, everybody has the same address, and nobody may lock the owner out.

An address has ``per_min`` wrong keys in reserve, refilled over a minute. What exceeds them is
answered later, the further ahead of the refill the later, five seconds at most. Few answers of one
address are kept waiting at a time, and few of all; beyond that the connection is cut without one.

The rate is kept as one time for each address, at which all of its wrong keys are paid for (the
virtual scheduling of GCRA, ITU-T I.371). That of the longest attack is a minute and five seconds
from now, so that an address is as good as new a minute after.
"""

import ipaddress
from collections import Counter
from typing import Final

_PERIOD_S: Final = 60.0
LONGEST_DELAY_S: Final = 5.0
"""Half of the time for which clients wait for a handshake."""
MOST_WAITING: Final = 4
"""Answers of one address that wait at a time: a program with a wrong key has one or two."""
_MOST_WAITING_IN_ALL: Final = 64
"""Each holds a connection: an eighth of the default number."""
_MOST_ADDRESSES: Final = 4096
"""The one that was longest quiet is forgotten first."""


class WrongKeyRate:
    """Says when wrong keys are answered. ``per_min`` 0: at once. ``now`` in seconds, monotonic."""

    def __init__(self, per_min: float) -> None:
        self._cost_s = _PERIOD_S / per_min if per_min else 0.0
        self._paid_at: dict[str, float] = {}  # by address, the longest quiet first
        self._waiting: Counter[str] = Counter()

    def delay_s(self, address: str, now: float) -> float | None:
        """Count a wrong key; return the seconds until its answer, None where none may wait.

        Where the seconds are not 0, call `answered` when they are over.
        """
        paid_at = max(self._paid_at.pop(address, now), now) + self._cost_s
        self._paid_at[address] = min(paid_at, now + _PERIOD_S + LONGEST_DELAY_S)
        if len(self._paid_at) > _MOST_ADDRESSES:
            del self._paid_at[next(iter(self._paid_at))]
        early_s = paid_at - now - _PERIOD_S
        if early_s <= 0:
            return 0.0
        if self._waiting[address] >= MOST_WAITING or self._waiting.total() >= _MOST_WAITING_IN_ALL:
            return None
        self._waiting[address] += 1
        return min(early_s, LONGEST_DELAY_S)

    def answered(self, address: str) -> None:
        """Note that an answer has waited long enough."""
        self._waiting[address] -= 1
        if not self._waiting[address]:
            del self._waiting[address]


def network_of(address: str) -> str:
    """Return what stands for one customer: an IPv4 address, or the /64 network of an IPv6 one.

    Who has one IPv6 address has all of its network (RFC 6177). What is no address stays as it is.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip), 64), strict=False))
