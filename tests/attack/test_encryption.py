"""Beyond loopback what is said can be encrypted, and whoever serves it plain is told so."""

import datetime
import ipaddress
import os
import socket
import ssl
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from live_cli.commands.serve import command as serve
from live_cli.commands.serve.encryption import encryption_of, plain_text_notice
from live_cli.errors import SettingsError
from live_cli.loopback import ANY_ADDRESSES, LOOPBACK_HOSTS, canonical_host
from live_cli.net.provided_certificate import names_in, provided_context, trouble_with
from live_cli.net.tls import CertificateFiles, ensure_certificate, names_for, server_context
from live_cli.settings.load import load
from live_cli.settings.schema import ServeSettings, Settings
from tests.harness.command import live_cli
from tests.harness.serve_process import serving

NOW: Final = datetime.datetime.now(datetime.UTC)
DAY: Final = datetime.timedelta(days=1)
ANY: Final = ANY_ADDRESSES[0]
KEY: Final = "a-key-for-the-network"
STAGES: Final = ("detector", "transcriber", "chat", "synthesizer")
ENV: Final = {f"LIVE_CLI_ENGINE_{stage.upper()}": "scripted" for stage in STAGES}


class Pair:
    """A certificate for voice.example and 127.0.0.1, and its key, as an operator has them."""

    def __init__(
        self, folder: Path, begins: datetime.datetime, ends: datetime.datetime, passphrase: bytes
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.certificate, self.key = folder / "server.crt", folder / "server.key"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "voice.example")])
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        names = x509.SubjectAlternativeName([x509.DNSName("voice.example"), address])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(names, critical=False)
            .sign(key, hashes.SHA256())
        )
        lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            lock = serialization.BestAvailableEncryption(passphrase)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock
        )
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(private)
        self.key.chmod(0o600)


def pair(
    folder: Path,
    begins: datetime.datetime = NOW - DAY,
    ends: datetime.datetime = NOW + DAY,
    passphrase: bytes = b"",
) -> Pair:
    return Pair(folder, begins, ends, passphrase)


def names_shown(port: int, ca: Path, name: str) -> set[str]:
    """What the certificate names with which the server at ``port`` proves to be ``name``."""
    trusting = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting.wrap_socket(plain, server_hostname=name) as secure,
    ):
        shown = secure.getpeercert() or {}
        return {str(value) for _, value in shown["subjectAltName"]}  # type: ignore[misc]


# --- the operator's certificate ----------------------------------------------------------------


def test_a_provided_certificate_is_what_callers_meet(tmp_path: Path) -> None:
    provided = pair(tmp_path / "certificates")
    env = {
        **ENV,
        "LIVE_CLI_KEY": KEY,
        "LIVE_CLI_SERVE_HOST": ANY,
        "LIVE_CLI_SERVE_TLS_CERT": str(provided.certificate),
        "LIVE_CLI_SERVE_TLS_KEY": str(provided.key),
    }
    with serving(tmp_path, env) as server:
        shown = names_shown(server.port, provided.certificate, "voice.example")
        assert shown == {"voice.example", "127.0.0.1"}
        assert f"https://127.0.0.1:{server.port}" in server.said
        assert "SSL_CERT_FILE=" not in server.said  # an authority's needs none
    assert server.said.count("Plain text") == 1


def harm_file(setting: str, harm: str, provided: Pair) -> None:
    path = provided.certificate if setting == "tls_cert" else provided.key
    if harm == "missing":
        path.unlink()
    elif harm == "a folder":
        path.unlink()
        path.mkdir()
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "other text":
        path.write_text("x" * 500)
    elif harm == "the other file":
        other = provided.key if setting == "tls_cert" else provided.certificate
        path.write_bytes(other.read_bytes())
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif harm == "huge":
        path.write_bytes(path.read_bytes() * 5000)
    elif harm == "endless":
        path.unlink()
        path.symlink_to("/dev/zero")
    if path.is_file():
        path.chmod(0o600)


@pytest.mark.parametrize("setting", ["tls_cert", "tls_key"])
@pytest.mark.parametrize(
    "harm",
    ["missing", "a folder", "empty", "other text", "the other file", "cut", "huge", "endless"],
)
def test_a_file_that_will_not_do_is_named_in_one_sentence(
    tmp_path: Path, setting: str, harm: str
) -> None:
    provided = pair(tmp_path)
    harm_file(setting, harm, provided)
    with pytest.raises(SettingsError) as refused:
        provided_context(provided.certificate, provided.key)
    said = str(refused.value)
    path = provided.certificate if setting == "tls_cert" else provided.key
    assert setting in said
    assert str(path) in said
    assert "\n" not in said
    assert "PRIVATE" not in said


def test_the_key_of_another_certificate_is_told_apart(tmp_path: Path) -> None:
    one, other = pair(tmp_path / "one"), pair(tmp_path / "other")
    with pytest.raises(SettingsError, match="is not the key of the certificate"):
        provided_context(one.certificate, other.key)


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o602])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    provided = pair(tmp_path)
    provided.key.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        provided_context(provided.certificate, provided.key)


