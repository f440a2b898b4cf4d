"""Grounding metadata read: the sources of an answer, and which of its sentences they support.

The metadata is told as it came beside what is read of it, for programs want it whole. It decorates
an answer, so whatever is not as the reference (§3.2) has it is passed over, never refused. Names
may be in camelCase or snake_case; a single value may stand for a list of one.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from live_cli.protocol.messages import JsonObject

MOST_SOURCES: Final = 1_000
"""Sources, citations, queries and pages that are read of one message."""


class Source(msgspec.Struct, frozen=True):
    """A page, place or document that an answer draws on. Texts are as the server sent them."""

    title: str = ""
    uri: str = ""


class Citation(msgspec.Struct, frozen=True):
    """A part of an answer, from its byte ``start`` to ``end`` in UTF-8, and what supports it.

    ``text``: the part itself, empty where it is not told. ``sources``: indices in the sources of
    the same message.
    """

    start: int
    end: int
    text: str
    sources: tuple[int, ...]


class ReadPage(msgspec.Struct, frozen=True):
    """A page that the model was given to read; ``failure`` says why it was not read."""

    uri: str
    failure: str = ""


def sources_of(metadata: JsonObject) -> tuple[Source, ...]:
    """Return one source for each grounding chunk, in their order: citations count by it."""
    return tuple(map(_source, _listed(metadata, "groundingChunks", "grounding_chunks")))


def citations_of(metadata: JsonObject) -> tuple[Citation, ...]:
    """Return the supported parts of the answer."""
    return tuple(_citations(metadata))


def queries_of(metadata: JsonObject) -> tuple[str, ...]:
    """Return what was searched for."""
    given = _listed(metadata, "webSearchQueries", "web_search_queries")
    return tuple(query for query in given if isinstance(query, str) and query.strip())


def pages_of(metadata: JsonObject) -> tuple[ReadPage, ...]:
    """Return the pages of urlContextMetadata."""
    pages = []
    for given in _listed(metadata, "urlMetadata", "url_metadata"):
        uri = _text(given, "retrievedUrl", "retrieved_url")
        status = _text(given, "urlRetrievalStatus", "url_retrieval_status")
        outcome = status.removeprefix("URL_RETRIEVAL_STATUS_").lower()
        read = outcome in ("success", "unspecified", "")
        if uri:
            pages.append(ReadPage(uri, "" if read else outcome.replace("_", " ")))
    return tuple(pages)


def _source(chunk: Any) -> Source:
    """Return the source of a chunk, whatever its kind: web, maps, image, retrievedContext."""
    kinds = chunk.values() if isinstance(chunk, dict) else ()
    for kind in kinds:
        uri = _text(kind, "uri", "sourceUri", "source_uri")
        title = _text(kind, "title", "domain")
        if uri or title:
            return Source(title, uri)
    return Source()


def _citations(metadata: JsonObject) -> Iterator[Citation]:
    for given in _listed(metadata, "groundingSupports", "grounding_supports"):
        segment = _value(given, "segment")
        indices = _listed(given, "groundingChunkIndices", "grounding_chunk_indices")
        sources = tuple(index for each in indices if (index := _index(each)) is not None)
        start = _index(_value(segment, "startIndex", "start_index")) or 0
        end = _index(_value(segment, "endIndex", "end_index")) or 0
        text = _text(segment, "text")
        if sources and (text or end > start):
            yield Citation(start, max(start, end), text, sources)


def _value(given: Any, *names: str) -> Any:
    """Return the value of the first of ``names`` that an object has; None for anything else."""
    if not isinstance(given, dict):
        return None
    return next((given[name] for name in names if given.get(name) is not None), None)


def _listed(given: Any, *names: str) -> list[Any]:
    value = _value(given, *names)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return values[:MOST_SOURCES]


def _text(given: Any, *names: str) -> str:
    """Return the first text under one of ``names`` that is not blank."""
    values = (_value(given, name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _index(given: Any) -> int | None:
    """Return an index of proto-JSON, which may be a string or an integral float."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 10:
        return int(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        return None
    return int(given) if given == int(given) else None
