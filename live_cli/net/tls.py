"""The local server's certificate: made once, kept, renewed; and how clients come to trust it.

Three files in one folder. ``server.pem`` is the private key with its certificate, in one file so
that they can never differ; ``cert.pem`` the certificate alone; ``ca-bundle.pem`` the certificate
and the public authorities, for programs whose trust store is one file (``SSL_CERT_FILE``).

The certificate names this machine's loopback, and beyond it what the server is told to be called.
It is no authority: whoever trusts it trusts nothing else by it. Making it takes `cryptography`,
trusting it the standard library.
"""

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from live_cli import paths
from live_cli.bounded_read import read_bounded
from live_cli.errors import ConnectError
from live_cli.loopback import LOOPBACK_HOSTS, canonical_host, is_any_address, is_loopback
from live_cli.whole_files import replacing

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, GeneralName

VALID: Final = datetime.timedelta(days=397)
RENEWED_BEFORE: Final = datetime.timedelta(days=30)
_END = b"-----END CERTIFICATE-----\n"
_LARGEST_BUNDLE_BYTES = 16 << 20
"""Some sixty times the public authorities of today."""
_SKEW = datetime.timedelta(hours=1)


class TlsUnavailableError(ConnectError):
    """There is no certificate to serve TLS with; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The files of the certificate, in ``folder``."""

    folder: Path

    @property
    def pair(self) -> Path:
        """Private key and certificate, PEM, readable by their owner alone."""
        return self.folder / "server.pem"

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def bundle(self) -> Path:
        return self.folder / "ca-bundle.pem"


def own_files() -> CertificateFiles:
    """Return the files of this user's certificate, which may not be there yet."""
    return CertificateFiles(paths.state_folder() / "tls")


def names_for(host: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what the certificate of a server at ``host`` names: loopback, and ``more``.

    Beyond loopback also the machine's own name, and ``host`` where it is one address or name.
    """
    names = [*LOOPBACK_HOSTS]
    if not is_any_address(host):
        names.append(host)
    if not is_loopback(host):
        names.append(socket.gethostname())
    spelled = map(canonical_host, [*names, *more])
    return tuple(dict.fromkeys(name for name in spelled if name))


def ensure_certificate(
    files: CertificateFiles, now: datetime.datetime, names: tuple[str, ...] = LOOPBACK_HOSTS
) -> None:
    """Make the certificate unless a good one is there; write the files that clients trust.

    A kept one is good if it has these ``names`` and no others; for loopback alone one with more
    names will do, or a second server on this machine would take the first one's from it. ``now``
    has a time zone. Raises TlsUnavailableError: no `cryptography`, or no place to write.
    """
    if find_spec("cryptography") is None:
        raise TlsUnavailableError(
            "TLS needs the package cryptography. Install it: pip install 'live-cli[local]'"
        )
    try:
        paths.make_private(files.folder)
        with _alone_in(files.folder):
            certificate = _kept(files.pair, now, names) or _make(files.pair, now, names)
            _publish(files.certificate, certificate)
            authorities = _public_authorities(files.bundle)
            _publish(files.bundle, b"\n".join([certificate, *authorities]))
    except OSError as exc:
        why = exc.strerror or type(exc).__name__
        raise TlsUnavailableError(f"No certificate can be kept in {files.folder}: {why}.") from exc


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """Return a server's TLS context: TLS 1.2 or newer, HTTP/1.1 inside."""
    context = server_protocols()
    with _alone_in(files.folder):  # the file is read twice, for its key and for its certificate
        context.load_cert_chain(files.pair)
    return context


def server_protocols() -> ssl.SSLContext:
    """Return a server's TLS context that has no certificate yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def loopback_context(files: CertificateFiles) -> ssl.SSLContext:
    """Return a client's TLS context for a server on this machine, which trusts our own certificate.

    Certificates are verified as elsewhere, the host's name too.
    """
    context = ssl.create_default_context()
    with contextlib.suppress(OSError):  # none made yet, or a broken one: then it is not trusted
        context.load_verify_locations(files.certificate)
    return context


# --- making and keeping ------------------------------------------------------------------------


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other servers out of ``folder``: of two that start at once, one makes the certificate.

    Windows has no locks on folders; there a start may fail that has another beside it.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _kept(pair: Path, now: datetime.datetime, names: tuple[str, ...]) -> bytes | None:
    """Return the certificate of an earlier run, PEM; None when a new one has to be made."""
    from cryptography import x509

    try:
        content = pair.read_bytes()
        if os.name == "posix" and pair.stat().st_mode & 0o077:
            pair.chmod(0o600)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair, password="")
        certificate = x509.load_pem_x509_certificate(content)
    except (FileNotFoundError, ssl.SSLError, ValueError):
        return None
    begun = certificate.not_valid_before_utc <= now
    lasts = certificate.not_valid_after_utc - now > RENEWED_BEFORE
    return _pem(certificate) if begun and lasts and _has_names(certificate, names) else None


def _has_names(certificate: "Certificate", names: tuple[str, ...]) -> bool:
    own, wanted = names_of(certificate), set(names)
    return own == wanted or (wanted == set(LOOPBACK_HOSTS) and own > wanted)


def names_of(certificate: "Certificate") -> set[str]:
    """Return the names and addresses that a certificate is for."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names.value}


def _make(pair: Path, now: datetime.datetime, names: tuple[str, ...]) -> bytes:
    """Write a new key with its certificate to ``pair``; return the certificate, PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "live-cli serve on this machine")])
    unused = (
        *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    usage = x509.KeyUsage(digital_signature=True, **dict.fromkeys(unused, False))
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([*map(_general_name, names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with replacing(pair) as file:
        file.write(private + _pem(certificate))
    return _pem(certificate)


def _general_name(name: str) -> "GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _publish(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        with replacing(path, mode=0o644) as file:
            file.write(content)


# --- the public authorities --------------------------------------------------------------------


def _public_authorities(bundle: Path) -> list[bytes]:
    """Return the certificates that programs here trust already, PEM; empty when none are found.

    The first source that exists counts: what SSL_CERT_FILE names, the platform's file, certifi's,
    the platform's folder, the platform's store (Windows). Where SSL_CERT_FILE names our own bundle,
    its authorities stay as they are: it may be the only place that still knows them.
    """
    verify_paths = ssl.get_default_verify_paths()
    named = os.environ.get(verify_paths.openssl_cafile_env)
    if named and bundle.is_file() and Path(named).resolve() == bundle.resolve():
        _, ended, authorities = bundle.read_bytes().partition(_END)
        return [authorities.lstrip(b"\n")] if ended else []
    for name in (named, verify_paths.openssl_cafile, _certifi_file()):
        if name and Path(name).is_file():
            return [read_bounded(Path(name), _LARGEST_BUNDLE_BYTES)]
    folder = Path(verify_paths.openssl_capath)
    if folder.is_dir() and (hashed := sorted(folder.glob("*.[0-9]"))):
        return [one.read_bytes() for one in hashed]
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return [ssl.DER_cert_to_PEM_cert(one).encode() for one in found]


def _certifi_file() -> str | None:
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()
