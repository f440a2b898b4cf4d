"""The server's own certificate: what is in it, how it is kept, and when it is made anew."""

import datetime
import ipaddress
import os
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from live_cli.net import tls
from live_cli.net.tls import CertificateFiles, TlsUnavailableError, ensure_certificate

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
ON_POSIX = os.name == "posix"


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return CertificateFiles(tmp_path / "state" / "tls")


def certificate_of(files: CertificateFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def test_it_names_this_machine_and_is_no_authority(files: CertificateFiles) -> None:
    ensure_certificate(files, NOW)
    certificate = certificate_of(files)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc > NOW + 365 * DAY


def test_the_key_is_its_owners_alone_and_in_no_file_that_is_given_away(
    files: CertificateFiles,
) -> None:
    ensure_certificate(files, NOW)
    private = load_pem_private_key(files.pair.read_bytes(), None)
    assert private.public_key() == certificate_of(files).public_key()
    assert not ON_POSIX or files.pair.stat().st_mode & 0o777 == 0o600
    for given in (files.certificate, files.bundle):
        assert b"PRIVATE" not in given.read_bytes()
    assert {path.name for path in files.folder.iterdir()} == {
        "server.pem",
        "cert.pem",
        "ca-bundle.pem",
    }


def test_it_is_made_once(files: CertificateFiles) -> None:
    ensure_certificate(files, NOW)
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files.folder.iterdir()}
    ensure_certificate(files, NOW + 30 * DAY)
    assert first == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files.folder.iterdir()
    }


@pytest.mark.parametrize(
    ("after", "renewed"),
    [
        (tls.VALID - 31 * DAY, False),
        (tls.VALID - 30 * DAY, True),
        (tls.VALID + DAY, True),
        (-365 * DAY, True),  # the clock was wrong when it was made
    ],
)
def test_it_is_renewed_before_it_ends(
    files: CertificateFiles, after: datetime.timedelta, renewed: bool
) -> None:
    ensure_certificate(files, NOW)
    first = certificate_of(files)
    ensure_certificate(files, NOW + after)
    second = certificate_of(files)
    assert (second.serial_number != first.serial_number) is renewed
    assert files.certificate.read_bytes() in files.bundle.read_bytes()
    tls.server_context(files)


def without_key(pair: Path) -> None:
    pair.write_bytes(pair.read_bytes().partition(b"-----BEGIN CERT")[0])


def with_another_key(pair: Path) -> None:
    other = CertificateFiles(pair.parent / "other")
    ensure_certificate(other, NOW)
    key = other.pair.read_bytes().partition(b"-----BEGIN CERT")[0]
    pair.write_bytes(key + b"".join(pair.read_bytes().partition(b"-----BEGIN CERT")[1:]))


@pytest.mark.parametrize(
    "harm", [without_key, with_another_key, Path.unlink, lambda pair: pair.write_text("broken")]
)
def test_what_is_harmed_is_made_anew(files: CertificateFiles, harm: "object") -> None:
    ensure_certificate(files, NOW)
    first = certificate_of(files)
    assert callable(harm)
    harm(files.pair)
    ensure_certificate(files, NOW)
    assert certificate_of(files) != first
    tls.server_context(files)


def test_other_names_than_ours_are_replaced(files: CertificateFiles) -> None:
    ensure_certificate(files, NOW, ("localhost", "127.0.0.1"))
    first = certificate_of(files)
    ensure_certificate(files, NOW)
    assert certificate_of(files) != first


def test_a_key_that_others_could_read_is_closed_to_them(files: CertificateFiles) -> None:
    ensure_certificate(files, NOW)
    files.pair.chmod(0o644)
    ensure_certificate(files, NOW)
    assert not ON_POSIX or files.pair.stat().st_mode & 0o777 == 0o600


def test_the_bundle_trusts_public_authorities_beside_it(files: CertificateFiles) -> None:
    ensure_certificate(files, NOW)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files.bundle)
    counted = context.cert_store_stats()
    assert counted["x509_ca"] > 50
    assert counted["x509"] == counted["x509_ca"] + 1


def test_what_the_environment_trusts_stays_trusted_and_ours_is_there_once(
    files: CertificateFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    corporate = CertificateFiles(tmp_path / "corporate")
    ensure_certificate(corporate, NOW)
    authority = corporate.certificate.read_bytes()
    monkeypatch.setenv("SSL_CERT_FILE", str(corporate.certificate))
    ensure_certificate(files, NOW)
    first = files.bundle.read_bytes()
    assert first == files.certificate.read_bytes() + b"\n" + authority
    monkeypatch.setenv("SSL_CERT_FILE", str(files.bundle))
    ensure_certificate(files, NOW)
    assert files.bundle.read_bytes() == first
    ensure_certificate(files, NOW + tls.VALID)
    renewed = files.certificate.read_bytes()
    assert files.bundle.read_bytes() == renewed + b"\n" + authority
    assert renewed not in first


def test_without_the_library_one_sentence_says_so(
    files: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "find_spec", lambda name: None)
    with pytest.raises(TlsUnavailableError, match="pip install"):
        ensure_certificate(files, NOW)
    assert not files.folder.exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TlsUnavailableError, match="kept in"):
        ensure_certificate(CertificateFiles(tmp_path / "file" / "tls"), NOW)


def test_servers_that_start_at_once_have_the_same_one(files: CertificateFiles) -> None:
    together = threading.Barrier(8)

    def start(_: int) -> bytes:
        together.wait(20.0)
        ensure_certificate(files, NOW)
        tls.server_context(files)
        return files.pair.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
