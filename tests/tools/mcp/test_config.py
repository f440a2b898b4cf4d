"""The JSON that people have for their MCP servers, and what is wrong in it."""

from typing import Any

import pytest

from live_cli.tools.mcp.config import McpConfigError, McpEntry, read_entries

VARIABLES = {"TOKEN": "s3cret", "HOME": "/home/ada"}


def read(entry: Any, key: str = "mcpServers") -> McpEntry:
    (found,) = read_entries({key: {"time": entry}}, VARIABLES)
    return found


@pytest.mark.parametrize(
    "given",
    [
        {"mcpServers": {"time": {"command": "time"}}},
        {"servers": {"time": {"type": "stdio", "command": "time"}}, "inputs": []},
        {"mcp": {"servers": {"time": {"command": "time"}}}, "editor.fontSize": 12},
        {"mcpServers": {"time": {"command": "time"}, "off": {"command": "x", "disabled": True}}},
    ],
)
def test_the_shapes_of_other_programs_are_read(given: Any) -> None:
    assert read_entries(given, {}) == [McpEntry("time", command="time")]


def test_a_command_has_arguments_environment_and_folder() -> None:
    entry = read(
        {
            "command": "npx",
            "args": ["-y", "server", "${HOME}/notes"],
            "env": {"KEY": "${TOKEN}", "OTHER": "${env:TOKEN}!", "PORT": 80, "ON": True},
            "cwd": "${NOWHERE:-/tmp}",
            "timeout": 1500,
            "trust": True,
            "includeTools": ["read_*"],
            "excludeTools": ["read_secret"],
        }
    )
    assert entry.arguments == ("-y", "server", "/home/ada/notes")
    assert entry.environment == {"KEY": "s3cret", "OTHER": "s3cret!", "PORT": "80", "ON": "true"}
    assert (entry.folder, entry.time_limit_s, entry.trusted) == ("/tmp", 1.5, True)
    names = ("read_file", "read_secret", "write_file")
    assert [entry.offers(name) for name in names] == [True, False, False]


@pytest.mark.parametrize("key", ["url", "httpUrl", "serverUrl"])
def test_an_address_has_headers(key: str) -> None:
    entry = read({key: "https://x.example/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}})
    assert entry.url == "https://x.example/mcp"
    assert entry.headers == {"Authorization": "Bearer s3cret"}


def test_no_secret_is_in_the_words_for_an_entry() -> None:
    entry = read({"command": "x", "env": {"KEY": "${TOKEN}"}})
    assert "s3cret" not in repr(entry)


@pytest.mark.parametrize("given", [None, [], 3, "text", {}, {"mcpServers": []}, {"mcpServers": 3}])
def test_what_configures_no_server_is_refused(given: Any) -> None:
    with pytest.raises(McpConfigError, match="mcpServers"):
        read_entries(given, {})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("text", "no object"),
        ({}, "command"),
        ({"command": "x", "url": "https://x.example"}, "either"),
        ({"command": 3}, '"command" that is no text'),
        ({"command": "x", "args": "-y"}, '"args" that is no list'),
        ({"command": "x", "env": ["A=b"]}, '"env" that is no object'),
        ({"command": "x", "env": {"A": None}}, '"env" that is no object'),
        ({"command": "x", "timeout": "soon"}, "milliseconds"),
        ({"command": "x", "timeout": True}, "milliseconds"),
        ({"command": "x", "timeout": 0}, "milliseconds"),
        ({"command": "${NOT_SET}"}, "NOT_SET"),
        ({"command": "x", "env": {"A": "${input:key}"}}, "'key'"),
        ({"url": "https://x.example/sse", "type": "sse"}, "streamable HTTP"),
    ],
)
def test_a_bad_entry_is_named(entry: Any, said: str) -> None:
    with pytest.raises(McpConfigError) as refused:
        read(entry)
    assert "'time'" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("trust", ["true", 1, None, False, "no"])
def test_only_true_is_trust(trust: Any) -> None:
    assert not read({"command": "x", "trust": trust}).trusted