def test_a_passphrase_is_not_waited_for(tmp_path: Path) -> None:
    provided = pair(tmp_path, passphrase=b"open sesame")
    with pytest.raises(SettingsError, match="passphrase"):
        provided_context(provided.certificate, provided.key)


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (NOW - 9 * DAY, NOW - DAY, "expired"),
        (NOW + DAY, NOW + 9 * DAY, "valid from"),
        (NOW - DAY, NOW + DAY, None),
    ],
)
def test_a_certificate_out_of_its_time_is_warned_of_and_served(
    tmp_path: Path,
    begins: datetime.datetime,
    ends: datetime.datetime,
    said: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    provided = pair(tmp_path, begins, ends)
    trouble = trouble_with(provided.certificate, NOW)
    assert (said in trouble) if said else trouble is None  # type: ignore[operator]
    options = ServeSettings(tls_cert=str(provided.certificate), tls_key=str(provided.key))
    encryption = encryption_of(options, "127.0.0.1")
    assert encryption is not None
    assert encryption.host == "127.0.0.1"
    assert capsys.readouterr().err == (f"{trouble}\n" if trouble else "")
    assert names_in(provided.certificate) == {"voice.example", "127.0.0.1"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ServeSettings(tls_cert="a"), "go together"),
        (ServeSettings(tls_key="a"), "go together"),
        (ServeSettings(tls_cert="a", tls_key="b", tls_names=("c",)), "tls_names"),
        (ServeSettings(tls_cert="/no/such", tls_key="b"), "cannot be read"),
    ],
)
def test_half_of_the_settings_are_refused(options: ServeSettings, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        serve.run(Settings(serve=options), port=1, print_env=True)


def test_the_command_ends_with_3_before_it_listens(tmp_path: Path) -> None:
    env = {"LIVE_CLI_SERVE_TLS_CERT": str(tmp_path / "none"), "LIVE_CLI_SERVE_TLS_KEY": "none"}
    ended = live_cli("serve", "--port", "0", home=tmp_path, env=env)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (3, 1)
    assert b"tls_cert" in ended.stderr


def test_files_are_looked_for_beside_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[serve]\ntls_cert = 'a.crt'\ntls_key = 'keys/a.key'\n")
    loaded = load(config=file, environ={}).serve
    assert loaded.tls_cert == str(tmp_path / "a.crt")
    assert loaded.tls_key == str(tmp_path / "keys" / "a.key")


# --- the certificate that serve makes ----------------------------------------------------------


def test_the_own_certificate_carries_more_names_and_is_made_anew_with_them(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls")

    def made(host: str, *more: str) -> set[str]:
        ensure_certificate(files, NOW, names_for(host, more))
        server_context(files)
        return names_in(files.certificate)

    loopback = set(LOOPBACK_HOSTS)
    assert made("127.0.0.1") == loopback
    first = files.certificate.read_bytes()
    assert made("127.0.0.1", "Voice.Example", "2001:DB8::0:1") == {
        *loopback,
        "voice.example",
        "2001:db8::1",
    }
    assert made("127.0.0.1", "other.example") == {*loopback, "other.example"}
    assert files.certificate.read_bytes() != first
    kept = files.certificate.read_bytes()
    made("127.0.0.1", "other.example")
    assert files.certificate.read_bytes() == kept
    assert made("192.0.2.7") == {*loopback, "192.0.2.7", own_name()} - {""}
    assert made(ANY) == {*loopback, own_name()} - {""}


def own_name() -> str:
    return canonical_host(socket.gethostname()) or ""


def test_a_server_on_loopback_leaves_the_networks_certificate_alone(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls")
    ensure_certificate(files, NOW, names_for(ANY, ["voice.example"]))
    kept = files.certificate.read_bytes()
    ensure_certificate(files, NOW, names_for("127.0.0.1"))
    assert files.certificate.read_bytes() == kept


def test_what_is_named_is_what_callers_meet(tmp_path: Path) -> None:
    env = {
        **ENV,
        "LIVE_CLI_KEY": KEY,
        "LIVE_CLI_SERVE_HOST": ANY,
        "LIVE_CLI_SERVE_TLS_NAMES": "voice.example, 192.0.2.9",
    }
    with serving(tmp_path, env) as server:
        own = next(tmp_path.rglob("cert.pem"))
        for name in ("voice.example", "192.0.2.9", "localhost"):
            assert {"voice.example", "192.0.2.9"} < names_shown(server.port, own, name)
        with pytest.raises(ssl.SSLCertVerificationError):
            names_shown(server.port, own, "evil.example")
    assert server.said.count("Plain text") == 1


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("Voice.Example.", "voice.example"),
        ("*.example", "*.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.300", None),
        ("https://voice.example", None),
        ("voice.example:8765", None),
        ("a b", None),
        ("-a.example", None),
        ("a..b", None),
        ("", None),
        ("*", None),
        ("x" * 64, None),
        (".".join(["x" * 60] * 5), None),
        ("a\nb", None),
        ("évil\0.example", None),
    ],
)
def test_names_are_spelled_as_certificates_do(given: str, spelled: str | None) -> None:
    assert canonical_host(given) == spelled
    file_env = {"LIVE_CLI_SERVE_TLS_NAMES": given}
    if spelled:
        assert load(environ={"LIVE_CLI_CONFIG": "", **file_env}).serve.tls_names == (spelled,)
    elif given:
        with pytest.raises(SettingsError, match="LIVE_CLI_SERVE_TLS_NAMES"):
            load(environ={"LIVE_CLI_CONFIG": "", **file_env})


# --- plain text --------------------------------------------------------------------------------


def test_plain_text_beyond_loopback_is_one_line_and_on_loopback_none(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9"):
        assert plain_text_notice(host, None) is None
    for host in (*ANY_ADDRESSES, "192.0.2.7", "voice.example"):
        notice = plain_text_notice(host, None)
        assert notice is not None
        assert "unencrypted" in notice
        assert "\n" not in notice
    with serving(tmp_path, ENV) as server:
        pass
    assert "Plain text" not in server.said
