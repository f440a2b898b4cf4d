"""Addresses: the URL of the socket, the headers with the key, and where the key never is."""

import pytest

from live_cli.errors import ConnectError
from live_cli.net.address import Address

METHOD = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
VERTEX = (
    "wss://us-aiplatform.googleapis.com/ws/google.cloud.aiplatform.v1beta1."
    "LlmBidiService/BidiGenerateContent"
)


def address(url: str, key: str | None = "K", api_version: str = "v1beta") -> Address:
    return Address(url, key, api_version, "Gemini")


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("wss://host", f"wss://host{METHOD}"),
        ("wss://host/", f"wss://host{METHOD}"),
        ("ws://127.0.0.1:8080", f"ws://127.0.0.1:8080{METHOD}"),
        ("http://[::1]:80/base/", f"ws://[::1]:80/base{METHOD}"),
        ("https://host/base?x=1", f"wss://host/base{METHOD}?x=1"),
        (VERTEX, VERTEX),
    ],
)
def test_endpoint(url: str, endpoint: str) -> None:
    assert address(url).endpoint == endpoint


def test_version_and_token_choose_the_method() -> None:
    assert ".v1alpha." in address("wss://host", api_version="v1alpha").endpoint
    token = address("wss://host", "auth_tokens/abc")
    assert token.endpoint.endswith("BidiGenerateContentConstrained")
    assert token.headers == {
        "x-goog-api-key": "auth_tokens/abc",
        "Authorization": "Token auth_tokens/abc",
    }
    assert address("wss://host").headers == {"x-goog-api-key": "K"}
    assert address("wss://host", None).headers == {}


def test_the_key_is_not_shown() -> None:
    secret = address("wss://host", "SECRET")
    assert "SECRET" not in f"{secret!r}{secret.endpoint}{secret.place}"


@pytest.mark.parametrize(
    "url", ["", "host", "ftp://host", "wss://", "wss://host:99999", "ws://[::1", "ws://u:p@host"]
)
def test_unusable(url: str) -> None:
    with pytest.raises(ConnectError, match="wss://host") as caught:
        _ = address(url).endpoint
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("key", ["a b", "a\nb", "clé", "\x00"])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ConnectError) as caught:
        _ = address("wss://host", key).headers
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place", "loopback"),
    [
        ("wss://generativelanguage.googleapis.com", "generativelanguage.googleapis.com", False),
        ("ws://127.0.0.1:1", "127.0.0.1:1", True),
        ("ws://127.8.0.1:1", "127.8.0.1:1", True),
        ("ws://[::1]:1", "[::1]:1", True),
        ("ws://localhost:1", "localhost:1", True),
        ("ws://192.168.1.2:1", "192.168.1.2:1", False),
        ("ws://localhost.evil.com", "localhost.evil.com", False),
    ],
)
def test_place(url: str, place: str, loopback: bool) -> None:
    assert address(url).place == place
    assert address(url).is_loopback is loopback
