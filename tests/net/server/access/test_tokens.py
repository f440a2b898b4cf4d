"""Ephemeral tokens as a store: uses, times and terms, without a clock."""

from datetime import UTC, datetime, timedelta

import pytest

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.tokens import (
    EXPIRED,
    SPENT,
    TOO_LATE,
    UNKNOWN,
    Terms,
    Token,
    Tokens,
    TokensFullError,
    terms_of,
)
from live_cli.net.server.close_reason import CloseReason, closing_reason
from live_cli.protocol.messages import AuthToken, Setup
from live_cli.protocol.wire import decode_auth_token

WALL = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


def made(terms: Terms, now: float = 0.0) -> tuple[Tokens, Token]:
    tokens = Tokens(10)
    found = tokens.find(tokens.create(terms, now), now)
    assert isinstance(found, Token)
    return tokens, found


@pytest.mark.parametrize(
    ("body", "terms"),
    [
        (b"", Terms()),
        (b" \n", Terms()),
        (b"{}", Terms()),
        (b'{"uses": 1}', Terms()),
        (b'{"uses": 0, "fieldMask": ""}', Terms(uses=None)),
        (b'{"uses": "7", "expireTime": null}', Terms(uses=7)),
        (
            b'{"expireTime": "2026-01-01T00:20:00+00:00",'
            b' "newSessionExpireTime": "2026-01-01T00:01:30+00:00", "uses": 1}',
            Terms(usable_s=1200.0, new_sessions_s=90.0),
        ),
        (
            b'{"expire_time": "2026-01-01T02:00:00.5+02:00"}',
            Terms(usable_s=0.5, new_sessions_s=0.5),
        ),
        (b'{"newSessionExpireTime": "2026-01-01T19:59:59Z"}', Terms(new_sessions_s=1800.0)),
        (
            b'{"bidi_generate_content_setup": {"model": "models/x"}, "field_mask": "topK"}',
            Terms(setup=Setup(model="models/x"), mask=(("generation_config", "top_k"),)),
        ),
    ],
)
def test_what_a_request_asks_for(body: bytes, terms: Terms) -> None:
    assert terms_of(decode_auth_token(body), WALL) == terms


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"[]", "Expected an object"),
        (b"{", "Invalid JSON"),
        (b'{"uses": -1}', "'uses'"),
        (b'{"uses": "many"}', "'uses'"),
        (b'{"uses": 4294967296}', "'uses'"),
        (b'{"expireTime": "soon"}', "'expire_time'"),
        (b'{"expireTime": "2026-01-01T01:00:00"}', "its zone"),
        (b'{"expireTime": "2026-01-02"}', "its zone"),
        (b'{"expireTime": "2025-12-31T23:59:59Z"}', "later than now"),
        (b'{"expireTime": "2026-01-01T20:00:00Z"}', "20 hours"),
        (b'{"newSessionExpireTime": "2026-01-02T00:00:00Z"}', "'new_session_expire_time'"),
        (b'{"bidiGenerateContentSetup": {"model": 3}}', "'bidi_generate_content_setup.model'"),
        (b'{"fieldMask": "modle"}', "'modle'"),
    ],
)
def test_a_bad_request_is_named(body: bytes, named: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        terms_of(decode_auth_token(body), WALL)
    assert named in caught.value.reason


def test_the_defaults_are_the_references() -> None:
    terms = terms_of(AuthToken(), WALL)
    assert (terms.uses, terms.usable_s, terms.new_sessions_s) == (1, 1800.0, 60.0)


@pytest.mark.parametrize("uses", [1, 2, 5])
def test_each_use_is_one_session(uses: int) -> None:
    _, token = made(Terms(uses=uses))
    assert [token.spend(1.0) for _ in range(uses + 1)] == [None] * uses + [SPENT]


def test_unlimited_is_unlimited() -> None:
    _, token = made(Terms(uses=None))
    assert {token.spend(1.0) for _ in range(100)} == {None}


@pytest.mark.parametrize(
    ("at", "refusal"),
    [(0.0, None), (59.9, None), (60.0, TOO_LATE), (1799.9, TOO_LATE), (1800.0, UNKNOWN)],
)
def test_new_sessions_have_a_time(at: float, refusal: CloseReason | None) -> None:
    _, token = made(Terms(), now=100.0)
    assert token.spend(100.0 + at) == refusal


def test_an_expired_token_is_not_found_and_neither_is_another_name() -> None:
    tokens = Tokens(10)
    name = tokens.create(Terms(), 0.0)
    assert isinstance(tokens.find(name, 1799.9), Token)
    assert tokens.find(name, 1800.0) == UNKNOWN
    for wrong in (name[:-1], name + "0", name.upper(), "", "auth_tokens/", "auth_tokens/é\ud800"):
        assert tokens.find(wrong, 1.0) == UNKNOWN


def test_names_are_never_the_same_and_never_kept() -> None:
    tokens = Tokens(1000)
    names = {tokens.create(Terms(), 0.0) for _ in range(1000)}
    assert len(names) == 1000
    kept = repr(vars(tokens))
    assert not any(name.removeprefix("auth_tokens/") in kept for name in names)


def test_the_number_is_bounded_and_the_expired_make_room() -> None:
    tokens = Tokens(2)
    tokens.create(Terms(usable_s=10.0), 0.0)
    tokens.create(Terms(usable_s=20.0), 0.0)
    with pytest.raises(TokensFullError):
        tokens.create(Terms(), 9.9)
    tokens.create(Terms(), 10.0)
    assert len(tokens) == 2


def test_times_are_taken_from_the_wall_once() -> None:
    later = WALL + timedelta(hours=5)
    asked = AuthToken(expire_time=later.isoformat())
    assert terms_of(asked, WALL + timedelta(hours=4)).usable_s == 3600.0


def test_reasons_are_not_cut() -> None:
    for refusal in (SPENT, TOO_LATE, UNKNOWN, EXPIRED):
        assert closing_reason(refusal.reason) == refusal.reason
