"""The places that a server has for TCP connections, and who makes room when they are taken. Pure.

Theory of operation
===================

A connection costs its client nothing, and until its request is read nobody knows whose it is. A
*stranger* is a connection that has not been let in yet: silent, slow with its request, refused, or
between two requests. A limit on them, or places kept free of them, would still let a thousand
silent ones keep everybody else out. So strangers have any place that is free, but none of their
own: where all are taken, the one that has been there longest is cut for whoever comes, of the
address that has most of them. A client that means it needs its place as a stranger for
milliseconds. Who was let in is never cut for another, and where those have all places, who comes is
turned away.

One address has a number of places at most. That is generous, for many have the same address behind
a router or a proxy, and all have on one machine.
"""

from collections import Counter
from collections.abc import Callable


class ConnectionPlace:
    """The place of one connection. ``cut`` ends the connection, which then calls `leave`."""

    def __init__(self, places: "ConnectionPlaces", address: str, cut: Callable[[], None]) -> None:
        self.address = address
        self.cut = cut
        self._places = places

    def admit(self) -> None:
        """Note that the client was let in: it is no stranger any more."""
        self._places.admit(self)

    def leave(self) -> None:
        """Give the place back; a second time changes nothing."""
        self._places.leave(self)


class ConnectionPlaces:
    """``most`` places, of which one address has ``most_of_address``; 0 there is no limit."""

    def __init__(self, most: int, most_of_address: int = 0) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._taken: set[ConnectionPlace] = set()
        self._of_address: Counter[str] = Counter()
        self._strangers: dict[str, dict[ConnectionPlace, None]] = {}
        """By address, the longest there first."""

    def take(self, address: str, cut: Callable[[], None]) -> ConnectionPlace | None:
        """Return a place for a connection from ``address``, None where nobody makes room."""
        limit = self._most_of_address
        if limit and self._of_address[address] >= limit:
            victim = self._oldest_stranger(address)
        elif len(self._taken) >= self._most:
            victim = self._oldest_stranger(self._busiest_address())
        else:
            return self._give(address, cut)
        if victim is None:
            return None
        self.leave(victim)
        victim.cut()
        return self._give(address, cut)

    def admit(self, place: ConnectionPlace) -> None:
        """Note that the client at ``place`` was let in."""
        strangers = self._strangers.get(place.address, {})
        strangers.pop(place, None)
        if not strangers:
            self._strangers.pop(place.address, None)

    def leave(self, place: ConnectionPlace) -> None:
        """Take ``place`` back, where that has not been done."""
        if place not in self._taken:
            return
        self.admit(place)
        self._taken.discard(place)
        self._of_address[place.address] -= 1
        if not self._of_address[place.address]:
            del self._of_address[place.address]

    def _give(self, address: str, cut: Callable[[], None]) -> ConnectionPlace:
        place = ConnectionPlace(self, address, cut)
        self._taken.add(place)
        self._of_address[address] += 1
        self._strangers.setdefault(address, {})[place] = None
        return place

    def _busiest_address(self) -> str:
        """Return the address with most strangers, "" where there are none."""
        strangers = self._strangers
        return max(strangers, key=lambda address: len(strangers[address]), default="")

    def _oldest_stranger(self, address: str) -> ConnectionPlace | None:
        return next(iter(self._strangers.get(address, ())), None)
