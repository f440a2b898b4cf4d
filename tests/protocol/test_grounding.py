"""Sources, pages and code of an answer: read from what the service sends, whatever it sends."""

import json
from typing import Any

import pytest

from live_cli.protocol.events import (
    AnswerGrounded,
    CodeRan,
    CodeWritten,
    Event,
    PagesRead,
    TextChunk,
    TurnComplete,
)
from live_cli.protocol.grounding import (
    Citation,
    ReadPage,
    Source,
    citations_of,
    pages_of,
    queries_of,
    sources_of,
)
from live_cli.protocol.messages import ClientMessage, Setup
from live_cli.protocol.session import Role, Session


def received(*messages: dict[str, Any]) -> list[Event]:
    session = Session(Role.CLIENT)
    session.send(ClientMessage(setup=Setup(model="models/m")), 0)
    session.receive('{"setupComplete":{}}', 0)
    return [e for message in messages for e in session.receive(json.dumps(message), 0)]


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def part(**fields: Any) -> dict[str, Any]:
    return content(modelTurn={"parts": [fields]})


@pytest.mark.parametrize(
    ("chunk", "source"),
    [
        (
            {"web": {"uri": "https://a.b", "title": "A", "domain": "a.b"}},
            Source("A", "https://a.b"),
        ),
        ({"web": {"uri": "https://a.b", "domain": "a.b"}}, Source("a.b", "https://a.b")),
        (
            {"maps": {"uri": "https://m", "title": "Café", "placeId": "x"}},
            Source("Café", "https://m"),
        ),
        ({"retrievedContext": {"title": "doc", "text": "…"}}, Source("doc", "")),
        ({"image": {"sourceUri": "https://i", "title": "I"}}, Source("I", "https://i")),
        ({}, Source()),
        ({"web": "https://a.b"}, Source()),
        ({"web": {"uri": 7, "title": None}}, Source()),
        ("garbage", Source()),
    ],
)
def test_each_chunk_is_a_source_so_that_indices_hold(chunk: Any, source: Source) -> None:
    assert sources_of({"groundingChunks": [chunk]}) == (source,)


@pytest.mark.parametrize(
    ("support", "citations"),
    [
        (
            {"segment": {"endIndex": 4, "text": "Yes."}, "groundingChunkIndices": [0, 2]},
            (Citation(0, 4, "Yes.", (0, 2)),),
        ),
        (
            {"segment": {"start_index": "1", "end_index": 4.0}, "grounding_chunk_indices": 1},
            (Citation(1, 4, "", (1,)),),
        ),
        ({"segment": {"startIndex": 9, "endIndex": 4, "text": "x"}, "groundingChunkIndices": [0]},
         (Citation(9, 9, "x", (0,)),)),
        ({"segment": {"endIndex": 4}}, ()),
        ({"segment": {}, "groundingChunkIndices": [0]}, ()),
        ({"segment": {"endIndex": -4, "text": 3}, "groundingChunkIndices": [True, -1, "x"]}, ()),
        ({"segment": [], "groundingChunkIndices": {}}, ()),
        (None, ()),
    ],
)  # fmt: skip
def test_supports_are_citations(support: Any, citations: tuple[Citation, ...]) -> None:
    assert citations_of({"groundingSupports": [support]}) == citations


def test_lists_may_be_single_values_snake_case_or_no_lists() -> None:
    assert sources_of({"grounding_chunks": {"web": {"uri": "u"}}}) == (Source("", "u"),)
    assert queries_of({"webSearchQueries": "one"}) == ("one",)
    assert queries_of({"web_search_queries": ["one", "", None, 3]}) == ("one",)
    for given in ({}, {"groundingChunks": None, "groundingSupports": "x", "webSearchQueries": 1}):
        assert (citations_of(given), queries_of(given)) == ((), ())


def test_pages_tell_why_they_were_not_read() -> None:
    given = {
        "urlMetadata": [
            {"retrievedUrl": "https://a", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"},
            {"retrieved_url": "https://b", "url_retrieval_status": "URL_RETRIEVAL_STATUS_PAYWALL"},
            {"retrievedUrl": "https://c"},
            {"urlRetrievalStatus": "URL_RETRIEVAL_STATUS_ERROR"},
            7,
        ]
    }
    assert pages_of(given) == (
        ReadPage("https://a"),
        ReadPage("https://b", "paywall"),
        ReadPage("https://c"),
    )


def test_code_and_what_came_of_it_are_events_and_no_text() -> None:
    told = received(
        part(executableCode={"language": "PYTHON", "code": "print(1)"}),
        part(codeExecutionResult={"outcome": "OUTCOME_OK", "output": "1\n"}),
        part(text="One."),
        content(turnComplete=True),
    )
    assert told == [
        CodeWritten(1, "print(1)", "PYTHON"),
        CodeRan(1, "1\n", "OUTCOME_OK"),
        TextChunk(1, "One."),
        TurnComplete(1),
    ]


def test_grounding_is_told_whole_and_within_its_turn() -> None:
    metadata = {
        "groundingChunks": [{"web": {"uri": "https://a.b", "title": "A"}}],
        "searchEntryPoint": {"renderedContent": "<b>"},
        "aFieldOfTomorrow": [1],
    }
    pages = {"urlMetadata": [{"retrievedUrl": "https://a"}]}
    told = received(
        part(text="Yes."),
        content(groundingMetadata=metadata, urlContextMetadata=pages, turnComplete=True),
        content(groundingMetadata=metadata),  # late: it opens no turn
        part(text="No."),
    )
    grounded = AnswerGrounded(1, (Source("A", "https://a.b"),), (), (), metadata)
    assert told == [
        TextChunk(1, "Yes."),
        grounded,
        PagesRead(1, (ReadPage("https://a"),), pages),
        TurnComplete(1),
        grounded,
        TextChunk(2, "No."),
    ]
