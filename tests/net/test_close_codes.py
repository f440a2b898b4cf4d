"""Every close that the reference lists is told in plain words, with something to do."""

import pytest

from live_cli.net.close_codes import RULES, TOO_BIG_FOR_US, explain, starting_a_sentence

FATAL, AGAIN = False, True


@pytest.mark.parametrize(
    ("code", "reason", "what", "todo", "retryable"),
    [
        (
            1007,
            "API key not valid. Please pass a valid API key.",
            "API key",
            "GEMINI_API_KEY",
            FATAL,
        ),
        (1007, "API key expired. Please renew the API key.", "expired", "GEMINI_API_KEY", FATAL),
        (
            1007,
            "User location is not supported for the API use.",
            "region",
            "--server local",
            FATAL,
        ),
        (1007, "Cannot extract voices from a non-audio request.", "modality", "--modality", FATAL),
        (
            1007,
            "The requested combination of response modalities (TEXT) is not supported by the model",
            "modality",
            "--modality",
            FATAL,
        ),
        (
            1007,
            "Explicit activity control is not supported when automatic activity detection "
            "is enabled.",
            "detects",
            "--push-to-talk",
            FATAL,
        ),
        (
            1007,
            "Invalid JSON payload received. Unknown name \"proactivity\" at 'setup': "
            "Cannot find field.",
            '"proactivity"',
            "v1alpha",
            FATAL,
        ),
        (1007, "Request contains an invalid argument.", "invalid", "new one", FATAL),
        (
            1007,
            "… generic::invalid_argument: Error in program Instantiation for language",
            "generic::invalid_argument",
            "options",
            FATAL,
        ),
        (
            1008,
            "models/X is not found for API version v1alpha, or is not supported for "
            "bidiGenerateContent. Call ListMod",
            "no Live model",
            "--model",
            FATAL,
        ),
        (1008, "Publisher model `x` was not found", "no Live model", "--model", FATAL),
        (1008, "Requested entity was not found", "no longer", "new session", FATAL),
        (
            1008,
            "Operation is not implemented, or supported, or enabled",
            "refused",
            "--model",
            FATAL,
        ),
        (1008, "Method doesn't allow unregistered callers (call", "API key", "Check", FATAL),
        (1011, "Internal error occurred.", "internal error", "again", AGAIN),
        (1011, "Internal error encountered.", "internal error", "again", AGAIN),
        (1011, "The service is currently unavailable.", "overloaded", "again", AGAIN),
        (1011, "Deadline expired before operation could complete.", "time limit", "again", AGAIN),
        (
            1011,
            "Request trace id: 1, [ORIGINAL ERROR] RPC::DEADLINE_EXCEEDED: ",
            "time limit",
            "again",
            AGAIN,
        ),
        (
            1011,
            "You exceeded your current quota, please check your plan and billing details.",
            "quota",
            "billing",
            FATAL,
        ),
        (1011, "keepalive ping timeout", "stalled", "network", AGAIN),
        (1000, "", "ended", "new one", FATAL),
        (1001, "", "shutting down", "new session", FATAL),
        (1006, "", "lost", "network", AGAIN),
        (1009, "", "too big", "less", FATAL),
        (1009, TOO_BIG_FOR_US, "Gemini sent a message larger", "address", FATAL),
        (1012, "", "restarting", "again", AGAIN),
        (1013, "", "room", "again", AGAIN),
        (4000, "custom", "custom", "", FATAL),
        (1008, "Session limit reached.", "Session limit reached (code 1008).", "", FATAL),
        (1011, "The voice stage failed: no model.", "voice stage", "log", AGAIN),
    ],
)
def test_the_closes_of_the_reference(
    code: int, reason: str, what: str, todo: str, retryable: bool
) -> None:
    told = explain(code, reason, "Gemini")
    assert what.lower() in told.what.lower()
    assert todo in told.todo
    assert told.todo
    assert told.retryable is retryable
    assert "{" not in str(told)


def test_every_rule_is_reached_by_what_it_describes() -> None:
    for rule in RULES:
        assert rule.todo
        assert rule.what[0].isupper() or rule.what.startswith("{Server}")
        assert "{server}" not in rule.todo


@pytest.mark.parametrize(
    ("label", "todo"), [("Gemini", "GEMINI_API_KEY"), ("10.0.0.2:8765", "LIVE_CLI_KEY")]
)
def test_a_key_is_looked_for_where_the_server_takes_it_from(label: str, todo: str) -> None:
    for reason in ("API key not valid.", "API key expired.", "Call by unregistered callers"):
        assert todo in explain(1007, reason, label).todo


def test_braces_from_outside_are_only_quoted() -> None:
    reason = 'Unknown name "{server}{0}": {'
    assert reason in explain(1007, reason, "the local server").what


def test_the_label_starts_a_sentence() -> None:
    assert starting_a_sentence("the local server") == "The local server"
    assert starting_a_sentence("example.com") == "example.com"
    assert explain(1011, "", "the local server").what.startswith("The local server failed")
