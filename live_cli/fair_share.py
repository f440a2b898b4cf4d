"""Fair shares of what is kept for many principals: the one that holds the most makes room.

A *principal* is whoever a server serves under one credential, by an opaque name; "" is the owner.
An ephemeral token's name begins with that of the key which made it and a ``/``: both draw on the
share of one *account*, so that a thousand tokens of one key push out nobody else's.

The rule is McKenney's (Stochastic Fairness Queueing, 1990): no share is set in advance, but when
there is no room the largest holder loses first. Who keeps little loses nothing to who keeps much.
"""

from collections import Counter
from collections.abc import Mapping

OWNER = ""
"""The principal that a server belongs to: its first key, or nobody where it has no key."""


def account_of(principal: str) -> str:
    """Return the account on whose share ``principal`` draws."""
    return principal.partition("/")[0]


def largest_holder(held: Mapping[str, int]) -> str:
    """Return which principal makes room, by how much each holds; ``held`` is not empty.

    It is the principal that holds the most within the account that holds the most.
    """
    accounts: Counter[str] = Counter()
    for principal, amount in held.items():
        accounts[account_of(principal)] += amount
    largest = max(accounts, key=accounts.__getitem__)
    members = (principal for principal in held if account_of(principal) == largest)
    return max(members, key=held.__getitem__)
