"""The address of a server: `host:port` completed, wrong words with their nearest, no key shown."""

import pytest

from live_cli.settings.schema import SETTINGS

RULE = SETTINGS["server",].rule


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("auto", "auto"), (" Gemini ", "gemini"), ("LOCAL", "local"),
        ("localhost:8765", "ws://localhost:8765"), ("localhost", "ws://localhost"),
        ("127.0.0.1:8765", "ws://127.0.0.1:8765"), ("127.0.0.2:1", "ws://127.0.0.2:1"),
        ("[::1]:8765", "ws://[::1]:8765"), ("::1", "ws://[::1]"), (":8765", "ws://127.0.0.1:8765"),
        ("app.localhost:80", "ws://app.localhost:80"),
        ("localhost:8765/voice/", "ws://localhost:8765/voice"),
        ("voice.example", "wss://voice.example"), ("voice.example:8765", "wss://voice.example:8765"),
        ("nas:8765", "wss://nas:8765"), ("192.168.1.5:8765", "wss://192.168.1.5:8765"),
        ("[2001:db8::7]:443", "wss://[2001:db8::7]:443"), ("2001:db8::7", "wss://[2001:db8::7]"),
        ("voice.example/api", "wss://voice.example/api"), ("münchen.example:5", "wss://münchen.example:5"),
        ("https://h/x/", "https://h/x"), ("ws://nas:8765", "ws://nas:8765"),
    ],
)  # fmt: skip
def test_an_address_is_completed(given, read):
    assert RULE.read(given) == read


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("gemni", "did you mean 'gemini'?"), ("lokal", "did you mean 'local'?"),
        ("gem", "did you mean 'gemini'?"), ("nas", "such as host:8765"),
        ("8765", "such as host:8765"), ("my server", "such as host:8765"), ("", "must be auto"),
        ("nas:99999", "Port out of range"), ("nas:http", "Port could not be"),
        ("htps://nas", "did you mean 'https'?"), ("wsss://nas", "did you mean 'wss'?"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_what_may_be_meant(given, says):
    with pytest.raises(ValueError, match=r"^(must|is) ") as refused:
        RULE.read(given)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "given", ["me:secret@nas:1", "nas:1?key=secret", "secret@nas.example", "wss://nas/?key=secret"]
)
def test_a_key_in_an_address_is_refused_and_not_shown(given):
    with pytest.raises(ValueError, match="LIVE_CLI_KEY") as refused:
        RULE.read(given)
    assert "secret" not in str(refused.value)
