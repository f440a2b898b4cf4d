"""What `serve` speaks TLS with: a certificate that the operator provides, or one of its own."""

import ssl
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from live_cli.errors import SettingsError
from live_cli.loopback import canonical_host, is_loopback, listens_on_loopback_hosts
from live_cli.net.provided_certificate import names_in, provided_context, trouble_with
from live_cli.net.tls import (
    TlsUnavailableError,
    ensure_certificate,
    names_for,
    own_files,
    server_context,
)
from live_cli.settings.schema import ServeSettings


@dataclass(frozen=True, slots=True)
class Encryption:
    """The TLS of a server.

    ``host``: a name in its certificate, by which callers reach it. ``bundle``: what programs have
    to trust to call it, None where the certificate is of an authority's making.
    """

    context: ssl.SSLContext
    host: str
    bundle: Path | None


def encryption_of(options: ServeSettings, host: str) -> Encryption | None:
    """Return the TLS of a server at ``host``; None, with the reason on stderr, where there is none.

    Raises SettingsError for settings and files that cannot be used.
    """
    if options.tls_cert is None and options.tls_key is None:
        return _with_own_certificate(options, host)
    if options.tls_cert is None or options.tls_key is None:
        raise SettingsError("tls_cert and tls_key in [serve] go together: set both, or neither.")
    if options.tls_names:
        raise SettingsError(
            "tls_names in [serve] is for the certificate that serve makes itself: "
            "with tls_cert take it away."
        )
    certificate = Path(options.tls_cert).expanduser()
    context = provided_context(certificate, Path(options.tls_key).expanduser())
    if trouble := trouble_with(certificate, datetime.now(UTC)):
        _say(trouble)
    return Encryption(context, _name_to_call(host, names_in(certificate)), bundle=None)


def _with_own_certificate(options: ServeSettings, host: str) -> Encryption | None:
    try:
        files = own_files()
        ensure_certificate(files, datetime.now(UTC), names_for(host, options.tls_names))
    except TlsUnavailableError as exc:
        _say(f"Plain only, and google-genai for Python needs TLS. {exc}")
        return None
    name = "localhost" if listens_on_loopback_hosts(host) else host
    return Encryption(server_context(files), name, files.bundle)


def _name_to_call(host: str, names: set[str]) -> str:
    whole = sorted(name for name in names if "*" not in name)
    return host if canonical_host(host) in names or not whole else whole[0]


def plain_text_notice(host: str, encryption: Encryption | None) -> str | None:
    """Return the line that says what goes unencrypted to other machines; None on loopback."""
    if is_loopback(host):
        return None
    if encryption is None:
        return (
            "Plain text alone is spoken: the key and all that is said travel unencrypted between "
            "machines. Set tls_cert and tls_key in [serve]."
        )
    return (
        "Plain text is taken too: from other machines use https:// or wss://, or the key and all "
        "that is said travel unencrypted."
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
