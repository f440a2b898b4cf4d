"""A certificate that the operator of a server provides: read, checked, and explained in words."""

import datetime
import ssl
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from live_cli.errors import SettingsError
from live_cli.net.tls import names_of, server_protocols
from live_cli.private_files import is_open_to_others

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_LARGEST_BYTES: Final = 1024 * 1024
"""A certificate with those of its authorities has some 10 kB."""
_CERT, _KEY = "tls_cert", "tls_key"


def provided_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a server's TLS context with the PEM files ``certificate`` and ``key``.

    Raises SettingsError, which names the file and what to do: one that cannot be read, holds
    something else, belongs to another key, or is a key that others may read.
    """
    if b"-----BEGIN CERTIFICATE-----" not in _read(certificate, _CERT):
        raise SettingsError(f"{_CERT}: {certificate} holds no certificate in PEM.")
    private = _read(key, _KEY)
    if b"PRIVATE KEY-----" not in private:
        raise SettingsError(f"{_KEY}: {key} holds no private key in PEM.")
    if is_open_to_others(key.stat()):
        raise SettingsError(f"{_KEY}: others can read {key}. Make it yours alone: chmod 600 {key}")
    if b"ENCRYPTED" in private:
        raise SettingsError(
            f"{_KEY}: {key} is locked by a passphrase, which a server cannot ask for. "
            "Unlock a copy: openssl pkey -in OLD -out NEW"
        )
    context = server_protocols()
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as exc:
        raise SettingsError(_explain(certificate, key, exc)) from exc
    return context


def trouble_with(certificate: Path, now: datetime.datetime) -> str | None:
    """Return a sentence about a certificate that clients refuse at ``now``; None: they do not.

    ``now`` has a time zone. Without `cryptography` nothing is known of the times.
    """
    parsed = _parsed(certificate)
    if parsed is None:
        return None
    if parsed.not_valid_after_utc < now:
        ended = f"{parsed.not_valid_after_utc:%Y-%m-%d}"
        return f"The certificate in {certificate} expired on {ended}: callers refuse it. Renew it."
    if parsed.not_valid_before_utc > now:
        begins = f"{parsed.not_valid_before_utc:%Y-%m-%d}"
        return f"The certificate in {certificate} is valid from {begins} on: callers refuse it yet."
    return None


def names_in(certificate: Path) -> set[str]:
    """Return the names and addresses that the certificate is for; without `cryptography` none."""
    parsed = _parsed(certificate)
    return set() if parsed is None else names_of(parsed)


def _parsed(certificate: Path) -> "Certificate | None":
    try:
        from cryptography import x509
    except ImportError:
        return None
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes())
    except ValueError:  # OpenSSL forgives more, and it is what callers meet
        return None


def _read(path: Path, setting: str) -> bytes:
    """Read a whole file that is one: a device or a pipe may never end."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(f"{setting}: {path} is no file.")
        if status.st_size > _LARGEST_BYTES:
            raise SettingsError(f"{setting}: {path} is too large ({status.st_size} bytes).")
        return path.read_bytes()
    except OSError as exc:
        raise SettingsError(f"{setting}: {path} cannot be read: {exc.strerror}.") from exc


def _explain(certificate: Path, key: Path, exc: ssl.SSLError) -> str:
    if exc.reason == "KEY_VALUES_MISMATCH":
        return f"{_KEY}: {key} is not the key of the certificate in {certificate}."
    why = (exc.reason or "not readable as PEM").replace("_", " ").lower()
    return f"{_CERT} and {_KEY}: {certificate} with {key} cannot be used: {why}."
