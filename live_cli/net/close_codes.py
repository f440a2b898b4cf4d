"""Explanations of WebSocket close codes: why a session ended, and what to do about it.

The service reports every failure as a WebSocket close (reference §5). `RULES` is read from the
top; the first rule whose codes and pattern fit speaks. Where no rule knows better, the server's
own reason is quoted: it comes from outside, so whoever prints an Explanation makes it printable.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Explanation:
    """``what`` happened and what ``todo``, a sentence each; may quote text from outside.

    ``retryable``: connecting again, after a pause, may help (the reference's retry table). An
    end without a fault (1000, 1001) is not: whether to go on is the person's wish.
    """

    what: str
    todo: str
    retryable: bool

    def __str__(self) -> str:
        return f"{self.what} {self.todo}".strip()


class CloseRule(NamedTuple):
    """One row of `RULES`. ``codes``: close codes, none meaning any; ``pattern``: of the reason.

    ``{server}``, ``{Server}`` and ``{reason}`` are filled into ``what``.
    """

    codes: tuple[int, ...]
    pattern: str
    what: str
    todo: str
    retryable: bool = False


_KEY_TODO: Final = (
    "Check GEMINI_API_KEY or GOOGLE_API_KEY, or get a key at https://aistudio.google.com/apikey."
)
_OWN_KEY_TODO: Final = "Set LIVE_CLI_KEY to the key that the server was started with."
_LATER: Final = "Try again in a minute."

GEMINI: Final = "Gemini"
"""The label of Google's service, whose keys come from elsewhere than those of other servers."""
TRY_LATER: Final = 1013
"""The close code of a server that has no room; its reason may say for how long."""
NO_SIGN: Final = "no sign for"
"""How the reason of a 1006 begins by which this client left a server that froze."""
TOO_BIG_FOR_US: Final = "A message came that is larger than we take."
"""The reason of a 1009 by this client; a server's own 1009 is about the client's messages."""
TOO_MANY_PINGS: Final = "Pings come without end."
"""The reason of a 1008 by this client."""

RULES: Final = (
    # by what the reason says, whatever the code
    CloseRule((), r"api key expired", "The API key has expired.", _KEY_TODO),
    CloseRule((), r"key was reported as leaked", "The API key is blocked: it leaked.", _KEY_TODO),
    CloseRule(
        (),
        r"api key not valid|api_key_invalid|invalid api key",
        "{Server} does not accept this API key.",
        _KEY_TODO,
    ),
    CloseRule((), r"unregistered callers", "{Server} got no API key that it knows.", _KEY_TODO),
    CloseRule(
        (),
        r"user location is not supported",
        "{Server} does not serve the region you are in.",
        "Connect from a supported region, or talk to your own machine with --server local.",
    ),
    CloseRule(
        (),
        r"quota|resource.?exhausted|rate limit",
        "The quota of this API key is used up, or it has too many sessions at once.",
        "Close other sessions, wait, or check the plan and billing of the key.",
    ),
    CloseRule(
        (1007, 1008, 1011),
        r"not found for api version|not supported for bidigeneratecontent|model .*not found",
        "{Server} has no Live model of this name.",
        "See `live-cli models`, and choose one with --model.",
    ),
    CloseRule(
        (1007, 1011),
        r"extract voices from a non-audio|response modalit",
        "This model does not answer in the modality that was asked for: {reason}",
        "Use --modality audio (its transcript is the text), or another model with --model.",
    ),
    CloseRule(
        (1007,),
        r"explicit activity control",
        "The start and end of speech were marked while the server detects them itself.",
        "Use --push-to-talk, which turns the server's detection off.",
    ),
    CloseRule(
        (1007,),
        r"unknown name",
        "{Server} does not know an option of this session: {reason}",
        "Leave that option out, or try --api-version v1alpha.",
    ),
    CloseRule(
        (1007,),
        r"^request contains an invalid argument",
        "{Server} found the request invalid: options that do not go together, or a full context.",
        "Leave options out one by one; after a long conversation, start a new one.",
    ),
    CloseRule(
        (1008,),
        r"requested entity was not found",
        "{Server} no longer has what the session refers to: its model, or its earlier state.",
        "Start a new session, with another model if it happens again.",
    ),
    CloseRule(
        (1008,),
        r"operation is not implemented",
        "{Server} refused an operation that this model does not support.",
        "Leave options out one by one, or choose another model with --model.",
    ),
    CloseRule(
        (1011,),
        r"deadline",
        "The connection reached the time limit of {server}.",
        "Connect again.",
        retryable=True,
    ),
    CloseRule(
        (1011,),
        r"unavailable|overloaded",
        "{Server} is overloaded at the moment.",
        _LATER,
        retryable=True,
    ),
    CloseRule(
        (1011,),
        r"keepalive ping timeout",
        "The network to {server} stalled.",
        "Check the network, and connect again.",
        retryable=True,
    ),
    CloseRule(
        (1011,),
        r"^(internal error( occurred| encountered)?\.?)?$",
        "{Server} failed with an internal error.",
        _LATER,
        retryable=True,
    ),
    CloseRule(
        (1008,),
        re.escape(TOO_MANY_PINGS),
        "{Server} sent pings without end.",
        "Check the server's address.",
    ),
    # by the code alone
    CloseRule((1000, 1005), r"^$", "{Server} ended the session.", "Start a new one to go on."),
    CloseRule((1001,), r"^$", "{Server} is shutting down.", "Start a new session to go on."),
    CloseRule((1002,), r"^$", "{Server} broke the WebSocket protocol.", "Check its address."),
    CloseRule(
        (1006,),
        rf"^{NO_SIGN} ",
        "The connection to {server} froze: {reason}.",
        _LATER,
        retryable=True,
    ),
    CloseRule(
        (1006,),
        r"",
        "The connection to {server} was lost.",
        "Check the network, and connect again.",
        retryable=True,
    ),
    CloseRule(
        (1009,),
        re.escape(TOO_BIG_FOR_US),
        "{Server} sent a message larger than any of the Live API.",
        "Check the server's address.",
    ),
    CloseRule(
        (1009,),
        r"",
        "A message was too big for the other side.",
        "Send less at once: shorter text or smaller images.",
    ),
    CloseRule((1012,), r"^$", "{Server} is restarting.", _LATER, retryable=True),
    CloseRule((TRY_LATER,), r"^$", "{Server} has no room at the moment.", _LATER, retryable=True),
    CloseRule((1015,), r"", "The TLS handshake with {server} failed.", "Check its certificate."),
)

_RETRYABLE_CODES: Final = (1006, 1011, 1012, TRY_LATER)

_TODO_BY_CODE: Final = {
    1007: "Check the options of this session.",
    1008: "Check the key and the options of this session.",
    1011: "Try again; if it stays, the server's log knows more.",
    1012: _LATER,
    TRY_LATER: _LATER,
}


def explain(code: int, reason: str, label: str) -> Explanation:
    """Return what a close means, by `RULES`. ``label``: the server as `Address.label` names it."""
    for rule in RULES:
        fits = not rule.codes or code in rule.codes
        if fits and re.search(rule.pattern, reason, re.IGNORECASE):
            names = {"server": label, "Server": starting_a_sentence(label), "reason": reason}
            todo = _OWN_KEY_TODO if rule.todo is _KEY_TODO and label != GEMINI else rule.todo
            return Explanation(rule.what.format_map(names), todo, rule.retryable)
    server = starting_a_sentence(label)
    what = f"{server} closed the session: {reason}" if reason else f"{server} closed the session."
    if code not in (1000, 1001, 1005):
        what = f"{what.removesuffix('.')} (code {code})."
    todo = _TODO_BY_CODE.get(code, "Start a new one to go on.")
    return Explanation(what, todo, code in _RETRYABLE_CODES)


def starting_a_sentence(label: str) -> str:
    """ "the local server" -> "The local server"; host names keep their case."""
    return f"T{label[1:]}" if label.startswith("the ") else label
