"""Admission of handshakes by path, key, token, Origin and Host, without a socket."""

import pytest

from live_cli.net.server.access.admission import (
    BAD_KEY,
    FOREIGN_HOST,
    FOREIGN_ORIGIN,
    NO_ENDPOINT,
    NO_KEY,
    NO_TOKEN,
    OTHER_PROTOCOL,
    Endpoint,
    Handshake,
    admit,
    find_endpoint,
)
from live_cli.net.server.close_reason import REASON_BYTES, CloseReason, closing_reason
from live_cli.net.server.limits.limits import split_audio
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import Blob, Content, Part, ServerContent, ServerMessage

GEMINI = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
LOCAL = {"host": "127.0.0.1:8000"}


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize("prefix", ["", "/", "/proxy/x", "//a"])
def test_every_gemini_version_and_prefix_has_its_endpoint(version: str, prefix: str) -> None:
    path = GEMINI.replace("v1beta", version)
    assert find_endpoint(prefix + path) == Endpoint(Dialect(version))
    assert find_endpoint(prefix + path + "Constrained") == Endpoint(
        Dialect(version), constrained=True
    )


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_vertex_has_its_endpoint(version: str) -> None:
    path = f"/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent"
    assert (
        find_endpoint(path) == find_endpoint("/" + path) == Endpoint(Dialect(version, vertex=True))
    )


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize("prefix", ["", "/", "/voice"])
def test_firebase_has_an_endpoint_of_each_dialect(prefix: str, version: str) -> None:
    service = f"{prefix}/ws/google.firebase.vertexai.{version}"
    gemini = find_endpoint(f"{service}.GenerativeService/BidiGenerateContent")
    assert gemini == Endpoint(Dialect(version))
    vertex = f"{service}.LlmBidiService/BidiGenerateContent"
    for place in ("/locations/us-central1", "/locations/global", ""):
        assert find_endpoint(vertex + place) == Endpoint(Dialect(version, vertex=True))
    assert find_endpoint(f"{vertex}/locations/") is None


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize("prefix", ["", "/", "/voice"])
def test_live_interactions_is_refused_in_words(prefix: str, version: str) -> None:
    handshake = Handshake(f"{prefix}/{version}/interactions/live", "", LOCAL)
    refusal = admit(handshake, ())
    assert refusal == OTHER_PROTOCOL
    assert (refusal.code, "another protocol" in refusal.reason) == (1008, True)
    assert closing_reason(refusal.reason) == refusal.reason


@pytest.mark.parametrize("path", ["/", "", "//"])
def test_a_bare_path_speaks_vertex(path: str) -> None:
    assert find_endpoint(path) == Endpoint(Dialect("v1beta1", vertex=True))


@pytest.mark.parametrize(
    "path",
    [
        "/ws",
        "/healthz",
        GEMINI + "/",
        GEMINI + "\n",
        GEMINI[1:],
        GEMINI.replace("v1beta", "v2"),
        GEMINI.replace("Content", "Music"),
        GEMINI.replace("google.ai", "googlexai"),
        "/xws" + GEMINI[3:],
    ],
)
def test_other_paths_have_no_endpoint(path: str) -> None:
    assert find_endpoint(path) is None
    assert admit(Handshake(path, "", LOCAL), ()) == NO_ENDPOINT


KEY_FORMS = [
    ({"x-goog-api-key": "secret"}, ""),
    ({}, "key=secret"),
    ({}, "alt=ws&key=secret&x=1"),
    ({"authorization": "Bearer secret"}, ""),
    ({"authorization": "bearer  secret "}, ""),
    ({"authorization": "Token secret"}, ""),
    ({}, "access_token=secret"),
    ({"x-goog-api-key": "wrong"}, "key=secret"),
]


@pytest.mark.parametrize(("headers", "query"), KEY_FORMS)
def test_a_key_is_taken_in_every_form(headers: dict[str, str], query: str) -> None:
    handshake = Handshake(GEMINI, query, headers)
    assert isinstance(admit(handshake, ["other", "secret"]), Endpoint)
    assert admit(handshake, ["other"]) == BAD_KEY


@pytest.mark.parametrize(
    ("headers", "query"),
    [({}, ""), ({"x-goog-api-key": ""}, "key="), ({"authorization": "Basic secret"}, "")],
)
def test_no_key_is_not_a_wrong_key(headers: dict[str, str], query: str) -> None:
    assert admit(Handshake(GEMINI, query, headers), ["secret"]) == NO_KEY


def test_a_key_beyond_ascii_is_compared_not_crashed_on() -> None:
    assert admit(Handshake(GEMINI, "key=%C3%A9%F0%9F%98%80", LOCAL), ["secret"]) == BAD_KEY
    assert admit(Handshake(GEMINI, "", {"x-goog-api-key": "s\xe9cret"}), ["secret"]) == BAD_KEY


TOKEN = "auth_tokens/abc"
AS_TOKEN = [
    ({"authorization": f"Token {TOKEN}", "x-goog-api-key": TOKEN}, ""),
    ({"authorization": f"Token {TOKEN}"}, ""),
    ({}, f"access_token={TOKEN}"),
]
AS_KEY = [({"x-goog-api-key": TOKEN}, ""), ({}, f"key={TOKEN}")]


