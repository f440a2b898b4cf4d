"""What a person and other programs are told of a server: its address, key and certificate."""

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

from live_cli.commands.serve.encryption import Encryption
from live_cli.loopback import LOOPBACK_ADDRESS, is_any_address


def environment(host: str, port: int, encryption: Encryption | None, *, keyed: bool) -> str:
    """The environment that programs on this machine need to use the server, as lines for a shell.

    All of them together are good for each of the programs: the base URL of the JavaScript SDK
    comes last and does for the Python SDK as well, which makes ``wss`` of whatever it is given.
    """
    plain = base_url(host, port)
    key = 'GEMINI_API_KEY="$LIVE_CLI_KEY"' if keyed else "GEMINI_API_KEY=any"
    lines = []
    if encryption is not None:
        lines += _for_python(f"https://{_in_url(encryption.host)}:{port}", encryption.bundle)
        lines.append(f"export {key}")
    lines += [
        "# @google/genai for JavaScript (and, beside SSL_CERT_FILE, for Python as well)"
        if encryption and encryption.bundle
        else "# @google/genai for JavaScript",
        f"export GOOGLE_GEMINI_BASE_URL={plain}",
        f"export {key}",
        "# live-cli",
        f"export LIVE_CLI_SERVER={plain}",
    ]
    return "\n".join(lines)


def _for_python(url: str, bundle: Path | None) -> list[str]:
    if bundle is None:
        return ["# google-genai for Python", f"export GOOGLE_GEMINI_BASE_URL={url}"]
    return [
        "# google-genai for Python. SSL_CERT_FILE replaces the certificates that a program",
        "# trusts: this file holds the server's and the public ones.",
        f"export GOOGLE_GEMINI_BASE_URL={url}",
        f"export SSL_CERT_FILE={shlex.quote(str(bundle))}",
    ]


def welcome(
    host: str,
    port: int,
    encryption: Encryption | None,
    *,
    keyed: bool,
    addresses: Sequence[str] = (),
) -> str:
    """What a person reads when the server starts: where it is, and how programs use it.

    ``addresses``: by which it is reached, where it listens at more than ``host`` says.
    """
    setting = "LIVE_CLI_KEY=… " if keyed else ""
    lines = [
        f"Serving the Live API at {reached_at(host, port, addresses)}. The models are loading.",
        f"Use it:  {setting}live-cli talk --server {base_url(host, port)}",
        "Callers need the key that is set (LIVE_CLI_KEY)."
        if keyed
        else "Callers need no key; only this machine can reach it.",
        "Other programs use it unchanged, with these lines in their environment:",
        textwrap.indent(environment(host, port, encryption, keyed=keyed), "  "),
    ]
    return "\n".join(lines)


def reached_at(host: str, port: int, addresses: Sequence[str]) -> str:
    hosts = addresses if is_any_address(host) and addresses else [host]
    return ", ".join(f"http://{_in_url(each)}:{port}" for each in hosts)


def base_url(host: str, port: int) -> str:
    """The base URL of the server for programs on this machine."""
    own = LOOPBACK_ADDRESS if is_any_address(host) else host
    return f"http://{_in_url(own)}:{port}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
