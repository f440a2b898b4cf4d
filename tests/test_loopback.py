"""Which hosts are this machine, and which a DNS server cannot make so."""

import re

import pytest

from live_cli.loopback import (
    LOOPBACK_HOSTS,
    LOOPBACK_ORIGIN,
    is_loopback,
    is_loopback_or_ip,
    listens_on_loopback_hosts,
)


@pytest.mark.parametrize(
    ("host", "loopback", "loopback_or_ip", "serves_loopback"),
    [
        *((host, True, True, True) for host in LOOPBACK_HOSTS),
        ("127.8.9.1", True, True, False),
        ("app.localhost", True, True, False),
        ("0.0.0.0", False, True, True),  # noqa: S104 - compared, not bound to
        ("::", False, True, True),
        ("192.168.1.20", False, True, False),
        ("localhost.example", False, False, False),
        ("", False, False, False),
    ],
)
def test_hosts(host: str, loopback: bool, loopback_or_ip: bool, serves_loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert is_loopback_or_ip(host) is loopback_or_ip
    assert listens_on_loopback_hosts(host) is serves_loopback


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1", "[::1]"])
def test_origins_on_loopback(host: str) -> None:
    assert re.fullmatch(LOOPBACK_ORIGIN, f"https://{host}")
    assert re.fullmatch(LOOPBACK_ORIGIN, f"http://{host}:5173")
    assert not re.fullmatch(LOOPBACK_ORIGIN, f"http://{host}.example")