@pytest.mark.parametrize("keys", [(), ("secret",)])
@pytest.mark.parametrize(("headers", "query"), [*AS_TOKEN, AS_KEY[0]])
def test_a_token_is_accepted_at_the_constrained_endpoint(
    headers: dict[str, str], query: str, keys: tuple[str, ...]
) -> None:
    endpoint = admit(Handshake(GEMINI + "Constrained", query, {**LOCAL, **headers}), keys)
    assert isinstance(endpoint, Endpoint)
    assert endpoint.token == TOKEN
    assert TOKEN not in repr(endpoint)


@pytest.mark.parametrize("keys", [(), (TOKEN,), ("secret",)])
@pytest.mark.parametrize(
    ("headers", "query", "refusal"),
    [*((*form, NO_KEY) for form in AS_TOKEN), *((*form, BAD_KEY) for form in AS_KEY)],
)
def test_a_token_is_refused_at_every_other_endpoint(
    headers: dict[str, str], query: str, refusal: CloseReason, keys: tuple[str, ...]
) -> None:
    assert admit(Handshake(GEMINI, query, {**LOCAL, **headers}), keys) == refusal


@pytest.mark.parametrize(
    ("query", "refusal"), [("", NO_TOKEN), ("key=secret", NO_TOKEN), (f"key={TOKEN}", BAD_KEY)]
)
def test_the_constrained_endpoint_accepts_tokens_alone(query: str, refusal: CloseReason) -> None:
    assert admit(Handshake(GEMINI + "Constrained", query, LOCAL), ["secret"]) == refusal


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:1", "http://a.localhost"]
)
def test_pages_of_this_machine_may_come(origin: str) -> None:
    assert isinstance(admit(Handshake(GEMINI, "", {**LOCAL, "origin": origin}), ()), Endpoint)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://notlocalhost",
        "",
        "http://[::1",
    ],
)
@pytest.mark.parametrize("keys", [(), ("secret",)])
def test_foreign_pages_may_not(origin: str, keys: tuple[str, ...]) -> None:
    headers = {**LOCAL, "origin": origin, "x-goog-api-key": "secret"}
    assert admit(Handshake(GEMINI, "", headers), keys) == FOREIGN_ORIGIN


def test_pages_of_allowed_origins_may_come_and_no_others() -> None:
    allowed = {"https://app.example", "http://app.example:8080"}

    def coming_from(origin: str) -> Endpoint | CloseReason:
        return admit(Handshake(GEMINI, "", {**LOCAL, "origin": origin}), (), allowed)

    for origin in ("https://app.example", "https://APP.example", "http://app.example:8080"):
        assert isinstance(coming_from(origin), Endpoint)
    for origin in ("http://app.example", "https://app.example:8080", "https://app.example.evil"):
        assert coming_from(origin) == FOREIGN_ORIGIN


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:8000", "[::1]:8000", "192.168.1.7:80"])
def test_without_keys_the_host_is_an_address_or_localhost(host: str) -> None:
    assert isinstance(admit(Handshake(GEMINI, "", {"host": host}), ()), Endpoint)


@pytest.mark.parametrize("host", ["evil.example:8000", "127.0.0.1.evil.example", "", "[::1"])
def test_without_keys_a_rebound_name_is_refused(host: str) -> None:
    assert admit(Handshake(GEMINI, "", {"host": host}), ()) == FOREIGN_HOST
    keyed = Handshake(GEMINI, "", {"host": host, "x-goog-api-key": "secret"})
    assert isinstance(admit(keyed, ["secret"]), Endpoint)


@pytest.mark.parametrize("text", ["short", "x" * 300, "é" * 100, "😀" * 40, "two\nlines\t here"])
def test_reasons_fit_a_close_frame_and_end_at_a_character(text: str) -> None:
    reason = closing_reason(text)
    assert len(reason.encode()) <= REASON_BYTES
    assert " ".join(text.split()).startswith(reason)
    assert len(reason.encode()) > REASON_BYTES - 4 or reason == " ".join(text.split())


def test_the_servers_own_reasons_are_not_cut() -> None:
    for refusal in (BAD_KEY, NO_ENDPOINT, NO_KEY, NO_TOKEN, FOREIGN_HOST, FOREIGN_ORIGIN):
        assert closing_reason(refusal.reason) == refusal.reason


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 512 * 1024 + 2, 5_000_000])
def test_long_audio_is_split_whole_and_its_turn_end_comes_last(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"\0" * (size % 256)
    blob = Blob(data=data, mime_type="audio/pcm;rate=24000")
    turn = Content(role="model", parts=[Part(inline_data=blob)])
    message = ServerMessage(server_content=ServerContent(model_turn=turn, turn_complete=True))
    contents = [piece.server_content for piece in split_audio(message)]
    blobs = [content.model_turn.parts[0].inline_data for content in contents]  # type: ignore[union-attr, index]
    assert b"".join(blob.data for blob in blobs) == data  # type: ignore[union-attr]
    assert all(len(blob.data) <= 512 * 1024 for blob in blobs)  # type: ignore[union-attr]
    assert [content.turn_complete for content in contents[:-1]] == [None] * (len(contents) - 1)  # type: ignore[union-attr]
    assert contents[-1].turn_complete  # type: ignore[union-attr]
